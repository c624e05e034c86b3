namespace Sentiric.Media.Tests;

public class PlayingOutOfTheJitterBuffer
{
    private readonly JitterBuffer buffer = new();
    private readonly short[] frame = new short[160];

    [Fact]
    public void Frames_come_out_in_order_after_the_start_delay()
    {
        Put(0);
        Put(1);
        Assert.Equal([FrameSource.Nothing, FrameSource.Nothing, FrameSource.Heard, FrameSource.Heard], Take(4));
        Assert.Equal(1_001, frame[0]);
    }

    [Fact]
    public void D17_reordered_packets_are_put_in_order()
    {
        foreach (var n in new[] { 0, 2, 1, 4, 3 }) Put(n);
        Take(2);
        for (var n = 0; n < 5; n++)
        {
            Assert.Equal(FrameSource.Heard, buffer.Read(frame));
            Assert.Equal(1_000 + n, frame[80]);
        }
    }

    [Fact]
    public void D17_a_lost_packet_is_concealed_and_its_time_kept()
    {
        foreach (var n in new[] { 0, 1, 3 }) Put(n);
        Take(2);
        Assert.Equal([FrameSource.Heard, FrameSource.Heard, FrameSource.Concealed, FrameSource.Heard], Take(4));
        Assert.Equal(1_003, frame[150]);
        Assert.Equal(1, buffer.Concealed);
    }

    [Fact]
    public void A_third_of_a_second_that_comes_in_one_go_is_heard_in_order()
    {
        for (var n = 0; n < 3; n++) Put(n);
        Take(2);
        for (var n = 3; n < 18; n++) Put(n);
        for (var n = 0; n < 18; n++)
        {
            Assert.Equal(FrameSource.Heard, buffer.Read(frame));
            Assert.Equal(1_000 + n, frame[80]);
        }
    }

    [Fact]
    public void D17_a_duplicate_packet_is_heard_once()
    {
        foreach (var n in new[] { 0, 0, 1, 1 }) Put(n);
        Assert.Equal(2, Take(4).Count(source => source == FrameSource.Heard));
        Assert.Equal(1_001, frame[0]);
    }

    [Fact]
    public void D17_a_late_packet_is_counted_and_makes_the_buffer_wait_longer()
    {
        Put(0);
        var before = buffer.DelayMs;
        Take(4);
        Assert.Equal(JitterInsert.Late, Put(1));
        Take(2);
        Assert.Equal(1, buffer.Late);
        Assert.True(buffer.DelayMs > before);
    }

    [Fact]
    public void Jitter_of_60_ms_is_late_only_until_the_buffer_has_learned()
    {
        var dice = new Random(20);
        var arrivals = new SortedDictionary<(int Tick, int N), int>();
        for (var n = 0; n < 500; n++) arrivals[(n + dice.Next(4), n)] = n;
        for (var tick = 0; tick < 500; tick++)
        {
            foreach (var at in arrivals.Keys.Where(k => k.Tick == tick)) Put(at.N);
            buffer.Read(frame);
        }
        Assert.InRange(buffer.Late, 1, 10);
        Assert.InRange(buffer.DelayMs, 60, 120);
    }

    [Fact]
    public void Spare_delay_is_given_back_in_quiet_moments()
    {
        Put(0);
        Take(8);
        Put(1);             // six ticks late: the delay grows
        Take(8);
        var grown = buffer.DelayMs;
        for (var n = 16; n < 1_500; n++)
        {
            buffer.Insert((uint)(n * 160), new short[160]);
            buffer.Read(frame);
        }
        Assert.True(grown >= 120, $"{grown}");
        Assert.True(buffer.DelayMs < grown, $"{buffer.DelayMs}");
    }

    [Theory]
    [InlineData(80)]
    [InlineData(240)]
    [InlineData(480)]
    public void Any_packet_time_comes_out_as_20_ms_frames(int packetSamples)
    {
        var source = Signals.Voice(TimeSpan.FromSeconds(1));
        var heard = new List<short>();
        var sent = 0;
        for (var tick = 1; tick <= 54; tick++)
        {
            while (sent + packetSamples <= Math.Min(source.Length, tick * 160 + packetSamples))
            {
                buffer.Insert((uint)sent, source.AsSpan(sent, packetSamples));
                sent += packetSamples;
            }
            buffer.Read(frame);
            heard.AddRange(frame);
        }
        var (correlation, _) = Signals.Find(source.AsSpan(0, 7_000), heard.ToArray());
        Assert.True(correlation > 0.999, $"{correlation}");
    }

    [Fact]
    public void A_timestamp_that_jumps_is_followed_at_its_second_packet()
    {
        Put(0);
        Take(3);
        Assert.Equal(JitterInsert.OutOfReach, Put(100_000));
        Assert.Equal(JitterInsert.Stored, Put(100_001));
        Take(2);
        Assert.Equal(FrameSource.Heard, buffer.Read(frame));
        Assert.Equal(1, buffer.Resyncs);
    }

    [Fact]
    public void The_timestamp_wraps_around()
    {
        var at = uint.MaxValue - 200;
        for (var n = 0; n < 5; n++) buffer.Insert((uint)(at + n * 160), Enumerable.Repeat((short)(1_000 + n), 160).ToArray());
        Assert.Equal(5, Take(7).Count(s => s == FrameSource.Heard));
    }

    [Fact]
    public void A_sender_that_pauses_and_goes_on_in_its_own_time_is_heard_again()
    {
        Put(0);
        Take(200);
        Assert.Equal(JitterInsert.Stored, Put(1));
        Assert.Contains(FrameSource.Heard, Take(3));
    }

    [Theory]
    [InlineData(0.001)]
    [InlineData(-0.001)]
    public void A_clock_that_runs_wrong_by_a_thousandth_is_followed_for_minutes(double drift)
    {
        // five minutes, in which the two clocks part by 300 ms: more than any buffer would hold
        var silence = new short[160];
        double due = 0;
        var n = 0;
        for (var tick = 0; tick < 15_000; tick++)
        {
            for (due += 1 + drift; due >= 1; due--) buffer.Insert((uint)(160 * n++), silence);
            buffer.Read(frame);
        }
        Assert.InRange(buffer.DelayMs, 20, 200);
        Assert.Equal(0, buffer.Resyncs);
        Assert.InRange(buffer.Late, 0, 20);
    }

    [Fact]
    public void Concealment_of_a_voice_is_nearer_to_it_than_silence()
    {
        var voice = Signals.Voice(TimeSpan.FromSeconds(2));
        var original = new List<short>();
        var concealed = new List<short>();
        for (var n = 0; n < 100; n++)
        {
            if (n % 10 != 7) buffer.Insert((uint)(160 * n), voice.AsSpan(160 * n, 160));
            var source = buffer.Read(frame);
            if (source != FrameSource.Concealed || n < 3) continue;
            original.AddRange(voice.AsSpan(160 * (n - 2), 160));
            concealed.AddRange(frame);
        }
        var correlation = Signals.Correlate(original.ToArray(), concealed.ToArray());
        Assert.Equal(10 * 160, concealed.Count);
        Assert.True(correlation > 0.6, $"{correlation}");
    }

    [Fact]
    public void Concealment_fades_to_silence_within_80_ms()
    {
        var voice = Signals.Voice(TimeSpan.FromMilliseconds(400));
        for (var n = 0; n < 20; n++) buffer.Insert((uint)(160 * n), voice.AsSpan(160 * n, 160));
        Take(22);
        var first = Take(1);
        var loudness = Signals.Rms(frame);
        Take(3);
        Assert.Equal([FrameSource.Concealed], first);
        Assert.True(loudness > 1_000, $"{loudness}");
        Assert.Equal(0, Signals.Rms(frame));
    }

    private JitterInsert Put(int n) => buffer.Insert((uint)(n * 160), Enumerable.Repeat((short)(1_000 + n % 1_000), 160).ToArray());

    private List<FrameSource> Take(int times) => [.. Enumerable.Range(0, times).Select(_ => buffer.Read(frame))];
}
