namespace Sentiric.Media;

/// <summary>Seals what one SSRC sends. Counts rollovers of the sequence number (RFC 3711 3.3.1) and RTCP packets. Not thread-safe.</summary>
public sealed class SrtpSender(SrtpKey key) : IDisposable
{
    /// <summary>RFC 3711 9.2: 2^31 RTCP packets under a key; at one in five seconds a matter of centuries, but never again.</summary>
    private const uint MaxRtcpIndex = 0x7FFF_FFFF;

    private readonly SrtpCipher cipher = SrtpCipher.For(key);
    private uint rollovers, rtcpIndex;
    private int lastSequence = -1;

    public SrtpKey Key { get; } = key;

    /// <summary>The target needs <see cref="MaxGrowth"/> more than the packet. Returns the sealed length.</summary>
    public int Seal(ReadOnlySpan<byte> rtp, int headerBytes, Span<byte> target)
    {
        var sequence = rtp[2] << 8 | rtp[3];
        if (lastSequence >= 0 && sequence < lastSequence) rollovers++; // we send in order
        lastSequence = sequence;
        return cipher.Seal(rtp, headerBytes, rollovers, target);
    }

    /// <summary>0 when the key is used up.</summary>
    public int SealRtcp(ReadOnlySpan<byte> rtcp, Span<byte> target) =>
        rtcpIndex == MaxRtcpIndex ? 0 : cipher.SealRtcp(rtcp, ++rtcpIndex, target);

    public static int MaxGrowth => SrtpCipher.MaxGrowth;

    public void Dispose() => cipher.Dispose();
}
