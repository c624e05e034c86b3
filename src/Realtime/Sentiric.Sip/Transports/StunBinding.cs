using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Sentiric.Sip;

/// <summary>
/// The STUN binding request that a phone behind NAT sends to the SIP port to keep its way open, and to see whether its address has changed
/// (RFC 5626 4.4.2, RFC 8489). No authentication, no attribute is asked for.
/// </summary>
internal static class StunBinding
{
    private const int HeaderBytes = 20;
    private const ushort Request = 0x0001;
    private const ushort Success = 0x0101;
    private const ushort XorMappedAddress = 0x0020;
    private const uint Cookie = 0x2112A442;

    /// <summary>No SIP message begins with a byte below 4 (RFC 7983 in spirit); length and cookie make it certain.</summary>
    public static bool IsRequest(ReadOnlySpan<byte> datagram) =>
        datagram.Length >= HeaderBytes && BinaryPrimitives.ReadUInt16BigEndian(datagram) == Request
        && BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]) == datagram.Length - HeaderBytes && BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]) == Cookie;

    /// <summary>The address that the request came from, under the cookie and the transaction id (RFC 8489 14.2).</summary>
    public static byte[] Answer(ReadOnlySpan<byte> request, IPEndPoint source)
    {
        byte[] address = source.Address.GetAddressBytes();
        byte[] response = new byte[HeaderBytes + 8 + address.Length];
        BinaryPrimitives.WriteUInt16BigEndian(response, Success);
        BinaryPrimitives.WriteUInt16BigEndian(response.AsSpan(2), (ushort)(8 + address.Length));
        request[4..HeaderBytes].CopyTo(response.AsSpan(4));
        Span<byte> attribute = response.AsSpan(HeaderBytes);
        BinaryPrimitives.WriteUInt16BigEndian(attribute, XorMappedAddress);
        BinaryPrimitives.WriteUInt16BigEndian(attribute[2..], (ushort)(4 + address.Length));
        attribute[5] = (byte)(source.AddressFamily == AddressFamily.InterNetwork ? 1 : 2);
        BinaryPrimitives.WriteUInt16BigEndian(attribute[6..], (ushort)(source.Port ^ (Cookie >> 16)));
        for (int i = 0; i < address.Length; i++)
        {
            attribute[8 + i] = (byte)(address[i] ^ request[4 + i]);
        }

        return response;
    }
}
