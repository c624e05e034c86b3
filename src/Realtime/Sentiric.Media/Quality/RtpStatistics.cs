namespace Sentiric.Media;

/// <summary>What a sequence number told us about its packet.</summary>
public enum RtpArrival
{
    InOrder,
    Reordered,
    Duplicate,

    /// <summary>Too far from what was expected; a second packet in this new place makes it <see cref="Restarted"/>.</summary>
    Suspicious,

    /// <summary>The sender jumped (RFC 3550 A.1): counting starts anew, totals are kept.</summary>
    Restarted,
}

/// <summary>
/// Counts what arrived and what did not (RFC 3550 A.1, A.3, A.8) over the whole call, across SSRC changes.
/// Times are microseconds of a monotonic clock; jitter is kept in samples of 8 kHz. Not thread-safe: the leg owns it.
/// </summary>
public sealed class RtpStatistics
{
    private const int MaxDropout = 3_000;
    private const int MaxMisorder = 100;
    private const int SequenceModulus = 65_536;

    private bool started;
    private long first, highest, unique;
    private UInt128 seen; // bit n: the packet n before the highest has arrived
    private int suspectNext = -1;
    private long lostEarlier;
    private bool hasTransit;
    private long lastTransit;
    private long lastArrivalUs = -1;
    private long expectedAtReport, uniqueAtReport;
    private double jitter;

    public long Received { get; private set; }
    public long Duplicates { get; private set; }
    public long Reordered { get; private set; }
    public long Restarts { get; private set; }

    /// <summary>Longest time between two packets, in milliseconds.</summary>
    public double MaxGapMs { get; private set; }

    public long Lost => lostEarlier + Math.Max(0, Expected - unique);
    public double JitterMs => jitter / 8;
    public uint JitterSamples => (uint)jitter;

    /// <summary>Cycles in the upper 16 bits (RFC 3550 6.4.1).</summary>
    public uint ExtendedHighest => (uint)highest;

    private long Expected => started ? highest - first + 1 : 0;

    /// <summary>Every packet of the stream, whatever its payload type.</summary>
    public RtpArrival OnPacket(ushort sequence, long nowUs)
    {
        if (lastArrivalUs >= 0) MaxGapMs = Math.Max(MaxGapMs, (nowUs - lastArrivalUs) / 1000.0);
        lastArrivalUs = nowUs;
        var arrival = started ? Place(sequence) : Begin(sequence);
        if (arrival is RtpArrival.Duplicate) Duplicates++;
        else if (arrival is not RtpArrival.Suspicious) Received++;
        if (arrival is RtpArrival.Reordered) Reordered++;
        return arrival;
    }

    /// <summary>Interarrival jitter (RFC 3550 A.8), for audio packets only: DTMF repeats one timestamp on purpose.</summary>
    public void OnAudioTiming(uint timestamp, long nowUs)
    {
        var transit = nowUs * 8 / 1000 - timestamp;
        var difference = Math.Abs((long)(int)(transit - lastTransit));
        if (hasTransit && difference < MaxDropout * 8) jitter += (difference - jitter) / 16;
        (lastTransit, hasTransit) = (transit, true);
    }

    /// <summary>Another stream takes over: the next packet starts a new count, totals stay.</summary>
    public void NewStream()
    {
        lostEarlier = Lost;
        started = false;
        suspectNext = -1;
        hasTransit = false;
        (expectedAtReport, uniqueAtReport) = (0, 0);
    }

    /// <summary>Share of packets lost since the last report, in 1/256 (RFC 3550 A.3); moves the report mark.</summary>
    public byte TakeFractionLost()
    {
        var (expected, arrived) = (Expected - expectedAtReport, unique - uniqueAtReport);
        (expectedAtReport, uniqueAtReport) = (Expected, unique);
        return expected <= 0 || arrived >= expected ? (byte)0 : (byte)Math.Min(255, (expected - arrived) * 256 / expected);
    }

    private RtpArrival Begin(ushort sequence)
    {
        started = true;
        first = highest = SequenceModulus + sequence; // one cycle of room, so that an early reorder stays positive
        unique = 1;
        seen = UInt128.One;
        return RtpArrival.InOrder;
    }

    private RtpArrival Place(ushort sequence)
    {
        var step = (short)(sequence - (ushort)highest);
        if (step > 0 && step < MaxDropout) return Advance(step);
        if (step <= 0 && -step < MaxMisorder) return LookBack(-step);
        if (suspectNext == sequence)
        {
            NewStream();
            Begin(sequence);
            Restarts++;
            return RtpArrival.Restarted;
        }
        suspectNext = (ushort)(sequence + 1);
        return RtpArrival.Suspicious;
    }

    private RtpArrival Advance(int step)
    {
        highest += step;
        seen = step < 128 ? seen << step | UInt128.One : UInt128.One;
        unique++;
        suspectNext = -1;
        return RtpArrival.InOrder;
    }

    private RtpArrival LookBack(int back)
    {
        var bit = UInt128.One << back;
        if ((seen & bit) != UInt128.Zero) return RtpArrival.Duplicate;
        seen |= bit;
        unique++;
        if (highest - back < first) first = highest - back;
        return RtpArrival.Reordered;
    }
}
