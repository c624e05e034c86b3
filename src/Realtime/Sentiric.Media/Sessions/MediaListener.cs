using System.Threading.Channels;

namespace Sentiric.Media;

/// <summary>
/// The remote party's audio as a bounded queue: a reader that falls behind loses the oldest frames, counted, and never slows the call.
/// Completed when the session closes or the listener is disposed.
/// </summary>
public sealed class MediaListener : IDisposable
{
    private const int SlabFrames = 50;

    private readonly Channel<MediaFrame> frames;
    private readonly Action<MediaListener> onDispose;
    private readonly ReadOnlyMemory<short>? ownVoice;
    private short[] slab = [];
    private int slabAt;
    private long dropped;

    /// <param name="ownVoice">Given: both sides are heard, less these samples. Written by the media thread before each tick is heard.</param>
    internal MediaListener(int boundFrames, Action<MediaListener> onDispose, ReadOnlyMemory<short>? ownVoice = null)
    {
        (this.onDispose, this.ownVoice) = (onDispose, ownVoice);
        var options = new BoundedChannelOptions(boundFrames) { FullMode = BoundedChannelFullMode.DropOldest, SingleWriter = true };
        frames = Channel.CreateBounded<MediaFrame>(options, _ => Interlocked.Increment(ref dropped));
    }

    public ChannelReader<MediaFrame> Frames => frames.Reader;
    public long Dropped => Interlocked.Read(ref dropped);

    public void Dispose()
    {
        onDispose(this);
        Complete();
    }

    // Frames outlive the tick, so they are copied; a second's worth shares one array.
    internal void Hear(MediaFrame frame)
    {
        var length = ownVoice is null ? frame.Pcm.Length : 2 * frame.Pcm.Length;
        if (slabAt + length > slab.Length) (slab, slabAt) = (new short[SlabFrames * length], 0);
        var copy = slab.AsMemory(slabAt, length);
        if (ownVoice is { } own) Interleave(frame.Pcm.Span, frame.Sent.Span, own.Span, copy.Span);
        else frame.Pcm.CopyTo(copy);
        slabAt += length;
        frames.Writer.TryWrite(frame with { Pcm = copy, Sent = default });
    }

    private static void Interleave(ReadOnlySpan<short> heard, ReadOnlySpan<short> sent, ReadOnlySpan<short> own, Span<short> both)
    {
        for (var i = 0; i < heard.Length; i++)
        {
            both[2 * i] = heard[i];
            both[2 * i + 1] = own.IsEmpty ? sent[i] : (short)Math.Clamp(sent[i] - own[i], short.MinValue, short.MaxValue);
        }
    }

    internal void Complete() => frames.Writer.TryComplete();
}
