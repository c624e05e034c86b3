using System.Net;
using System.Text;

namespace Sentiric.Sip.Tests.Sight;

public sealed class HepPacketTests
{
    private static readonly DateTimeOffset At = new DateTimeOffset(2026, 11, 22, 22, 30, 0, TimeSpan.Zero).AddTicks(1_234_567);

    [Fact]
    public void A_packet_has_the_bytes_of_HEPv3()
    {
        SipTrace trace = Trace("203.0.113.7:5062", "192.0.2.1:5060", SipTransportKind.Udp, SipTraceDirection.Received, "OPTIONS");
        Assert.Equal(
            "48455033" + "007C"
            + "0000" + "0001" + "0007" + "02"
            + "0000" + "0002" + "0007" + "11"
            + "0000" + "0003" + "000A" + "CB007107"
            + "0000" + "0004" + "000A" + "C0000201"
            + "0000" + "0007" + "0008" + "13C6"
            + "0000" + "0008" + "0008" + "13C4"
            + "0000" + "0009" + "000A" + "6B036CE8"
            + "0000" + "000A" + "000A" + "0001E240"
            + "0000" + "000B" + "0007" + "01"
            + "0000" + "000C" + "000A" + "000007D1"
            + "0000" + "000E" + "000B" + "6D79487061"
            + "0000" + "0011" + "0007" + "61"
            + "0000" + "000F" + "000D" + "4F5054494F4E53",
            Convert.ToHexString(Packet(trace, "a", 2001, "myHpa")));
    }

    [Fact]
    public void What_we_send_goes_from_us_and_TLS_runs_on_TCP_and_IPv6_has_its_own_chunks()
    {
        SipTrace trace = Trace("[2001:db8::7]:5062", "[2001:db8::1]:5061", SipTransportKind.Tls, SipTraceDirection.Sent, "SIP/2.0 200 OK");
        IReadOnlyDictionary<int, byte[]> chunks = HepChunks.Of(Packet(trace, null, 0, null));
        Assert.Equal([1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 15], chunks.Keys.Order());
        Assert.Equal((10, 6), (HepChunks.Number(chunks[1]), HepChunks.Number(chunks[2])));
        Assert.Equal((IPAddress.Parse("2001:db8::1"), IPAddress.Parse("2001:db8::7")), (new IPAddress(chunks[5]), new IPAddress(chunks[6])));
        Assert.Equal((5061, 5062), (HepChunks.Number(chunks[7]), HepChunks.Number(chunks[8])));
        Assert.Equal("SIP/2.0 200 OK", Encoding.ASCII.GetString(chunks[15]));
    }

    [Fact]
    public void A_socket_for_both_families_tells_the_family_of_the_message()
    {
        IReadOnlyDictionary<int, byte[]> chunks = HepChunks.Of(Packet(Trace("[::ffff:203.0.113.7]:5062", "[::]:5060", SipTransportKind.Udp, SipTraceDirection.Received, "x"), null, 0, null));
        Assert.Equal(("203.0.113.7", "0.0.0.0"), (new IPAddress(chunks[3]).ToString(), new IPAddress(chunks[4]).ToString()));
    }

    [Theory]
    [InlineData(HepPacket.MaxBytes - 99, HepPacket.MaxBytes)]
    [InlineData(HepPacket.MaxBytes - 98, 0)]
    [InlineData(200_000, 0)]
    public void A_message_that_no_datagram_can_carry_is_not_written(int length, int written) =>
        Assert.Equal(written, HepPacket.Write(new byte[300_000], Trace("203.0.113.7:1", "192.0.2.1:2", SipTransportKind.Tcp, SipTraceDirection.Sent, new string('x', length)), null, 0, null));

    [Fact]
    public void A_packet_is_never_written_beyond_its_place()
    {
        SipTrace trace = Trace("203.0.113.7:1", "192.0.2.1:2", SipTransportKind.Udp, SipTraceDirection.Sent, "OPTIONS");
        int whole = Packet(trace, "call", 1, "key").Length;
        for (int size = 0; size < whole; size++)
        {
            Assert.Equal(0, HepPacket.Write(new byte[size], trace, "call", 1, "key"));
        }
    }

    internal static SipTrace Trace(string remote, string local, SipTransportKind transport, SipTraceDirection direction, string message) =>
        new(direction, transport, IPEndPoint.Parse(local), IPEndPoint.Parse(remote), At, Encoding.ASCII.GetBytes(message));

    private static byte[] Packet(SipTrace trace, string? callId, uint captureId, string? password)
    {
        byte[] packet = new byte[HepPacket.MaxBytes];
        return packet[..HepPacket.Write(packet, trace, callId, captureId, password)];
    }
}
