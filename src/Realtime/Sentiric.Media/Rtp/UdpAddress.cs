using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Sentiric.Media;

/// <summary>An IPv4 address and port as a value: compares without allocating on the audio path.</summary>
public readonly record struct UdpAddress(uint Address, ushort Port)
{
    /// <summary>Whether a datagram can be sent here; 0.0.0.0 is RFC 2543's way to say hold.</summary>
    public bool IsReachable => Address != 0 && Port != 0;

    /// <summary>Throws for IPv6: the negotiator refuses it before it comes here.</summary>
    public static UdpAddress From(IPEndPoint endPoint)
    {
        if (endPoint.AddressFamily != AddressFamily.InterNetwork)
        {
            throw new ArgumentException("Only IPv4 is spoken here.", nameof(endPoint));
        }
        Span<byte> bytes = stackalloc byte[4];
        endPoint.Address.TryWriteBytes(bytes, out _);
        return new UdpAddress(BinaryPrimitives.ReadUInt32BigEndian(bytes), (ushort)endPoint.Port);
    }

    public IPEndPoint ToEndPoint()
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, Address);
        return new IPEndPoint(new IPAddress(bytes), Port);
    }

    public override string ToString() => ToEndPoint().ToString();
}
