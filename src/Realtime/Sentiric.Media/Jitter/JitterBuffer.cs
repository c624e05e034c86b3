namespace Sentiric.Media;

/// <summary>What became of a packet's samples.</summary>
public enum JitterInsert
{
    Stored,
    Late,
    OutOfReach,
}

/// <summary>Where a 20 ms frame came from.</summary>
public enum FrameSource
{
    /// <summary>No stream yet, or it stopped.</summary>
    Nothing,
    Heard,
    Concealed,
}

/// <summary>
/// Puts samples back on their timeline: a ring addressed by RTP timestamp, read 20 ms at a time on the media clock.
/// G.711 keeps no state between packets, so samples rather than packets are stored, and any packet time and order will do.
/// The delay grows when packets come too late and shrinks in quiet moments when all come early (20 to 200 ms).
/// <code>
///   timestamps   ──────────►
///   ... played | playAt ▒▒▒▒▒▒░░▒▒▒▒ newest |
///              |◄─ headroom of a packet ─►|      late: headroom below 0
/// </code>
/// Not thread-safe: the leg owns it.
/// </summary>
public sealed class JitterBuffer
{
    public const int FrameSamples = 160;
    public const double MaxDelayMs = MaxDelay / 8.0;
    private const int UsualRing = 1_024, LargestRing = 8_192; // 128 ms and 1 s; powers of two
    private const int MinDelay = FrameSamples, StartDelay = 2 * FrameSamples, MaxDelay = 10 * FrameSamples;
    private const int MaxAhead = 2 * MaxDelay;
    private const int WindowPackets = 100;
    private const int SpareToShrink = 2 * FrameSamples;
    private const int QuietLevel = 500;
    private const int EmptyFramesToStop = 50;
    private const int StraysToResync = 2;

    private short[] ring = new short[UsualRing];
    private bool[] filled = new bool[UsualRing];
    private readonly LossConcealer concealer = new();
    private bool running, leadIn;
    private long playAt, newest;
    private int delay = StartDelay; // headroom of the fastest packets lately: what the buffer adds on purpose
    private int grow;
    private int strays, emptyFrames;
    private int windowCount;
    private long windowLeast = long.MaxValue, windowMost = long.MinValue;
    private bool mayShrink;

    public long Late { get; private set; }
    public long Concealed { get; private set; }
    public long Resyncs { get; private set; }

    /// <summary>The delay that the buffer currently adds on purpose.</summary>
    public double DelayMs => delay / 8.0;

    /// <summary>Stores a packet's samples at its timestamp.</summary>
    public JitterInsert Insert(uint timestamp, ReadOnlySpan<short> samples)
    {
        var at = running ? newest + (int)(timestamp - (uint)newest) : timestamp;
        if (!running) Start(at);
        var headroom = at - playAt;
        if (headroom > MaxAhead || headroom + samples.Length < -MaxDelay)
        {
            // A sender may jump its clock; one odd packet must not move ours.
            if (++strays < StraysToResync) return JitterInsert.OutOfReach;
            Resyncs++;
            Start(at);
            headroom = at - playAt;
        }
        strays = 0;
        Watch(headroom);
        if (headroom + samples.Length <= 0)
        {
            Late++;
            return JitterInsert.Late;
        }
        Store(at, samples);
        return JitterInsert.Stored;
    }

    /// <summary>Fills a hole before a packet, where that is not played yet. No packet of its own: it tells nothing about the delay.</summary>
    public void Patch(uint timestamp, ReadOnlySpan<short> samples)
    {
        var at = newest + (int)(timestamp - (uint)newest);
        if (running && at - playAt <= MaxAhead && at + samples.Length > playAt) Store(at, samples);
    }

    /// <summary>Takes the next 20 ms; always fills the frame.</summary>
    public FrameSource Read(Span<short> frame)
    {
        if (!running)
        {
            frame[..FrameSamples].Clear();
            return FrameSource.Nothing;
        }
        if (grow > 0) return Stretch(frame);
        if (mayShrink) Shrink();
        var heard = 0;
        for (var offset = 0; offset < FrameSamples; offset += LossConcealer.BlockSamples)
        {
            if (TakeBlock(frame.Slice(offset, LossConcealer.BlockSamples))) heard++;
        }
        return Judge(heard);
    }

    /// <summary>The clock went on without anybody reading (a stalled process).</summary>
    public void Skip(int frames)
    {
        for (var i = 0; i < frames && running; i++) Discard(FrameSamples);
    }

    /// <summary>Forgets the stream: another one takes over.</summary>
    public void Reset()
    {
        running = false;
        strays = 0;
        Array.Clear(filled);
        concealer.Reset();
    }

    private void Start(long at)
    {
        Array.Clear(filled);
        (running, leadIn, newest, playAt) = (true, true, at, at - delay);
        (grow, emptyFrames, mayShrink) = (0, 0, false);
        BeginWindow();
    }

    private void Store(long at, ReadOnlySpan<short> samples)
    {
        if (at + samples.Length - playAt > ring.Length) Enlarge();
        samples = samples[(int)Math.Max(0, playAt - at)..];
        var slot = SlotOf(Math.Max(at, playAt));
        var head = Math.Min(samples.Length, ring.Length - slot); // the rest lies at the ring's beginning
        samples[..head].CopyTo(ring.AsSpan(slot));
        samples[head..].CopyTo(ring);
        filled.AsSpan(slot, head).Fill(true);
        filled.AsSpan(0, samples.Length - head).Fill(true);
        newest = Math.Max(newest, at);
    }

    // Few lines need so much; a small ring stays in the processor's cache from packet to packet.
    private void Enlarge()
    {
        var (ringBefore, filledBefore) = (ring, filled);
        (ring, filled) = (new short[LargestRing], new bool[LargestRing]);
        for (var at = playAt; at < playAt + ringBefore.Length; at++)
        {
            var before = (int)(at & (ringBefore.Length - 1));
            (ring[SlotOf(at)], filled[SlotOf(at)]) = (ringBefore[before], filledBefore[before]);
        }
    }

    // Late packets ask for more delay at once; spare headroom has to last a whole window before delay is given back.
    // The delay is measured, not added up: a sender whose clock is slow eats headroom, and that is no delay any more.
    private void Watch(long headroom)
    {
        if (headroom < 0 && grow == 0 && delay < MaxDelay)
        {
            grow = (int)Math.Min(MaxDelay - delay, (-headroom + FrameSamples - 1) / FrameSamples * FrameSamples);
        }
        windowLeast = Math.Min(windowLeast, headroom);
        windowMost = Math.Max(windowMost, headroom);
        delay = (int)Math.Clamp(headroom, delay, MaxDelay);
        if (++windowCount < WindowPackets) return;
        delay = (int)Math.Clamp(windowMost, MinDelay, MaxDelay);
        mayShrink = windowLeast >= SpareToShrink + FrameSamples / 2;
        BeginWindow();
    }

    private void BeginWindow() => (windowCount, windowLeast, windowMost) = (0, long.MaxValue, long.MinValue);

    private FrameSource Stretch(Span<short> frame)
    {
        grow -= FrameSamples;
        delay = Math.Min(MaxDelay, delay + FrameSamples);
        for (var offset = 0; offset < FrameSamples; offset += LossConcealer.BlockSamples)
        {
            concealer.Conceal(frame.Slice(offset, LossConcealer.BlockSamples));
        }
        Concealed++;
        return FrameSource.Concealed;
    }

    // 20 ms are left out where nobody hears it.
    private void Shrink()
    {
        for (var i = 0; i < FrameSamples; i++)
        {
            var slot = SlotOf(playAt + i);
            if (filled[slot] && Math.Abs((int)ring[slot]) > QuietLevel) return;
        }
        Discard(FrameSamples);
        delay = Math.Max(MinDelay, delay - FrameSamples);
        mayShrink = false;
        BeginWindow();
    }

    private void Discard(int samples)
    {
        var (slot, head) = (SlotOf(playAt), Math.Min(samples, ring.Length - SlotOf(playAt)));
        filled.AsSpan(slot, head).Clear();
        filled.AsSpan(0, samples - head).Clear();
        playAt += samples;
    }

    private int SlotOf(long at) => (int)(at & (ring.Length - 1));

    private bool TakeBlock(Span<short> block)
    {
        var (slot, head) = (SlotOf(playAt), Math.Min(block.Length, ring.Length - SlotOf(playAt)));
        var complete = !filled.AsSpan(slot, head).Contains(false) && !filled.AsSpan(0, block.Length - head).Contains(false);
        ring.AsSpan(slot, head).CopyTo(block);
        ring.AsSpan(0, block.Length - head).CopyTo(block[head..]);
        Discard(block.Length);
        if (complete) concealer.Accept(block, nothingFollows: !filled[SlotOf(playAt)]);
        else concealer.Conceal(block);
        return complete;
    }

    private FrameSource Judge(int heardBlocks)
    {
        if (heardBlocks == FrameSamples / LossConcealer.BlockSamples)
        {
            emptyFrames = 0;
            leadIn = false;
            return FrameSource.Heard;
        }
        if (++emptyFrames >= EmptyFramesToStop) running = false;
        if (leadIn) return FrameSource.Nothing;
        if (playAt <= newest) Concealed++; // a hole inside the stream; behind its end nobody knows yet
        return FrameSource.Concealed;
    }
}
