namespace Sentiric.Media.Tests;

/// <summary>RFC 3550 appendix A, case by case.</summary>
public class CountingPackets
{
    private readonly RtpStatistics statistics = new();
    private long nowUs;

    [Fact]
    public void The_sequence_wraps_around_without_loss()
    {
        for (var i = 0; i < 200; i++) Assert.Equal(RtpArrival.InOrder, Arrive((ushort)(65_500 + i)));
        Assert.Equal((200, 0), (statistics.Received, statistics.Lost));
        Assert.Equal((2u << 16) + 163, statistics.ExtendedHighest);
    }

    [Fact]
    public void Holes_are_lost_until_a_reordered_packet_fills_them()
    {
        Arrive(10);
        Arrive(14);
        Assert.Equal(3, statistics.Lost);
        Assert.Equal(RtpArrival.Reordered, Arrive(12));
        Assert.Equal((3, 2, 1), (statistics.Received, statistics.Lost, statistics.Reordered));
    }

    [Fact]
    public void A_packet_that_comes_before_the_first_one_is_no_wrap()
    {
        Arrive(0);
        Assert.Equal(RtpArrival.Reordered, Arrive(65_535));
        Assert.Equal((2, 0), (statistics.Received, statistics.Lost));
    }

    [Fact]
    public void Duplicates_are_counted_once_each_and_hide_no_loss()
    {
        Arrive(1);
        Arrive(3);
        Assert.Equal(RtpArrival.Duplicate, Arrive(3));
        Assert.Equal(RtpArrival.Duplicate, Arrive(1));
        Assert.Equal((2, 2, 1), (statistics.Received, statistics.Duplicates, statistics.Lost));
    }

    [Fact]
    public void One_wild_sequence_number_is_suspicious_and_a_second_restarts_the_count()
    {
        Arrive(100);
        Arrive(102);
        Assert.Equal(RtpArrival.Suspicious, Arrive(30_000));
        Assert.Equal(RtpArrival.InOrder, Arrive(103));
        Assert.Equal(RtpArrival.Suspicious, Arrive(40_000));
        Assert.Equal(RtpArrival.Restarted, Arrive(40_001));
        Arrive(40_002);
        Assert.Equal((5, 1, 1), (statistics.Received, statistics.Lost, statistics.Restarts));
    }

    [Fact]
    public void The_fraction_lost_covers_the_time_since_the_last_report()
    {
        for (ushort i = 0; i < 10; i++) Arrive(i);
        Assert.Equal(0, statistics.TakeFractionLost());
        for (ushort i = 10; i < 30; i += 2) Arrive(i);
        Arrive(29);
        Assert.Equal(9 * 256 / 20, statistics.TakeFractionLost());
        Assert.Equal(0, statistics.TakeFractionLost());
    }

    [Fact]
    public void Jitter_follows_the_formula_of_A8()
    {
        // Transit differences in samples, worked by hand: 0, +80, -80, 0: J = 0, 5, 5 + (80 - 5) / 16 = 9.6875, then 9.082
        foreach (var (timestamp, arrivalMs) in new[] { (0u, 0), (160u, 20), (320u, 50), (480u, 60), (640u, 80) })
        {
            statistics.OnAudioTiming(timestamp, arrivalMs * 1_000L);
        }
        Assert.Equal(9.08203125 / 8, statistics.JitterMs, 6);
    }

    [Fact]
    public void The_longest_gap_is_remembered()
    {
        Arrive(1);
        nowUs += 180_000;
        Arrive(2);
        Arrive(3);
        Assert.Equal(200, statistics.MaxGapMs);
    }

    private RtpArrival Arrive(ushort sequence) => statistics.OnPacket(sequence, nowUs += 20_000);
}
