using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Sentiric.Sip;

/// <summary>
/// One traced message as a HEPv3 packet: "HEP3", the total length, then chunks of vendor, type, length and value, all numbers in network order
/// (Homer Encapsulation Protocol v3, github.com/sipcapture/HEP, generic chunk types).
/// </summary>
public static class HepPacket
{
    /// <summary>What one UDP datagram over IPv4 carries.</summary>
    public const int MaxBytes = 65_507;

    private const int Header = 6, ChunkHeader = 6;
    private const byte Ip4 = 2, Ip6 = 10, Tcp = 6, Udp = 17, Sip = 1;

    private enum Chunk : ushort
    {
        IpFamily = 1,
        IpProtocol = 2,
        Ip4Source = 3,
        Ip4Destination = 4,
        Ip6Source = 5,
        Ip6Destination = 6,
        SourcePort = 7,
        DestinationPort = 8,
        Seconds = 9,
        Microseconds = 10,
        ProtocolType = 11,
        CaptureId = 12,
        AuthenticationKey = 14,
        Payload = 15,
        CorrelationId = 17,
    }

    /// <summary>How many bytes of <paramref name="packet"/> were written; 0 when the message does not fit.</summary>
    /// <param name="callId">Correlation id; null: the packet has none.</param>
    public static int Write(Span<byte> packet, SipTrace trace, string? callId, uint captureId, string? password)
    {
        var (local, remote) = OneFamily(trace.Local.Address, trace.Remote.Address);
        bool received = trace.Direction == SipTraceDirection.Received;
        (IPAddress from, IPAddress to) = received ? (remote, local) : (local, remote);
        (int fromPort, int toPort) = received ? (trace.Remote.Port, trace.Local.Port) : (trace.Local.Port, trace.Remote.Port);
        bool four = from.AddressFamily == AddressFamily.InterNetwork;
        long microseconds = (trace.At - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        var writer = new Writer(packet);
        writer.Byte(Chunk.IpFamily, four ? Ip4 : Ip6);
        writer.Byte(Chunk.IpProtocol, trace.Transport == SipTransportKind.Udp ? Udp : Tcp);
        writer.Bytes(four ? Chunk.Ip4Source : Chunk.Ip6Source, from.GetAddressBytes());
        writer.Bytes(four ? Chunk.Ip4Destination : Chunk.Ip6Destination, to.GetAddressBytes());
        writer.Short(Chunk.SourcePort, (ushort)fromPort);
        writer.Short(Chunk.DestinationPort, (ushort)toPort);
        writer.Long(Chunk.Seconds, (uint)(microseconds / 1_000_000));
        writer.Long(Chunk.Microseconds, (uint)(microseconds % 1_000_000));
        writer.Byte(Chunk.ProtocolType, Sip);
        writer.Long(Chunk.CaptureId, captureId);
        if (password is not null)
        {
            writer.Bytes(Chunk.AuthenticationKey, Encoding.UTF8.GetBytes(password));
        }

        if (callId is not null)
        {
            writer.Bytes(Chunk.CorrelationId, Encoding.Latin1.GetBytes(callId));
        }

        writer.Bytes(Chunk.Payload, trace.Message.Span);
        return writer.End();
    }

    /// <summary>A socket on [::] hears IPv4 too; the packet has one family for both ends.</summary>
    private static (IPAddress Local, IPAddress Remote) OneFamily(IPAddress local, IPAddress remote)
    {
        remote = remote.IsIPv4MappedToIPv6 ? remote.MapToIPv4() : remote;
        local = local.IsIPv4MappedToIPv6 ? local.MapToIPv4() : local;
        return (local.AddressFamily == remote.AddressFamily ? local : remote.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, remote);
    }

    private ref struct Writer(Span<byte> packet)
    {
        private readonly Span<byte> packet = packet;
        private int length = Header;
        private bool full = packet.Length < Header;

        public void Byte(Chunk type, byte value) => Bytes(type, [value]);

        public void Short(Chunk type, ushort value)
        {
            Span<byte> bytes = stackalloc byte[sizeof(ushort)];
            BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
            Bytes(type, bytes);
        }

        public void Long(Chunk type, uint value)
        {
            Span<byte> bytes = stackalloc byte[sizeof(uint)];
            BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
            Bytes(type, bytes);
        }

        public void Bytes(Chunk type, scoped ReadOnlySpan<byte> value)
        {
            int chunk = ChunkHeader + value.Length;
            full |= length + chunk > Math.Min(packet.Length, MaxBytes);
            if (full)
            {
                return;
            }

            Span<byte> place = packet.Slice(length, chunk);
            BinaryPrimitives.WriteUInt16BigEndian(place, 0);
            BinaryPrimitives.WriteUInt16BigEndian(place[2..], (ushort)type);
            BinaryPrimitives.WriteUInt16BigEndian(place[4..], (ushort)chunk);
            value.CopyTo(place[ChunkHeader..]);
            length += chunk;
        }

        public readonly int End()
        {
            if (full)
            {
                return 0;
            }

            "HEP3"u8.CopyTo(packet);
            BinaryPrimitives.WriteUInt16BigEndian(packet[4..], (ushort)length);
            return length;
        }
    }
}
