using System.Buffers.Binary;

namespace Sentiric.Media;

/// <summary>
/// One suite under one master key: seals and opens single packets whose index is known. What the index is, and whether a packet
/// may be repeated, is the business of <see cref="SrtpSender"/> and <see cref="SrtpReceiver"/>. Not thread-safe.
/// </summary>
internal abstract class SrtpCipher : IDisposable
{
    /// <summary>The most that a packet grows by: tag, and E flag with index for RTCP.</summary>
    public const int MaxGrowth = 16 + 4;
    protected const int RtcpHeaderBytes = 8; // never encrypted (RFC 3711 3.4)
    protected const int RtcpIndexBytes = 4;
    protected const uint EncryptedFlag = 0x8000_0000;

    public static SrtpCipher For(SrtpKey key) => key.Suite switch
    {
        SrtpSuite.AeadAes128Gcm => new AesGcmSrtp(key),
        SrtpSuite.AesCm128HmacSha1Tag80 => new AesCmSrtp(key, rtpTagBytes: 10),
        SrtpSuite.AesCm128HmacSha1Tag32 => new AesCmSrtp(key, rtpTagBytes: 4),
    };

    /// <param name="rollovers">ROC: the upper 32 bits of the packet's index.</param>
    /// <returns>The length of the sealed packet.</returns>
    public abstract int Seal(ReadOnlySpan<byte> rtp, int headerBytes, uint rollovers, Span<byte> target);

    /// <summary>False when the packet is not of the owner of the key. The target may then hold rubbish.</summary>
    public abstract bool TryOpen(ReadOnlySpan<byte> packet, int headerBytes, uint rollovers, Span<byte> target, out int length);

    public abstract int SealRtcp(ReadOnlySpan<byte> rtcp, uint index, Span<byte> target);

    /// <summary>The index stands in the packet: whoever calls checks it against replay.</summary>
    public abstract bool TryOpenRtcp(ReadOnlySpan<byte> packet, Span<byte> target, out int length, out uint index);

    public abstract void Dispose();

    protected static uint SsrcOf(ReadOnlySpan<byte> rtp) => BinaryPrimitives.ReadUInt32BigEndian(rtp[8..]);

    protected static ushort SequenceOf(ReadOnlySpan<byte> rtp) => BinaryPrimitives.ReadUInt16BigEndian(rtp[2..]);

    protected static uint RtcpSsrcOf(ReadOnlySpan<byte> rtcp) => BinaryPrimitives.ReadUInt32BigEndian(rtcp[4..]);
}
