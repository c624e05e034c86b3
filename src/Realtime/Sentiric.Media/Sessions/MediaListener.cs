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
    private short[] slab = [];
    private int slabAt;
    private long dropped;

    internal MediaListener(int boundFrames, Action<MediaListener> onDispose)
    {
        this.onDispose = onDispose;
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
        if (slabAt + frame.Pcm.Length > slab.Length) (slab, slabAt) = (new short[SlabFrames * MediaLeg.FrameSamples], 0);
        var copy = slab.AsMemory(slabAt, frame.Pcm.Length);
        frame.Pcm.CopyTo(copy);
        slabAt += frame.Pcm.Length;
        frames.Writer.TryWrite(frame with { Pcm = copy });
    }

    internal void Complete() => frames.Writer.TryComplete();
}
