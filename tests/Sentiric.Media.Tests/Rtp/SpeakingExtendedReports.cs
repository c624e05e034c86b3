namespace Sentiric.Media.Tests;

/// <summary>RFC 3611 VoIP metrics, and when reports are due (RFC 3550 6).</summary>
public class SpeakingExtendedReports
{
    private static readonly RtcpVoip Voip = new(0xB0B, 13, 2, 140, 5, 120, 1_800, 42, 60, 88, 42, 41, 40, 200, 200);

    [Fact]
    public void VoIP_metrics_are_read_back_out_of_a_compound_report()
    {
        var packet = new byte[Rtcp.MaxReportSize];
        var length = Rtcp.WriteReport(packet, 0xA11CE, 1, 160, 10, 1_600, null, "abcd"u8, bye: true, Voip);
        Assert.True(Rtcp.TryRead(packet.AsSpan(0, length), 0xB0B, out var news));
        Assert.Equal((Voip, true), (news.Voip, news.Bye));
        Assert.True(Rtcp.TryRead(packet.AsSpan(0, length), 0xC0C, out var others));
        Assert.Null(others.Voip);
    }

    [Fact]
    public void The_block_lies_as_RFC_3611_4_7_draws_it()
    {
        var packet = new byte[RtcpVoip.Size];
        Voip.Write(packet, 0xA11CE);
        Assert.Equal(
            "80CF000A000A11CE" + "07000008" + "00000B0B" + "0D028C05" + "00780708" + "002A003C" + "7F7F7F10" + "587F2A29" + "F0000028" + "00C800C8",
            Convert.ToHexString(packet));
    }

    [Theory]
    [InlineData("80CF000200000001070000FF")]         // a block longer than the packet
    [InlineData("80CF000300000001FFFF000000000000")] // unknown, empty, then a type without content
    [InlineData("80CF000200000001")]
    public void Broken_blocks_say_nothing_and_break_nothing(string hex)
    {
        _ = Rtcp.TryRead(Convert.FromHexString(hex), 1, out var news);
        Assert.Null(news.Voip);
    }

    [Fact]
    public void A_leg_tells_its_metrics_and_hears_what_the_other_makes_of_it()
    {
        var leg = new VirtualLeg();
        for (var n = 0; n < 500; n++)
        {
            if (n % 20 != 7) leg.ReceiveAudio(n, 1_000);
            leg.Tick();
        }
        var told = leg.SentRtcp.Select(packet => Rtcp.TryRead(packet, VirtualLeg.RemoteSsrc, out var news) ? news.Voip : null).Last();
        Assert.InRange(told?.LossRate ?? 0, 11, 14); // 5 % of 256
        Assert.InRange(told?.MosListening ?? 0, 34, 42);

        var report = new byte[Rtcp.MaxReportSize];
        var length = Rtcp.WriteReport(report, VirtualLeg.RemoteSsrc, 1, 1, 1, 1, null, "x"u8, bye: false, Voip with { Ssrc = 0x11223344, MosListening = 39 });
        leg.ReceiveBytes(report.AsSpan(0, length), VirtualLeg.Remote with { Port = 4_001 }, onRtcpPort: true);
        Assert.Equal(3.9, leg.Leg.Quality().RemoteMos);
    }

    [Fact]
    public void The_first_report_comes_in_half_the_interval_and_none_in_step()
    {
        var interval = TimeSpan.FromSeconds(5);
        Assert.Equal(1_026_036, RtcpSchedule.NextUs(interval, isFirst: true, 0)); // 5 s * 0.5 * 0.5 / 1.21828
        var all = Enumerable.Range(0, 256).Select(dice => RtcpSchedule.NextUs(interval, isFirst: false, (byte)dice)).ToArray();
        Assert.Equal((2_052_073, 6_140_188), ((int)all[0], (int)all[255]));
        Assert.InRange(all.Average(), 4_000_000, 4_200_000);
    }
}
