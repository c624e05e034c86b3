using System.Net;

namespace Sentiric.Sip;

/// <summary>How many wrong passwords are too many.</summary>
public sealed record LockOutLimits
{
    /// <summary>Wrong passwords for one user from one source.</summary>
    public int PerUser { get; init; } = 5;

    /// <summary>Wrong passwords from one source, whatever the user.</summary>
    public int PerSource { get; init; } = 30;

    /// <summary>Failures further apart than this do not add up.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long it lasts. What comes meanwhile does not make it longer: a phone with an old password gets its chance again.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromMinutes(15);

    public int Tracked { get; init; } = 10_000;
}

/// <summary>
/// Locks out who tries passwords: one user from one source after a few, the whole source after many. Another source can still be that user, so nobody locks out somebody else.
/// IPv6 sources count by their /64. Thread-safe.
/// </summary>
public sealed class DigestLockOut(LockOutLimits limits, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly BoundedTable<(IPAddress, string), Entry> users = new(limits.Tracked, _ => new Entry());
    private readonly BoundedTable<IPAddress, Entry> sources = new(limits.Tracked, _ => new Entry());

    /// <summary>The source is locked out altogether: nothing of it is even read.</summary>
    public bool IsLockedOut(IPAddress source)
    {
        lock (gate)
        {
            return sources.TryPeek(SourceAdmission.Prefix(source), out Entry? entry) && entry!.LockedUntil > time.GetUtcNow();
        }
    }

    /// <summary>This user from this source, or the source altogether.</summary>
    public bool IsLockedOut(IPAddress source, string user)
    {
        lock (gate)
        {
            IPAddress prefix = SourceAdmission.Prefix(source);
            DateTimeOffset now = time.GetUtcNow();
            return (users.TryPeek((prefix, user), out Entry? entry) && entry!.LockedUntil > now) || (sources.TryPeek(prefix, out entry) && entry!.LockedUntil > now);
        }
    }

    /// <summary>A wrong password. True when it locked something out.</summary>
    public bool Failed(IPAddress source, string user)
    {
        lock (gate)
        {
            IPAddress prefix = SourceAdmission.Prefix(source);
            // Both are counted.
            return Count(users.Get((prefix, user)), limits.PerUser) | Count(sources.Get(prefix), limits.PerSource);
        }
    }

    /// <summary>The right password: this user begins anew; the source does not, or one good account would cover the trying of others.</summary>
    public void Succeeded(IPAddress source, string user)
    {
        lock (gate)
        {
            users.Remove((SourceAdmission.Prefix(source), user));
        }
    }

    private bool Count(Entry entry, int limit)
    {
        DateTimeOffset now = time.GetUtcNow();
        entry.Failures = now - entry.LastAt > limits.Window || (entry.LockedUntil != default && entry.LockedUntil <= now) ? 1 : entry.Failures + 1;
        entry.LastAt = now;
        bool locks = entry.Failures >= limit && entry.LockedUntil <= now;
        entry.LockedUntil = locks ? now + limits.Duration : entry.LockedUntil <= now ? default : entry.LockedUntil;
        return locks;
    }

    private sealed class Entry
    {
        public int Failures { get; set; }

        public DateTimeOffset LastAt { get; set; }

        public DateTimeOffset LockedUntil { get; set; }
    }
}
