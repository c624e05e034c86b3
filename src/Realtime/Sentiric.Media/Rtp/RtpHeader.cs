using System.Buffers.Binary;

namespace Sentiric.Media;

/// <summary>
/// The fixed RTP header and where the payload lies (RFC 3550 5.1). Anything that does not add up is refused, never guessed.
/// <code>
///  0               1               2               3
///  |V=2|P|X|  CC   |M|     PT      |       sequence number         |
///  |                           timestamp                           |
///  |           synchronization source (SSRC) identifier            |
/// </code>
/// </summary>
public readonly record struct RtpHeader(
    bool Marker, int PayloadType, ushort Sequence, uint Timestamp, uint Ssrc, int PayloadOffset, int PayloadLength)
{
    public const int Size = 12;

    /// <summary>RFC 5761 4: second bytes 192-223 are RTCP; no RTP payload type that we negotiate lies there.</summary>
    public static bool LooksLikeRtcp(ReadOnlySpan<byte> datagram) =>
        datagram.Length >= 2 && datagram[0] >> 6 == 2 && datagram[1] is >= 192 and <= 223;

    /// <summary>False for short, foreign or inconsistent datagrams.</summary>
    public static bool TryRead(ReadOnlySpan<byte> datagram, out RtpHeader header)
    {
        header = default;
        if (datagram.Length < Size || datagram[0] >> 6 != 2) return false;
        var offset = Size + 4 * (datagram[0] & 0x0F);
        if ((datagram[0] & 0x10) != 0 && !SkipExtension(datagram, ref offset)) return false;
        var end = datagram.Length;
        if ((datagram[0] & 0x20) != 0 && !TakePadding(datagram, ref end)) return false;
        if (offset > end) return false;
        header = new RtpHeader(
            (datagram[1] & 0x80) != 0,
            datagram[1] & 0x7F,
            BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]),
            BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]),
            BinaryPrimitives.ReadUInt32BigEndian(datagram[8..]),
            offset,
            end - offset);
        return true;
    }

    /// <summary>What an encrypted packet shows of itself: everything up to the payload. Padding lies inside the encrypted part.</summary>
    public static bool TryReadSealed(ReadOnlySpan<byte> datagram, out ushort sequence, out uint ssrc, out int headerBytes)
    {
        (sequence, ssrc, headerBytes) = (0, 0, Size);
        if (datagram.Length < Size || datagram[0] >> 6 != 2) return false;
        headerBytes += 4 * (datagram[0] & 0x0F);
        if ((datagram[0] & 0x10) != 0 && !SkipExtension(datagram, ref headerBytes)) return false;
        sequence = BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]);
        ssrc = BinaryPrimitives.ReadUInt32BigEndian(datagram[8..]);
        return headerBytes <= datagram.Length;
    }

    /// <summary>Writes the 12 byte header; the payload follows it.</summary>
    public static void Write(Span<byte> target, bool marker, int payloadType, ushort sequence, uint timestamp, uint ssrc)
    {
        target[0] = 0x80;
        target[1] = (byte)((marker ? 0x80 : 0) | payloadType);
        BinaryPrimitives.WriteUInt16BigEndian(target[2..], sequence);
        BinaryPrimitives.WriteUInt32BigEndian(target[4..], timestamp);
        BinaryPrimitives.WriteUInt32BigEndian(target[8..], ssrc);
    }

    // RFC 3550 5.3.1: 16 bits for the profile, 16 bits length in words.
    private static bool SkipExtension(ReadOnlySpan<byte> datagram, ref int offset)
    {
        if (offset + 4 > datagram.Length) return false;
        offset += 4 + 4 * BinaryPrimitives.ReadUInt16BigEndian(datagram[(offset + 2)..]);
        return offset <= datagram.Length;
    }

    // The last byte says how many bytes of padding there are, itself included; zero is a lie.
    private static bool TakePadding(ReadOnlySpan<byte> datagram, ref int end)
    {
        var padding = datagram[^1];
        end -= padding;
        return padding > 0 && end >= Size;
    }
}
