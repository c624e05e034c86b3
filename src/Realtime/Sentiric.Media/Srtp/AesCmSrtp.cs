using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Sentiric.Media;

/// <summary>
/// AES in counter mode, authenticated with HMAC-SHA1 (RFC 3711 4.1.1, 4.2.1).
/// <code>
///   RTP  | header | encrypted payload | tag |                     tag over all before it and the ROC
///   RTCP | 8 bytes | encrypted | E, 31-bit index | tag of 80 bits |
/// </code>
/// </summary>
internal sealed class AesCmSrtp : SrtpCipher
{
    private const int AuthenticationKeyBytes = 20, SaltBytes = 14, RtcpTagBytes = 10, HashBytes = 20;

    private readonly AesCounter rtp, rtcp;
    private readonly IncrementalHash rtpHash, rtcpHash;
    private readonly byte[] rtpSalt, rtcpSalt;
    private readonly int rtpTagBytes;

    public AesCmSrtp(SrtpKey key, int rtpTagBytes)
    {
        this.rtpTagBytes = rtpTagBytes;
        rtp = new AesCounter(SrtpKeyDerivation.Derive(key, SrtpKeyDerivation.RtpCipher, AesCounter.BlockBytes));
        rtcp = new AesCounter(SrtpKeyDerivation.Derive(key, SrtpKeyDerivation.RtcpCipher, AesCounter.BlockBytes));
        rtpHash = Hash(SrtpKeyDerivation.Derive(key, SrtpKeyDerivation.RtpAuthentication, AuthenticationKeyBytes));
        rtcpHash = Hash(SrtpKeyDerivation.Derive(key, SrtpKeyDerivation.RtcpAuthentication, AuthenticationKeyBytes));
        rtpSalt = SrtpKeyDerivation.Derive(key, SrtpKeyDerivation.RtpSalt, SaltBytes);
        rtcpSalt = SrtpKeyDerivation.Derive(key, SrtpKeyDerivation.RtcpSalt, SaltBytes);
    }

    public override int Seal(ReadOnlySpan<byte> packet, int headerBytes, uint rollovers, Span<byte> target)
    {
        packet[..headerBytes].CopyTo(target);
        Crypt(packet, rollovers, packet[headerBytes..], target[headerBytes..]);
        Span<byte> hash = stackalloc byte[HashBytes];
        RtpTag(target[..packet.Length], rollovers, hash);
        hash[..rtpTagBytes].CopyTo(target[packet.Length..]);
        return packet.Length + rtpTagBytes;
    }

    public override bool TryOpen(ReadOnlySpan<byte> packet, int headerBytes, uint rollovers, Span<byte> target, out int length)
    {
        length = packet.Length - rtpTagBytes;
        if (length < headerBytes) return false;
        Span<byte> hash = stackalloc byte[HashBytes];
        RtpTag(packet[..length], rollovers, hash);
        if (!CryptographicOperations.FixedTimeEquals(hash[..rtpTagBytes], packet[length..])) return false;
        packet[..headerBytes].CopyTo(target);
        Crypt(packet, rollovers, packet[headerBytes..length], target[headerBytes..]);
        return true;
    }

    public override int SealRtcp(ReadOnlySpan<byte> packet, uint index, Span<byte> target)
    {
        packet[..RtcpHeaderBytes].CopyTo(target);
        CryptRtcp(RtcpSsrcOf(packet), index, packet[RtcpHeaderBytes..], target[RtcpHeaderBytes..]);
        BinaryPrimitives.WriteUInt32BigEndian(target[packet.Length..], EncryptedFlag | index);
        Span<byte> hash = stackalloc byte[HashBytes];
        RtcpTag(target[..(packet.Length + RtcpIndexBytes)], hash);
        hash[..RtcpTagBytes].CopyTo(target[(packet.Length + RtcpIndexBytes)..]);
        return packet.Length + RtcpIndexBytes + RtcpTagBytes;
    }

    public override bool TryOpenRtcp(ReadOnlySpan<byte> packet, Span<byte> target, out int length, out uint index)
    {
        (length, index) = (packet.Length - RtcpIndexBytes - RtcpTagBytes, 0);
        if (length < RtcpHeaderBytes) return false;
        Span<byte> hash = stackalloc byte[HashBytes];
        RtcpTag(packet[..^RtcpTagBytes], hash);
        if (!CryptographicOperations.FixedTimeEquals(hash[..RtcpTagBytes], packet[^RtcpTagBytes..])) return false;
        var word = BinaryPrimitives.ReadUInt32BigEndian(packet[length..]);
        index = word & ~EncryptedFlag;
        packet[..length].CopyTo(target);
        if ((word & EncryptedFlag) != 0) CryptRtcp(RtcpSsrcOf(packet), index, packet[RtcpHeaderBytes..length], target[RtcpHeaderBytes..]);
        return true;
    }

    public override void Dispose()
    {
        rtp.Dispose();
        rtcp.Dispose();
        rtpHash.Dispose();
        rtcpHash.Dispose();
    }

    // IV = (salt * 2^16) XOR (SSRC * 2^64) XOR (index * 2^16), index = ROC * 2^16 + SEQ
    private void Crypt(ReadOnlySpan<byte> packet, uint rollovers, ReadOnlySpan<byte> input, Span<byte> target)
    {
        var index = (ulong)rollovers << 16 | SequenceOf(packet);
        Span<byte> block = stackalloc byte[AesCounter.BlockBytes];
        FirstBlock(block, rtpSalt, SsrcOf(packet), index);
        rtp.Apply(block, input, target);
    }

    private void CryptRtcp(uint ssrc, uint index, ReadOnlySpan<byte> input, Span<byte> target)
    {
        Span<byte> block = stackalloc byte[AesCounter.BlockBytes];
        FirstBlock(block, rtcpSalt, ssrc, index);
        rtcp.Apply(block, input, target);
    }

    private static void FirstBlock(Span<byte> block, ReadOnlySpan<byte> salt, uint ssrc, ulong index)
    {
        block.Clear();
        salt.CopyTo(block);
        var high = BinaryPrimitives.ReadUInt64BigEndian(block) ^ ssrc;
        var low = BinaryPrimitives.ReadUInt64BigEndian(block[8..]) ^ index << 16;
        BinaryPrimitives.WriteUInt64BigEndian(block, high);
        BinaryPrimitives.WriteUInt64BigEndian(block[8..], low);
    }

    private void RtpTag(ReadOnlySpan<byte> authenticated, uint rollovers, Span<byte> hash)
    {
        Span<byte> roc = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(roc, rollovers);
        rtpHash.AppendData(authenticated);
        rtpHash.AppendData(roc);
        rtpHash.GetHashAndReset(hash);
    }

    private void RtcpTag(ReadOnlySpan<byte> authenticated, Span<byte> hash)
    {
        rtcpHash.AppendData(authenticated);
        rtcpHash.GetHashAndReset(hash);
    }

    private static IncrementalHash Hash(byte[] key) => IncrementalHash.CreateHMAC(HashAlgorithmName.SHA1, key);
}
