using System.Net;
using Microsoft.Extensions.Logging;

namespace Sentiric.Sip;

/// <summary>Why a source was turned away; stands in the log as fail2ban's filter reads it.</summary>
public enum GuardReason
{
    /// <summary>A tool that looks for open servers.</summary>
    Scanner,

    /// <summary>A wrong password.</summary>
    WrongPassword,

    /// <summary>More requests than one source may send.</summary>
    Flood,

    /// <summary>A request from an address that may not send any.</summary>
    UnknownSource,

    /// <summary>What came while wrong passwords had locked the source out.</summary>
    LockedOut,
}

/// <summary>
/// What keeps strangers out, and the log line that tells a firewall: "SIP guard: {reason} from {address}", one for each source and reason in a minute at most, and
/// <see cref="LinesPerSecond"/> in all, so that a flood of packets, under whatever addresses, is no flood of lines. Thread-safe.
/// </summary>
public sealed class SipGuard(TimeProvider time, ILogger logger, ScannerFilter? scanners = null, DigestLockOut? lockOut = null)
{
    /// <summary>Sources beyond it are counted, not written down.</summary>
    public const int LinesPerSecond = 50;
    private const int MaxRemembered = 10_000;
    private static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly BoundedTable<(IPAddress, GuardReason), Told> told = new(MaxRemembered, _ => new Told());
    private DateTimeOffset secondFrom = DateTimeOffset.MinValue;
    private int linesInSecond;
    private readonly long[] counts = new long[Enum.GetValues<GuardReason>().Length];

    /// <summary>Null: nobody is locked out.</summary>
    public DigestLockOut? LockOut => lockOut;

    /// <summary>How often this happened since the start.</summary>
    public long Count(GuardReason reason) => Volatile.Read(ref counts[(int)reason]);

    /// <summary>Whether anything of this source is read at all.</summary>
    public bool Admits(IPAddress source)
    {
        if (lockOut is null || !lockOut.IsLockedOut(source))
        {
            return true;
        }

        Tell(source, GuardReason.LockedOut);
        return false;
    }

    /// <summary>True for a request of a scanner, which then gets no answer.</summary>
    public bool IsScanner(SipRequest request, IPAddress source)
    {
        if (scanners is null || !scanners.IsScanner(request))
        {
            return false;
        }

        Tell(source, GuardReason.Scanner);
        return true;
    }

    public void Tell(IPAddress source, GuardReason reason)
    {
        Interlocked.Increment(ref counts[(int)reason]);
        IPAddress plain = source.IsIPv4MappedToIPv6 ? source.MapToIPv4() : source;
        DateTimeOffset now = time.GetUtcNow();
        lock (gate)
        {
            Told last = told.Get((plain, reason));
            if (now - last.At < Quiet || !HasLine(now))
            {
                return;
            }

            last.At = now;
        }

        SipLog.Guarded(logger, Word(reason), plain);
    }

    /// <summary>As it stands in the log; deploy/fail2ban knows these words.</summary>
    public static string Word(GuardReason reason) => reason switch
    {
        GuardReason.Scanner => "scanner",
        GuardReason.WrongPassword => "wrong-password",
        GuardReason.Flood => "flood",
        GuardReason.UnknownSource => "unknown-source",
        GuardReason.LockedOut => "locked-out",
    };

    /// <summary>Under the gate.</summary>
    private bool HasLine(DateTimeOffset now)
    {
        if (now - secondFrom >= TimeSpan.FromSeconds(1))
        {
            secondFrom = now;
            linesInSecond = 0;
        }

        return ++linesInSecond <= LinesPerSecond;
    }

    private sealed class Told
    {
        public DateTimeOffset At { get; set; } = DateTimeOffset.MinValue;
    }
}
