using System.Globalization;

namespace Sentiric.Media;

/// <summary>The UDP ports for media. "0" lets the kernel choose (tests); otherwise "10000-20000", used in even/odd pairs.</summary>
public readonly record struct PortRange(int First, int Last)
{
    public static PortRange KernelChosen => default;

    public bool IsKernelChosen => First == 0;

    /// <summary>Null when the text is neither "0" nor an ascending range within 1024 to 65535 that holds a pair.</summary>
    public static PortRange? Parse(string text)
    {
        if (text == "0") return KernelChosen;
        var parts = text.Split('-');
        if (parts.Length != 2 || !Number(parts[0], out var first) || !Number(parts[1], out var last)) return null;
        var even = first + (first & 1);
        return first >= 1_024 && last <= 65_535 && even < last ? new PortRange(first, last) : null;
    }

    private static bool Number(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}

/// <summary>
/// Hands out even RTP ports (the odd one above is RTCP, RFC 3550 11). A port that comes back rests for the quarantine, so that
/// packets still under way to the old call meet a closed door; the one that has rested longest is used first. Not thread-safe.
/// </summary>
public sealed class PortPool
{
    private readonly Queue<(int Port, DateTimeOffset UsableAt)> resting = new();
    private readonly TimeSpan quarantine;
    private readonly TimeProvider time;

    public PortPool(PortRange range, TimeSpan quarantine, TimeProvider time)
    {
        (this.quarantine, this.time) = (quarantine, time);
        for (var port = range.First + (range.First & 1); port < range.Last; port += 2)
        {
            resting.Enqueue((port, DateTimeOffset.MinValue));
        }
        Pairs = resting.Count;
    }

    /// <summary>How many pairs the range holds.</summary>
    public int Pairs { get; }

    /// <summary>Null when all pairs are in use or resting: a refusal, not a wait.</summary>
    public int? Take()
    {
        if (!resting.TryPeek(out var next) || next.UsableAt > time.GetUtcNow()) return null;
        return resting.Dequeue().Port;
    }

    public void Return(int port) => resting.Enqueue((port, time.GetUtcNow() + quarantine));
}
