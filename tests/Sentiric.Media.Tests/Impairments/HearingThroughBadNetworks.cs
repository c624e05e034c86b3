using Xunit.Abstractions;

namespace Sentiric.Media.Tests;

/// <summary>Loss, jitter, reordering and duplication by seed: what is heard, what is invented, and what the estimate says.</summary>
public class HearingThroughBadNetworks(ITestOutputHelper output)
{
    private const int Packets = 3_000; // a minute
    private static readonly short[] Voice = Signals.Voice(TimeSpan.FromMilliseconds(20 * Packets));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Five_percent_of_random_loss_keep_the_estimate_at_3_4_and_are_concealed(int seed)
    {
        var (quality, network, heard) = Hear(new Weather(Loss: 0.05), seed);
        Assert.InRange(network.Lost, 110, 190);
        Assert.True(quality.Mos >= 3.4, $"{quality}");
        Assert.Equal((network.Lost, 0L), ((int)quality.Lost, quality.Late));
        Assert.InRange(quality.Concealed, network.Lost * 0.95, network.Lost + 5);
        // What stands in a hole is like what was lost there; silence would give nothing.
        var silent = (double)heard.Silent / Math.Max(1, heard.Invented);
        Assert.True(heard.Likeness > 0.5 && silent < 0.05, $"likeness {heard.Likeness:F3}, silent {silent:P0}");
    }

    [Fact]
    public void Jitter_is_bought_off_with_delay()
    {
        var (quality, _, _) = Hear(new Weather(JitterMs: 60), seed: 4);
        Assert.Equal(0, quality.Lost);
        Assert.True(quality.Late < Packets / 100 && quality.JitterBufferMs is > 40 and <= 200, $"{quality}");
        Assert.True(quality.Mos >= 4.0, $"{quality}");
    }

    [Fact]
    public void Reordering_within_the_buffer_is_heard_in_order()
    {
        var (quality, network, _) = Hear(new Weather(Reorder: 0.05), seed: 5);
        Assert.True(network.Reordered > 100);
        Assert.Equal(0, quality.Lost);
        Assert.True(quality.Reordered > network.Reordered / 2 && quality.Late < network.Reordered / 10, $"{quality}");
    }

    [Fact]
    public void A_packet_that_comes_twice_is_heard_once()
    {
        var (quality, network, heard) = Hear(new Weather(Duplication: 0.1), seed: 6);
        Assert.Equal((network.Duplicated, 0L, 0L), ((int)quality.Duplicates, quality.Lost, quality.Concealed));
        Assert.Equal(0, heard.Invented);
    }

    [Fact]
    public void Losses_in_bursts_are_reported_as_bursts()
    {
        var spread = new BurstGap();
        for (var n = 0; n < 1_000; n++)
        {
            if (n % 100 is 50 or 52 or 53 or 56) spread.Lost(); // every two seconds four frames of seven
            else spread.Heard();
        }
        var summary = spread.Summary();
        Assert.InRange(summary.BurstDensity, 50, 65);
        Assert.InRange(summary.BurstMs, 100, 180);
        Assert.InRange(summary.GapMs, 1_700, 1_950);
        Assert.Equal(0, summary.GapDensity);
    }

    [Fact]
    public void Single_losses_far_apart_are_no_burst()
    {
        var spread = new BurstGap();
        for (var n = 0; n < 1_000; n++)
        {
            if (n % 50 == 49) spread.Lost();
            else spread.Heard();
        }
        var summary = spread.Summary();
        Assert.InRange(summary.GapDensity, 1.8, 2.2);
    }

    [Trait("Category", "Slow")]
    [Fact]
    public async Task A_voice_through_a_lossy_proxy_is_still_the_voice()
    {
        await using var engine = new MediaEngine();
        var (caller, callee) = (Open(engine), Open(engine));
        var network = new LossyNetwork(new Weather(Loss: 0.05, Duplication: 0.02, Reorder: 0.02, ReorderMs: 25), seed: 7);
        await using var proxy = new UdpProxy(caller.LocalEndPoint, callee.LocalEndPoint, network);
        foreach (var session in new[] { caller, callee })
        {
            session.Connect(new NegotiatedAudio(proxy.EndPoint, proxy.EndPoint, AudioCodec.Pcma, 8, null, MediaDirection.SendRecv, RtcpMux: true));
        }
        var voice = Signals.Voice(TimeSpan.FromSeconds(4));
        using var ear = callee.Listen(boundFrames: 400);
        await Waiting.For(caller.Play("voice", voice).Finished, "the voice to be played");
        var heard = new List<short>();
        while (heard.Count < voice.Length + 8_000) heard.AddRange((await Waiting.For(ear.Frames.ReadAsync().AsTask(), "a frame")).Pcm.ToArray());
        var pieces = Signals.FindPieces(voice, [.. heard]);
        var quality = callee.Quality();
        output.WriteLine($"{network.Lost} lost, {network.Duplicated} twice, {network.Reordered} out of order; worst piece {pieces[0]:F3}, median {pieces[pieces.Length / 2]:F3}; {quality}");
        Assert.True(network.Lost > 0 && quality.Lost > 0 && quality.Concealed > 0, $"{quality}");
        Assert.True(pieces[pieces.Length / 2] > 0.95, $"median {pieces[pieces.Length / 2]:F3}");
        Assert.True(quality.Mos >= 3.0, $"{quality}");
    }

    private (MediaQuality Quality, LossyNetwork Network, (int Invented, int Silent, double Likeness) Heard) Hear(Weather weather, int seed)
    {
        var (leg, network) = (new VirtualLeg(), new LossyNetwork(weather, seed));
        var underWay = new PriorityQueue<int, long>();
        for (var n = 0; n < Packets; n++)
        {
            foreach (var delayMs in network.Fate()) underWay.Enqueue(n, (n * 20L + delayMs) * 1_000);
            Deliver(leg, underWay);
            leg.Tick();
        }
        var quality = leg.Leg.Quality();
        output.WriteLine($"seed {seed}: {network.Lost} lost, {network.Duplicated} twice, {network.Reordered} late: {quality}");
        return (quality, network, Compare(leg));
    }

    private static void Deliver(VirtualLeg leg, PriorityQueue<int, long> underWay)
    {
        while (underWay.TryPeek(out var n, out var at) && at <= leg.NowUs)
        {
            underWay.Dequeue();
            leg.Receive(n, (uint)(n * 160), Voice.AsSpan(n * 160, 160));
        }
    }

    // Invented frames against the voice that was lost there; the start of the voice in what was heard is where the first frame was.
    private static (int Invented, int Silent, double Likeness) Compare(VirtualLeg leg)
    {
        var heard = leg.Heard.ToArray();
        var (_, shift) = Signals.Find(Voice.AsSpan(8_000, 1_600), heard.AsSpan(0, 16_000));
        var (invented, silent, likeness) = (0, 0, 0.0);
        for (var frame = 100; frame < leg.Sources.Count - 20; frame++)
        {
            if (leg.Sources[frame] != FrameSource.Concealed) continue;
            var made = heard.AsSpan(frame * 160, 160);
            var from = frame * 160 - (shift - 8_000);
            if (from + 160 > Voice.Length) break;
            invented++;
            if (Signals.Rms(made) < 50) silent++;
            likeness += Signals.Correlate(made, Voice.AsSpan(from, 160));
        }
        return (invented, silent, likeness / Math.Max(1, invented));
    }

    private static MediaSession Open(MediaEngine engine) => engine.Open().Session ?? throw new InvalidOperationException("no ports");
}
