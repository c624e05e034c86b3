using System.Buffers.Binary;

namespace Sentiric.Media;

/// <summary>One report block (RFC 3550 6.4.1): how the sender of the report hears <see cref="Ssrc"/>.</summary>
public readonly record struct RtcpReportBlock(
    uint Ssrc, byte FractionLost, int CumulativeLost, uint HighestSequence, uint Jitter, uint LastSenderReport, uint DelaySinceLast);

/// <summary>What a leg needs out of a compound RTCP packet.</summary>
public readonly record struct RtcpNews(
    uint SenderSsrc, bool HasSenderReport, uint NtpMiddle, bool HasBlock, RtcpReportBlock Block, bool Bye, RtcpVoip? Voip = null);

/// <summary>
/// Sender and receiver reports with SDES CNAME, VoIP metrics (RFC 3611) and BYE (RFC 3550 6). Compound packets are walked with bounds, never trusted.
/// </summary>
public static class Rtcp
{
    private const byte SenderReport = 200, ReceiverReport = 201, SourceDescription = 202, Goodbye = 203;
    private const int MaxPacketsInCompound = 16;
    private const int BlockSize = 24;

    /// <summary>The largest packet that <see cref="WriteReport"/> makes.</summary>
    public const int MaxReportSize = 28 + BlockSize + 8 + 2 + 32 + 4 + RtcpVoip.Size + 8;

    /// <summary>False when the packet is malformed; <paramref name="ourSsrc"/> picks the report block about us.</summary>
    public static bool TryRead(ReadOnlySpan<byte> compound, uint ourSsrc, out RtcpNews news)
    {
        news = default;
        for (var packets = 0; compound.Length > 0; packets++)
        {
            if (packets == MaxPacketsInCompound || compound.Length < 8 || compound[0] >> 6 != 2) return false;
            var length = 4 * (BinaryPrimitives.ReadUInt16BigEndian(compound[2..]) + 1);
            if (length < 8 || length > compound.Length) return false;
            if (!ReadOne(compound[..length], ourSsrc, ref news)) return false;
            compound = compound[length..];
        }
        return true;
    }

    /// <summary>Writes SR (or RR when nothing was sent), SDES CNAME, and BYE at the end of a call. Returns the length.</summary>
    public static int WriteReport(
        Span<byte> target, uint ssrc, ulong ntp, uint rtpTimestamp, uint packets, uint octets,
        RtcpReportBlock? block, ReadOnlySpan<byte> cname, bool bye, RtcpVoip? voip = null)
    {
        var length = packets > 0 ? WriteSenderInfo(target, ntp, rtpTimestamp, packets, octets) : 8;
        if (block is { } report) length += WriteBlock(target[length..], report);
        WriteHead(target, packets > 0 ? SenderReport : ReceiverReport, block is null ? 0 : 1, length, ssrc);
        length += WriteCname(target[length..], ssrc, cname);
        if (voip is { } metrics)
        {
            metrics.Write(target[length..], ssrc);
            length += RtcpVoip.Size;
        }
        if (!bye) return length;
        WriteHead(target[length..], Goodbye, 1, 8, ssrc);
        return length + 8;
    }

    /// <summary>64-bit NTP time (RFC 3550 4): seconds since 1900 and a binary fraction.</summary>
    public static ulong Ntp(DateTimeOffset time)
    {
        var ticks = (ulong)(time.UtcTicks - new DateTime(1900, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks);
        var seconds = ticks / TimeSpan.TicksPerSecond;
        return seconds << 32 | (ticks % TimeSpan.TicksPerSecond << 32) / TimeSpan.TicksPerSecond;
    }

    private static bool ReadOne(ReadOnlySpan<byte> packet, uint ourSsrc, ref RtcpNews news)
    {
        var count = packet[0] & 0x1F;
        var ssrc = BinaryPrimitives.ReadUInt32BigEndian(packet[4..]);
        switch (packet[1])
        {
            case SenderReport:
                if (packet.Length < 28 + BlockSize * count) return false;
                var ntpMiddle = BinaryPrimitives.ReadUInt32BigEndian(packet[10..]);
                news = news with { SenderSsrc = ssrc, HasSenderReport = true, NtpMiddle = ntpMiddle };
                ReadBlocks(packet[28..], count, ourSsrc, ref news);
                return true;
            case ReceiverReport:
                if (packet.Length < 8 + BlockSize * count) return false;
                news = news with { SenderSsrc = ssrc };
                ReadBlocks(packet[8..], count, ourSsrc, ref news);
                return true;
            case Goodbye:
                news = news with { SenderSsrc = ssrc, Bye = true };
                return true;
            case RtcpVoip.PacketType:
                news = news with { SenderSsrc = ssrc, Voip = RtcpVoip.Find(packet, ourSsrc) ?? news.Voip };
                return true;
            default:
                return true; // SDES and APP hold nothing that we act on (RFC 3550 6.1: ignore unknown types)
        }
    }

    private static void ReadBlocks(ReadOnlySpan<byte> blocks, int count, uint ourSsrc, ref RtcpNews news)
    {
        for (var i = 0; i < count; i++)
        {
            var block = blocks.Slice(i * BlockSize, BlockSize);
            if (BinaryPrimitives.ReadUInt32BigEndian(block) != ourSsrc) continue;
            var lost = BinaryPrimitives.ReadInt32BigEndian(block[4..]);
            news = news with
            {
                HasBlock = true,
                Block = new RtcpReportBlock(
                    ourSsrc, (byte)(lost >>> 24), lost << 8 >> 8,
                    BinaryPrimitives.ReadUInt32BigEndian(block[8..]), BinaryPrimitives.ReadUInt32BigEndian(block[12..]),
                    BinaryPrimitives.ReadUInt32BigEndian(block[16..]), BinaryPrimitives.ReadUInt32BigEndian(block[20..])),
            };
        }
    }

    private static int WriteSenderInfo(Span<byte> target, ulong ntp, uint rtpTimestamp, uint packets, uint octets)
    {
        BinaryPrimitives.WriteUInt64BigEndian(target[8..], ntp);
        BinaryPrimitives.WriteUInt32BigEndian(target[16..], rtpTimestamp);
        BinaryPrimitives.WriteUInt32BigEndian(target[20..], packets);
        BinaryPrimitives.WriteUInt32BigEndian(target[24..], octets);
        return 28;
    }

    private static int WriteBlock(Span<byte> target, RtcpReportBlock block)
    {
        BinaryPrimitives.WriteUInt32BigEndian(target, block.Ssrc);
        var lost = Math.Clamp(block.CumulativeLost, -0x800000, 0x7FFFFF) & 0xFFFFFF; // a signed number of 24 bits
        BinaryPrimitives.WriteInt32BigEndian(target[4..], block.FractionLost << 24 | lost);
        BinaryPrimitives.WriteUInt32BigEndian(target[8..], block.HighestSequence);
        BinaryPrimitives.WriteUInt32BigEndian(target[12..], block.Jitter);
        BinaryPrimitives.WriteUInt32BigEndian(target[16..], block.LastSenderReport);
        BinaryPrimitives.WriteUInt32BigEndian(target[20..], block.DelaySinceLast);
        return BlockSize;
    }

    private static int WriteCname(Span<byte> target, uint ssrc, ReadOnlySpan<byte> cname)
    {
        // One chunk: SSRC, item 1 (CNAME), its length, the text, then 1-4 zero bytes to the next word (RFC 3550 6.5).
        var length = (8 + 2 + cname.Length) / 4 * 4 + 4;
        target[..length].Clear();
        WriteHead(target, SourceDescription, 1, length, ssrc);
        target[8] = 1;
        target[9] = (byte)cname.Length;
        cname.CopyTo(target[10..]);
        return length;
    }

    private static void WriteHead(Span<byte> target, byte type, int count, int length, uint ssrc)
    {
        target[0] = (byte)(0x80 | count);
        target[1] = type;
        BinaryPrimitives.WriteUInt16BigEndian(target[2..], (ushort)(length / 4 - 1));
        BinaryPrimitives.WriteUInt32BigEndian(target[4..], ssrc);
    }
}
