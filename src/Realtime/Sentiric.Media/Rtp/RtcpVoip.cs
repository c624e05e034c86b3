using System.Buffers.Binary;

namespace Sentiric.Media;

/// <summary>
/// The VoIP metrics block of an extended report (RFC 3611 4.7): how the sender of the report hears <see cref="Ssrc"/>.
/// Shares are 1/256, times milliseconds, opinion scores tenths; 127 says "not known".
/// </summary>
public readonly record struct RtcpVoip(
    uint Ssrc, byte LossRate, byte DiscardRate, byte BurstDensity, byte GapDensity, ushort BurstMs, ushort GapMs, ushort RoundTripMs, ushort EndSystemMs,
    byte RFactor, byte MosListening, byte MosConversational, ushort JitterNominalMs, ushort JitterMaximumMs, ushort JitterLimitMs)
{
    public const byte PacketType = 207;

    /// <summary>Header, SSRC of the reporter, and the block.</summary>
    public const int Size = 8 + BlockSize;
    private const int BlockSize = 36;
    private const byte BlockType = 7;
    private const byte NotKnown = 127;

    /// <summary>Standard concealment, adaptive jitter buffer, rate unknown (4.7.6).</summary>
    private const byte ReceiverConfiguration = 0b11_11_0000;

    public void Write(Span<byte> target, uint reporter)
    {
        target[..Size].Clear();
        target[0] = 0x80;
        target[1] = PacketType;
        BinaryPrimitives.WriteUInt16BigEndian(target[2..], Size / 4 - 1);
        BinaryPrimitives.WriteUInt32BigEndian(target[4..], reporter);
        WriteBlock(target[8..]);
    }

    /// <summary>The block about this SSRC in an extended report; null when there is none. Blocks are walked with bounds.</summary>
    public static RtcpVoip? Find(ReadOnlySpan<byte> packet, uint about)
    {
        for (var at = 8; at + 4 <= packet.Length;)
        {
            var block = packet[at..];
            var length = 4 + 4 * BinaryPrimitives.ReadUInt16BigEndian(block[2..]);
            if (length > block.Length) return null;
            if (block[0] == BlockType && length == BlockSize && BinaryPrimitives.ReadUInt32BigEndian(block[4..]) == about) return Read(block);
            at += length;
        }
        return null;
    }

    private void WriteBlock(Span<byte> block)
    {
        block[0] = BlockType;
        BinaryPrimitives.WriteUInt16BigEndian(block[2..], BlockSize / 4 - 1);
        BinaryPrimitives.WriteUInt32BigEndian(block[4..], Ssrc);
        (block[8], block[9], block[10], block[11]) = (LossRate, DiscardRate, BurstDensity, GapDensity);
        BinaryPrimitives.WriteUInt16BigEndian(block[12..], BurstMs);
        BinaryPrimitives.WriteUInt16BigEndian(block[14..], GapMs);
        BinaryPrimitives.WriteUInt16BigEndian(block[16..], RoundTripMs);
        BinaryPrimitives.WriteUInt16BigEndian(block[18..], EndSystemMs);
        (block[20], block[21], block[22], block[23]) = (NotKnown, NotKnown, NotKnown, BurstGap.Gmin); // levels and echo are not measured
        (block[24], block[25], block[26], block[27]) = (RFactor, NotKnown, MosListening, MosConversational);
        block[28] = ReceiverConfiguration;
        BinaryPrimitives.WriteUInt16BigEndian(block[30..], JitterNominalMs);
        BinaryPrimitives.WriteUInt16BigEndian(block[32..], JitterMaximumMs);
        BinaryPrimitives.WriteUInt16BigEndian(block[34..], JitterLimitMs);
    }

    private static RtcpVoip Read(ReadOnlySpan<byte> block) => new(
        BinaryPrimitives.ReadUInt32BigEndian(block[4..]), block[8], block[9], block[10], block[11],
        BinaryPrimitives.ReadUInt16BigEndian(block[12..]), BinaryPrimitives.ReadUInt16BigEndian(block[14..]),
        BinaryPrimitives.ReadUInt16BigEndian(block[16..]), BinaryPrimitives.ReadUInt16BigEndian(block[18..]), block[24], block[26], block[27],
        BinaryPrimitives.ReadUInt16BigEndian(block[30..]), BinaryPrimitives.ReadUInt16BigEndian(block[32..]), BinaryPrimitives.ReadUInt16BigEndian(block[34..]));
}
