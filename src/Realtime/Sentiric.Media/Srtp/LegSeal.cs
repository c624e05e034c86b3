namespace Sentiric.Media;

/// <summary>
/// The SRTP of one leg, both ways, with the buffers it needs. Made anew when a key changes; an offer that repeats its key changes
/// nothing, so neither rollover counters nor replay windows start again. Not thread-safe: the leg owns it.
/// </summary>
internal sealed class LegSeal : IDisposable
{
    private const int MaxPacket = 2_048;

    private readonly byte[] opened = new byte[MaxPacket], sealedPacket = new byte[MaxPacket];
    private SrtpSender sender;
    private SrtpReceiver receiver;

    public LegSeal(SrtpPair keys) => (sender, receiver) = (new SrtpSender(keys.Ours), new SrtpReceiver(keys.Theirs));

    /// <summary>Packets that were not sealed by the remote party, and ones that came a second time.</summary>
    public long Forged { get; private set; }
    public long Replayed { get; private set; }

    /// <summary>After another offer and answer.</summary>
    public void Use(SrtpPair keys)
    {
        if (!sender.Key.Equals(keys.Ours))
        {
            sender.Dispose();
            sender = new SrtpSender(keys.Ours);
        }
        if (receiver.Key.Equals(keys.Theirs)) return;
        receiver.Dispose();
        receiver = new SrtpReceiver(keys.Theirs);
    }

    /// <summary>Empty when the packet goes no further. The content is valid until the next call.</summary>
    public ReadOnlySpan<byte> Open(ReadOnlySpan<byte> packet, bool isRtcp, out SrtpVerdict verdict)
    {
        var length = 0;
        verdict = packet.Length > MaxPacket ? SrtpVerdict.Malformed
            : isRtcp ? receiver.OpenRtcp(packet, opened, out length) : receiver.Open(packet, opened, out length);
        if (verdict == SrtpVerdict.Forged) Forged++;
        if (verdict == SrtpVerdict.Replayed) Replayed++;
        return verdict == SrtpVerdict.Open ? opened.AsSpan(0, length) : [];
    }

    /// <summary>The content is valid until the next call.</summary>
    public ReadOnlySpan<byte> Seal(ReadOnlySpan<byte> rtp, int headerBytes) => sealedPacket.AsSpan(0, sender.Seal(rtp, headerBytes, sealedPacket));

    /// <summary>Empty when the key is used up.</summary>
    public ReadOnlySpan<byte> SealRtcp(ReadOnlySpan<byte> rtcp) => sealedPacket.AsSpan(0, sender.SealRtcp(rtcp, sealedPacket));

    public void Dispose()
    {
        sender.Dispose();
        receiver.Dispose();
    }
}
