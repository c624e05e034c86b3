namespace Sentiric.Media;

/// <summary>
/// Puts timestamps of a faster RTP clock on the engine's timeline of 8 kHz, through their wrap-around: a sixth of a number that wraps does not wrap where
/// the number does. Not thread-safe: the leg owns it.
/// </summary>
internal sealed class RtpTimeline
{
    private int factor = 1;
    private bool started;
    private uint last;
    private long position;

    /// <summary>Ticks of the RTP clock to a sample of 8 kHz.</summary>
    public int Factor
    {
        get => factor;
        set => (factor, started) = (value, started && factor == value);
    }

    /// <summary>The place of this timestamp in samples, modulo 2^32 like a timestamp itself.</summary>
    public uint At(uint timestamp)
    {
        if (factor == 1) return timestamp;
        position = started ? position + (int)(timestamp - last) : ((long)factor << 32) + timestamp; // a whole turn of samples above zero
        (started, last) = (true, timestamp);
        return (uint)(position / factor);
    }
}
