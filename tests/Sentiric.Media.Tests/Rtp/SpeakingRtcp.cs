namespace Sentiric.Media.Tests;

public class SpeakingRtcp
{
    private static readonly RtcpReportBlock Block = new(0xB0B, 64, 1_234, 0x0001FFFF, 80, 0x11112222, 0x8000);

    [Fact]
    public void A_sender_report_with_a_block_CNAME_and_BYE_is_read_back()
    {
        var packet = new byte[Rtcp.MaxReportSize];
        var length = Rtcp.WriteReport(packet, 0xA11CE, 0x0102030405060708, 160, 10, 1_600, Block, "abcd1234"u8, bye: true);
        Assert.True(Rtcp.TryRead(packet.AsSpan(0, length), 0xB0B, out var news));
        Assert.Equal(new RtcpNews(0xA11CE, true, 0x03040506, true, Block, true), news);
        Assert.Equal(0, length % 4);
    }

    [Fact]
    public void A_party_that_sent_nothing_makes_a_receiver_report()
    {
        var packet = new byte[Rtcp.MaxReportSize];
        var length = Rtcp.WriteReport(packet, 1, 0, 0, 0, 0, Block with { CumulativeLost = -5 }, "x"u8, bye: false);
        Assert.Equal(201, packet[1]);
        Assert.True(Rtcp.TryRead(packet.AsSpan(0, length), 0xB0B, out var news));
        Assert.Equal((false, true, -5), (news.HasSenderReport, news.HasBlock, news.Block.CumulativeLost));
    }

    [Fact]
    public void NTP_time_counts_from_1900()
    {
        // RFC 868's well-known moment: 2,208,988,800 s is 1 January 1970
        Assert.Equal(2_208_988_800UL << 32 | 0x80000000, Rtcp.Ntp(DateTimeOffset.UnixEpoch.AddMilliseconds(500)));
    }

    [Theory]
    [InlineData("80C8")]
    [InlineData("80C80000")]                 // a length of one word
    [InlineData("80C900FF00000001")]         // longer than the datagram
    [InlineData("81C9000100000001")]         // a block that is not there
    [InlineData("80C8000100000001")]         // a sender report without sender info
    [InlineData("40C9000100000001")]         // version 1
    public void Malformed_reports_are_refused(string hex) => Assert.False(Rtcp.TryRead(Convert.FromHexString(hex), 1, out _));

    [Fact]
    public void The_round_trip_is_what_the_reports_say()
    {
        var leg = new VirtualLeg();
        leg.ReceiveAudio(1, 0);
        while (leg.SentRtcp.Count == 0) leg.Tick();
        var ourReport = leg.SentRtcp[0];
        var lastSenderReport = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(ourReport.AsSpan(10));
        leg.Tick(5); // 100 ms pass, of which the other side held the report for 60
        var block = new RtcpReportBlock(0x11223344, 26, 3, 0, 160, lastSenderReport, 65_536 * 60 / 1_000);
        var packet = new byte[Rtcp.MaxReportSize];
        leg.ReceiveBytes(packet.AsSpan(0, Rtcp.WriteReport(packet, VirtualLeg.RemoteSsrc, 1, 0, 1, 160, block, "r"u8, false)), onRtcpPort: true);
        var quality = leg.Leg.Quality();
        Assert.InRange(quality.RttMs ?? -1, 39.9, 40.1);
        Assert.Equal((10.2, 20.0), (Math.Round(quality.RemoteLossPercent ?? 0, 1), quality.RemoteJitterMs));
    }
}
