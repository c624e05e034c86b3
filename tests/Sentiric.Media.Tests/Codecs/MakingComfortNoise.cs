using Sentiric.Testing;

namespace Sentiric.Media.Tests;

public sealed class MakingComfortNoise
{
    [Theory]
    [InlineData(30)]
    [InlineData(50)]
    [InlineData(70)]
    public void The_noise_is_as_loud_as_the_packet_says(int level)
    {
        var noise = new ComfortNoise();
        Assert.True(noise.Take([(byte)level]));
        var heard = Make(noise, 16_000);
        Assert.Equal(-level, 20 * Math.Log10(Signals.Rms(heard) / short.MaxValue), 0.7);
    }

    [Fact]
    public void The_noise_sounds_like_the_one_that_was_described()
    {
        // Low-passed noise: its neighbours are alike. Flat noise has a correlation of 0.
        var dice = new Random(3);
        var original = new short[16_000];
        for (var i = 1; i < original.Length; i++) original[i] = (short)(0.9 * original[i - 1] + dice.Next(-400, 400));
        var payload = new byte[1 + ComfortNoise.MaxOrder];
        Assert.Equal(9, ComfortNoise.Describe(original, 8, payload));
        var noise = new ComfortNoise();
        noise.Take(payload.AsSpan(0, 9));
        var heard = Make(noise, 16_000);
        Assert.Equal(Likeness(original, 1), Likeness(heard, 1), 0.05);
        Assert.Equal(Likeness(original, 3), Likeness(heard, 3), 0.1);
        Assert.Equal(20 * Math.Log10(Signals.Rms(original)), 20 * Math.Log10(Signals.Rms(heard)), 1.5);
    }

    [Fact]
    public void Silence_is_described_as_the_lowest_level_and_an_empty_packet_says_nothing()
    {
        var payload = new byte[11];
        ComfortNoise.Describe(new short[160], 10, payload);
        Assert.Equal(127, payload[0]);
        Assert.All(payload[1..], n => Assert.Equal(127, n));
        var noise = new ComfortNoise();
        Assert.False(noise.Take([]));
        Assert.False(noise.IsOn);
    }

    [Fact]
    public void Whatever_a_packet_says_the_noise_stays_within_bounds()
    {
        var dice = new Random(9);
        for (var round = 0; round < 300; round++)
        {
            var payload = new byte[dice.Next(1, 40)];
            dice.NextBytes(payload);
            var noise = new ComfortNoise();
            noise.Take(payload);
            Make(noise, 800);
            noise.Stop();
            Assert.False(noise.IsOn);
        }
    }

    [Fact]
    public void Steady_work_allocates_nothing()
    {
        var (noise, frame, payload) = (new ComfortNoise(), new short[160], new byte[11]);
        noise.Take([50, 100, 150]);
        ComfortNoise.Describe(frame, 10, payload);
        Garbage.IsNone(_ =>
        {
            for (var i = 0; i < 100; i++)
            {
                noise.Fill(frame);
                ComfortNoise.Describe(frame, 10, payload);
                noise.Take(payload);
            }
        });
    }

    private static short[] Make(ComfortNoise noise, int samples)
    {
        var pcm = new short[samples];
        for (var at = 0; at < samples; at += 160) noise.Fill(pcm.AsSpan(at, 160));
        return pcm;
    }

    private static double Likeness(ReadOnlySpan<short> pcm, int lag) => Signals.Correlate(pcm[lag..], pcm[..^lag]);
}
