namespace Sentiric.Media;

/// <summary>
/// Something that changes or adds to what a leg sends, 20 ms at a time. Stages stack: each gets what the ones before it made.
/// <code> playback ─► music while nothing plays ─► the other leg of a bridge ─► a whisper ─► encoder </code>
/// Called on the media thread: must not block, must not allocate. A stage belongs to one leg.
/// </summary>
public interface IAudioStage
{
    /// <param name="frame">160 samples, silence when nothing was heard so far; changed in place.</param>
    /// <param name="isHeard">Whether the stages before have put something there.</param>
    /// <returns>Whether there is something to hear now.</returns>
    bool Process(Span<short> frame, bool isHeard);
}

/// <summary>Adds of samples that never wrap around.</summary>
public static class Mix
{
    /// <summary>Adds another signal, times a gain, and clips at full scale.</summary>
    public static void Add(Span<short> frame, ReadOnlySpan<short> other, float gain = 1)
    {
        for (var i = 0; i < other.Length; i++) frame[i] = (short)Math.Clamp(frame[i] + (int)(other[i] * gain), short.MinValue, short.MaxValue);
    }
}

/// <summary>
/// Music on hold: a piece over and over, where nothing else is to be heard. It pauses, and goes on where it was. Silence that somebody sends (a telephone that holds) is nothing to be
/// heard once it has lasted half a second.
/// </summary>
/// <param name="piece">At 8 kHz, shared among legs, never changed; at least 20 ms.</param>
public sealed class MusicStage(ReadOnlyMemory<short> piece, float gain = 1) : IAudioStage
{
    private const int QuietLevel = 100; // -50 dB of full scale: the noise of a line
    private const int QuietFrames = 25;

    private int at, quiet = QuietFrames;

    public bool IsOn { get; set; } = true;

    public bool Process(Span<short> frame, bool isHeard)
    {
        if (!IsOn || piece.IsEmpty) return isHeard;
        quiet = isHeard && frame.ContainsAnyExceptInRange((short)-QuietLevel, (short)QuietLevel) ? 0 : isHeard ? quiet + 1 : QuietFrames;
        if (quiet < QuietFrames) return true;
        for (var filled = 0; filled < frame.Length;)
        {
            var count = Math.Min(frame.Length - filled, piece.Length - at);
            Mix.Add(frame.Slice(filled, count), piece.Span.Slice(at, count), gain);
            filled += count;
            at = (at + count) % piece.Length;
        }
        return true;
    }
}

/// <summary>
/// What another leg says, brought frame by frame: bridges, conferences, whispering supervisors, listening ones. One thread brings, one takes; at the bound the
/// oldest are not kept: what is late stays out, so that two clocks never add delay. It begins when two frames wait, which covers the other's tick.
/// </summary>
/// <param name="frames">The bound; a voice over the internet needs more than one of the next media thread.</param>
public sealed class RelayStage(float gain = 1, int frames = 8, int startAt = 2) : IAudioStage
{
    private readonly Lock gate = new(); // held for a copy of 320 bytes, by both media threads
    private readonly short[] ring = new short[frames * MediaLeg.FrameSamples];
    private long head, tail;
    private bool running;

    /// <summary>Frames that had to be dropped because they were not taken in time.</summary>
    public long Dropped { get; private set; }

    /// <summary>Brings 160 samples (copied).</summary>
    public void Bring(ReadOnlySpan<short> frame)
    {
        lock (gate)
        {
            if (head - tail == frames)
            {
                tail = head - startAt;
                Dropped += frames - startAt;
            }
            frame.CopyTo(Slot(head++));
        }
    }

    public bool Process(Span<short> frame, bool isHeard)
    {
        lock (gate)
        {
            running = head - tail >= (running ? 1 : startAt);
            if (!running) return isHeard;
            Mix.Add(frame, Slot(tail++), gain);
            return true;
        }
    }

    private Span<short> Slot(long number) => ring.AsSpan((int)(number % frames) * MediaLeg.FrameSamples, MediaLeg.FrameSamples);
}

/// <summary>Turns everything before it down, so that what comes after is understood: an agent while a supervisor whispers.</summary>
public sealed class DuckStage(float gain = 0.3f) : IAudioStage
{
    public bool IsOn { get; set; }

    public bool Process(Span<short> frame, bool isHeard)
    {
        if (!IsOn || !isHeard) return isHeard;
        for (var i = 0; i < frame.Length; i++) frame[i] = (short)(frame[i] * gain);
        return true;
    }
}
