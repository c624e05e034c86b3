using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Sentiric.Media;

/// <summary>
/// AES-128 in Galois/counter mode (RFC 7714): the header is authenticated, the payload encrypted as well.
/// <code>
///   RTP  | header | encrypted payload | tag of 16 bytes |
///   RTCP | 8 bytes | encrypted | tag of 16 bytes | E, 31-bit index |      the last word is authenticated, too
/// </code>
/// </summary>
internal sealed class AesGcmSrtp : SrtpCipher
{
    private const int TagBytes = 16, SaltBytes = 12, NonceBytes = 12;

    private readonly AesGcm rtp, rtcp;
    private readonly byte[] rtpSalt, rtcpSalt;

    public AesGcmSrtp(SrtpKey key)
        : this(
            SrtpKeyDerivation.Derive(key, SrtpKeyDerivation.RtpCipher, AesCounter.BlockBytes), SrtpKeyDerivation.Derive(key, SrtpKeyDerivation.RtpSalt, SaltBytes),
            SrtpKeyDerivation.Derive(key, SrtpKeyDerivation.RtcpCipher, AesCounter.BlockBytes), SrtpKeyDerivation.Derive(key, SrtpKeyDerivation.RtcpSalt, SaltBytes))
    {
    }

    /// <summary>With session keys as they are: the vectors of RFC 7714 16 begin there.</summary>
    internal AesGcmSrtp(byte[] rtpKey, byte[] rtpSalt, byte[] rtcpKey, byte[] rtcpSalt)
    {
        (rtp, rtcp) = (new AesGcm(rtpKey, TagBytes), new AesGcm(rtcpKey, TagBytes));
        (this.rtpSalt, this.rtcpSalt) = (rtpSalt, rtcpSalt);
    }

    public override int Seal(ReadOnlySpan<byte> packet, int headerBytes, uint rollovers, Span<byte> target)
    {
        Span<byte> nonce = stackalloc byte[NonceBytes];
        RtpNonce(nonce, packet, rollovers);
        packet[..headerBytes].CopyTo(target);
        rtp.Encrypt(nonce, packet[headerBytes..], target[headerBytes..packet.Length], target.Slice(packet.Length, TagBytes), packet[..headerBytes]);
        return packet.Length + TagBytes;
    }

    public override bool TryOpen(ReadOnlySpan<byte> packet, int headerBytes, uint rollovers, Span<byte> target, out int length)
    {
        length = packet.Length - TagBytes;
        if (length < headerBytes) return false;
        Span<byte> nonce = stackalloc byte[NonceBytes];
        RtpNonce(nonce, packet, rollovers);
        packet[..headerBytes].CopyTo(target);
        return TryDecrypt(rtp, nonce, packet[headerBytes..length], packet[length..], target[headerBytes..length], packet[..headerBytes]);
    }

    public override int SealRtcp(ReadOnlySpan<byte> packet, uint index, Span<byte> target)
    {
        Span<byte> nonce = stackalloc byte[NonceBytes];
        Span<byte> authenticated = stackalloc byte[RtcpHeaderBytes + RtcpIndexBytes];
        RtcpNonce(nonce, RtcpSsrcOf(packet), index);
        var tagAt = packet.Length;
        BinaryPrimitives.WriteUInt32BigEndian(target[(tagAt + TagBytes)..], EncryptedFlag | index);
        packet[..RtcpHeaderBytes].CopyTo(target);
        packet[..RtcpHeaderBytes].CopyTo(authenticated);
        target.Slice(tagAt + TagBytes, RtcpIndexBytes).CopyTo(authenticated[RtcpHeaderBytes..]);
        rtcp.Encrypt(nonce, packet[RtcpHeaderBytes..], target[RtcpHeaderBytes..tagAt], target.Slice(tagAt, TagBytes), authenticated);
        return tagAt + TagBytes + RtcpIndexBytes;
    }

    /// <summary>RTCP that is only authenticated (E flag 0, RFC 7714 9.3) is not spoken by anybody we know and refused.</summary>
    public override bool TryOpenRtcp(ReadOnlySpan<byte> packet, Span<byte> target, out int length, out uint index)
    {
        (length, index) = (packet.Length - TagBytes - RtcpIndexBytes, 0);
        if (length < RtcpHeaderBytes) return false;
        var word = BinaryPrimitives.ReadUInt32BigEndian(packet[^RtcpIndexBytes..]);
        if ((word & EncryptedFlag) == 0) return false;
        index = word & ~EncryptedFlag;
        Span<byte> nonce = stackalloc byte[NonceBytes];
        Span<byte> authenticated = stackalloc byte[RtcpHeaderBytes + RtcpIndexBytes];
        RtcpNonce(nonce, RtcpSsrcOf(packet), index);
        packet[..RtcpHeaderBytes].CopyTo(target);
        packet[..RtcpHeaderBytes].CopyTo(authenticated);
        packet[^RtcpIndexBytes..].CopyTo(authenticated[RtcpHeaderBytes..]);
        return TryDecrypt(rtcp, nonce, packet[RtcpHeaderBytes..length], packet.Slice(length, TagBytes), target[RtcpHeaderBytes..length], authenticated);
    }

    public override void Dispose()
    {
        rtp.Dispose();
        rtcp.Dispose();
    }

    // The framework says "not authentic" with an exception: a flood of forged packets costs 20 us each, which the loop's turn bounds.
    private static bool TryDecrypt(AesGcm cipher, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> input, ReadOnlySpan<byte> tag, Span<byte> target, ReadOnlySpan<byte> authenticated)
    {
        try
        {
            cipher.Decrypt(nonce, input, tag, target, authenticated);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false; // counted by the leg
        }
    }

    // RFC 7714 8.1: 00 00 SSRC ROC SEQ, XOR salt
    private void RtpNonce(Span<byte> nonce, ReadOnlySpan<byte> packet, uint rollovers)
    {
        nonce.Clear();
        BinaryPrimitives.WriteUInt32BigEndian(nonce[2..], SsrcOf(packet));
        BinaryPrimitives.WriteUInt32BigEndian(nonce[6..], rollovers);
        BinaryPrimitives.WriteUInt16BigEndian(nonce[10..], SequenceOf(packet));
        for (var i = 0; i < NonceBytes; i++) nonce[i] ^= rtpSalt[i];
    }

    // RFC 7714 9.1: 00 00 SSRC 00 00 index, XOR salt
    private void RtcpNonce(Span<byte> nonce, uint ssrc, uint index)
    {
        nonce.Clear();
        BinaryPrimitives.WriteUInt32BigEndian(nonce[2..], ssrc);
        BinaryPrimitives.WriteUInt32BigEndian(nonce[8..], index);
        for (var i = 0; i < NonceBytes; i++) nonce[i] ^= rtcpSalt[i];
    }
}
