namespace Sentiric.Media.Tests;

public class ReadingRtpHeaders
{
    [Fact]
    public void A_header_written_is_read_back()
    {
        var packet = new byte[15];
        RtpHeader.Write(packet, true, 101, 0xABCD, 0x01020304, 0xA0B0C0D0);
        Assert.True(RtpHeader.TryRead(packet, out var header));
        Assert.Equal(new RtpHeader(true, 101, 0xABCD, 0x01020304, 0xA0B0C0D0, 12, 3), header);
    }

    [Fact]
    public void Contributors_extension_and_padding_are_not_payload()
    {
        // CC 1, X with one word, P with 2 bytes of padding: 12 + 4 + 8 header, 3 payload, 2 padding
        byte[] packet = [0xB1, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9, 9, 9, 9, 0xBE, 0xDE, 0, 1, 7, 7, 7, 7, 1, 2, 3, 0, 2];
        Assert.True(RtpHeader.TryRead(packet, out var header));
        Assert.Equal((24, 3), (header.PayloadOffset, header.PayloadLength));
    }

    [Theory]
    [InlineData("")]
    [InlineData("80")]
    [InlineData("8008000100000002000000")]                   // 11 bytes
    [InlineData("400800010000000200000003")]                 // version 1
    [InlineData("810800010000000200000003")]                 // a contributor that is not there
    [InlineData("900800010000000200000003BEDE0002")]         // an extension that is not there
    [InlineData("A0080001000000020000000301020300")]         // padding of zero bytes
    [InlineData("A00800010000000200000003010203FF")]         // padding longer than the packet
    public void Short_foreign_and_lying_packets_are_refused(string hex) =>
        Assert.False(RtpHeader.TryRead(Convert.FromHexString(hex), out _));

    [Fact]
    public void RTCP_is_told_from_RTP_as_RFC_5761_says()
    {
        foreach (var type in new byte[] { 200, 201, 202, 203, 204, 205, 206, 207 }) Assert.True(RtpHeader.LooksLikeRtcp([0x80, type, 0, 1]));
        foreach (var type in new byte[] { 0, 8, 0x88, 101, 101 | 0x80 }) Assert.False(RtpHeader.LooksLikeRtcp([0x80, type, 0, 1]));
    }

    [Fact]
    public void Random_datagrams_never_throw()
    {
        var dice = new Random(3550);
        var leg = new VirtualLeg();
        var datagram = new byte[200];
        for (var round = 0; round < 20_000; round++)
        {
            dice.NextBytes(datagram);
            if (round % 2 == 0) (datagram[0], datagram[1]) = ((byte)(0x80 | datagram[0] & 0x3F), (byte)(round % 4 == 0 ? 8 : 200));
            leg.ReceiveBytes(datagram.AsSpan(0, dice.Next(datagram.Length)), round % 3 == 0 ? VirtualLeg.Stranger : null, round % 5 == 0);
            if (round % 50 == 0) leg.Tick();
        }
        Assert.True(leg.Leg.Quality().Malformed > 0);
    }
}
