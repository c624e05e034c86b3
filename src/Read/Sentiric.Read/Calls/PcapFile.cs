using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Sentiric.Read.Calls;

/// <summary>
/// Messages as a capture that Wireshark, tshark and tcpdump open: classic pcap (draft-ietf-opsawg-pcap) with microseconds and LINKTYPE_RAW, every
/// message one UDP datagram in a made-up IPv4 or IPv6 packet, whatever carried it.
/// </summary>
internal static class PcapFile
{
    public const string ContentType = "application/vnd.tcpdump.pcap";
    private const uint Magic = 0xA1B2C3D4;
    private const ushort Major = 2, Minor = 4;
    private const uint SnapLength = 262_144;

    /// <summary>The packet begins with its IP header; the version tells which.</summary>
    private const uint LinkTypeRaw = 101;

    private const int FileHeader = 24, RecordHeader = 16, Ip4Header = 20, Ip6Header = 40, UdpHeader = 8;
    private const byte Udp = 17, HopLimit = 64;

    /// <summary>One message. Addresses are of one family; a v6-mapped IPv4 address counts as IPv4.</summary>
    /// <param name="Payload">What was kept of it.</param>
    /// <param name="WireLength">How long it was; more than the payload when it was cut.</param>
    public sealed record Datagram(DateTimeOffset At, IPEndPoint From, IPEndPoint To, byte[] Payload, int WireLength);

    public static byte[] Of(IReadOnlyList<Datagram> datagrams)
    {
        var file = new byte[FileHeader + datagrams.Sum(d => RecordHeader + IpHeaderOf(d) + UdpHeader + d.Payload.Length)];
        BinaryPrimitives.WriteUInt32LittleEndian(file, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(4), Major);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(6), Minor);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(16), SnapLength);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(20), LinkTypeRaw);
        var rest = file.AsSpan(FileHeader);
        for (var n = 0; n < datagrams.Count; n++)
        {
            rest = rest[Write(rest, datagrams[n], (ushort)(n + 1))..];
        }

        return file;
    }

    private static int Write(Span<byte> record, Datagram datagram, ushort number)
    {
        var header = IpHeaderOf(datagram);
        var kept = header + UdpHeader + datagram.Payload.Length;
        // The length fields of IP and UDP have 16 bits; over TCP a message may be longer.
        var udpLength = Math.Min(UdpHeader + Math.Max(datagram.WireLength, datagram.Payload.Length), ushort.MaxValue - (header == Ip4Header ? Ip4Header : 0));
        var microseconds = (datagram.At - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        BinaryPrimitives.WriteUInt32LittleEndian(record, (uint)(microseconds / 1_000_000));
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], (uint)(microseconds % 1_000_000));
        BinaryPrimitives.WriteUInt32LittleEndian(record[8..], (uint)kept);
        BinaryPrimitives.WriteUInt32LittleEndian(record[12..], (uint)(header + udpLength));
        var packet = record.Slice(RecordHeader, kept);
        if (header == Ip4Header)
        {
            WriteIp4(packet, datagram, (ushort)(Ip4Header + udpLength), number);
        }
        else
        {
            WriteIp6(packet, datagram, (ushort)udpLength);
        }

        WriteUdp(packet, header, datagram, (ushort)udpLength);
        return RecordHeader + kept;
    }

    /// <summary>RFC 791 3.1.</summary>
    private static void WriteIp4(Span<byte> packet, Datagram datagram, ushort length, ushort number)
    {
        packet[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], length);
        BinaryPrimitives.WriteUInt16BigEndian(packet[4..], number);
        packet[8] = HopLimit;
        packet[9] = Udp;
        Address(datagram.From).CopyTo(packet[12..]);
        Address(datagram.To).CopyTo(packet[16..]);
        BinaryPrimitives.WriteUInt16BigEndian(packet[10..], Fold(Sum(packet[..Ip4Header])));
    }

    /// <summary>RFC 8200 3.</summary>
    private static void WriteIp6(Span<byte> packet, Datagram datagram, ushort length)
    {
        packet[0] = 0x60;
        BinaryPrimitives.WriteUInt16BigEndian(packet[4..], length);
        packet[6] = Udp;
        packet[7] = HopLimit;
        Address(datagram.From).CopyTo(packet[8..]);
        Address(datagram.To).CopyTo(packet[24..]);
    }

    /// <summary>RFC 768; the checksum covers addresses, protocol and length too (RFC 8200 8.1). Of a cut message it takes the rest for zeros.</summary>
    private static void WriteUdp(Span<byte> packet, int header, Datagram datagram, ushort length)
    {
        var udp = packet[header..];
        BinaryPrimitives.WriteUInt16BigEndian(udp, (ushort)datagram.From.Port);
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], (ushort)datagram.To.Port);
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], length);
        datagram.Payload.CopyTo(udp[UdpHeader..]);
        var sum = Fold(Sum(Address(datagram.From)) + Sum(Address(datagram.To)) + Udp + length + Sum(udp));
        BinaryPrimitives.WriteUInt16BigEndian(udp[6..], sum == 0 ? ushort.MaxValue : sum);
    }

    /// <summary>Words in network order; an odd last byte is the high one (RFC 1071 1). 64 KB of them fit a long.</summary>
    private static long Sum(ReadOnlySpan<byte> bytes)
    {
        long sum = 0;
        for (; bytes.Length > 1; bytes = bytes[2..])
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes);
        }

        return bytes.IsEmpty ? sum : sum + (bytes[0] << 8);
    }

    private static ushort Fold(long sum)
    {
        while (sum >> 16 != 0)
        {
            sum = (sum & 0xFFFF) + (sum >> 16);
        }

        return (ushort)~sum;
    }

    private static int IpHeaderOf(Datagram datagram) => datagram.From.AddressFamily == AddressFamily.InterNetwork || datagram.From.Address.IsIPv4MappedToIPv6 ? Ip4Header : Ip6Header;

    private static byte[] Address(IPEndPoint end) => (end.Address.IsIPv4MappedToIPv6 ? end.Address.MapToIPv4() : end.Address).GetAddressBytes();
}
