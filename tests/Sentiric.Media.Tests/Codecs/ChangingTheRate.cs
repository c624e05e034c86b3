using Sentiric.Testing;
using Xunit.Abstractions;

namespace Sentiric.Media.Tests;

public sealed class ChangingTheRate(ITestOutputHelper output)
{
    public static TheoryData<int, int> Rates
    {
        get
        {
            var rates = new TheoryData<int, int>();
            int[] all = [8_000, 16_000, 24_000, 48_000];
            foreach (var from in all) foreach (var to in all) if (from != to) rates.Add(from, to);
            return rates;
        }
    }

    [Theory]
    [MemberData(nameof(Rates))]
    public void A_tone_in_the_pass_band_keeps_its_level_and_its_shape(int from, int to)
    {
        var (worstRipple, worstSnr) = (0.0, double.MaxValue);
        foreach (var share in new[] { 0.025, 0.1, 0.25, 0.5, 0.7, 0.8, 0.85 })
        {
            var hertz = share * Math.Min(from, to) / 2;
            var (gain, snr) = Measure(from, to, hertz);
            worstRipple = Math.Max(worstRipple, Math.Abs(20 * Math.Log10(gain)));
            worstSnr = Math.Min(worstSnr, snr);
        }
        output.WriteLine($"{from} -> {to}: ripple {worstRipple:F3} dB, SNR {worstSnr:F1} dB");
        Assert.True(worstRipple < 0.1, $"ripple {worstRipple} dB");
        Assert.True(worstSnr > 60, $"SNR {worstSnr} dB");
    }

    [Theory]
    [MemberData(nameof(Rates))]
    public void What_the_lower_rate_cannot_hold_is_gone_and_no_image_appears(int from, int to)
    {
        var low = Math.Min(from, to);
        var worst = double.MinValue;
        foreach (var share in new[] { 1.02, 1.1, 1.3, 1.6, 1.9 })
        {
            // Going down: a tone above the new half must vanish. Going up: the image of a tone of the pass band must not be there.
            var hertz = from > to ? share * low / 2 : (2 - share) * low / 2;
            if (hertz >= from / 2.0 || (from < to && 2 - share > 0.85)) continue;
            var resampled = Resample(from, to, Sine(from, hertz, from));
            var steady = resampled.AsSpan(to / 4, to / 2);
            var left = from > to ? Signals.Rms(steady) : Level(steady, to, share * low / 2);
            worst = Math.Max(worst, 20 * Math.Log10((left + 1e-9) / (10_000 / Math.Sqrt(2))));
        }
        output.WriteLine($"{from} -> {to}: stop band {worst:F1} dB");
        Assert.True(worst < -60, $"{worst} dB");
    }

    [Theory]
    [MemberData(nameof(Rates))]
    public void Ticks_of_20_ms_become_ticks_of_20_ms_and_the_length_is_exact(int from, int to)
    {
        var resampler = new Resampler(from, to);
        var (frame, result) = (new short[from / 50], new short[resampler.MostFrom(from / 50)]);
        var total = 0;
        for (var tick = 0; tick < 500; tick++)
        {
            var written = resampler.Process(frame, result);
            Assert.InRange(written, to / 50 - 1, to / 50 + 1);
            total += written;
        }
        Assert.Equal(500 * (to / 50), total);
    }

    [Fact]
    public void Steady_work_allocates_nothing()
    {
        var (up, down) = (new Resampler(8_000, 16_000), new Resampler(16_000, 8_000));
        var (frame, wide) = (new short[160], new short[321]);
        up.Process(frame, wide);
        Garbage.IsNone(_ =>
        {
            for (var i = 0; i < 100; i++)
            {
                var written = up.Process(frame, wide);
                down.Process(wide.AsSpan(0, written), frame);
            }
        });
    }

    [Fact]
    public void A_ratio_that_is_not_made_is_refused() => Assert.Throws<ArgumentException>(() => new Resampler(44_100, 8_000));

    // Gain and SNR of a sine: what the best fitting sine of that frequency leaves over is noise.
    private static (double Gain, double Snr) Measure(int from, int to, double hertz)
    {
        var heard = Resample(from, to, Sine(from, hertz, from)).AsSpan(to / 4, to / 2);
        var level = Level(heard, to, hertz);
        var rest = Math.Sqrt(Math.Max(0.08, Signals.Rms(heard) * Signals.Rms(heard) - level * level));
        return (level / (10_000 / Math.Sqrt(2)), 20 * Math.Log10(level / rest));
    }

    // RMS of the component of this frequency, over whole periods as far as half a second has them, by least squares.
    private static double Level(ReadOnlySpan<short> pcm, int rate, double hertz)
    {
        double ss = 0, cc = 0, sc = 0, xs = 0, xc = 0;
        for (var i = 0; i < pcm.Length; i++)
        {
            var (s, c) = Math.SinCos(2 * Math.PI * hertz * i / rate);
            (ss, cc, sc, xs, xc) = (ss + s * s, cc + c * c, sc + s * c, xs + pcm[i] * s, xc + pcm[i] * c);
        }
        var determinant = ss * cc - sc * sc;
        var (a, b) = ((xs * cc - xc * sc) / determinant, (xc * ss - xs * sc) / determinant);
        return Math.Sqrt((a * a + b * b) / 2);
    }

    private static short[] Sine(int rate, double hertz, int samples) =>
        [.. Enumerable.Range(0, samples).Select(i => (short)Math.Round(10_000 * Math.Sin(2 * Math.PI * hertz * i / rate)))];

    private static short[] Resample(int from, int to, short[] pcm)
    {
        var resampler = new Resampler(from, to);
        var result = new List<short>();
        var piece = new short[resampler.MostFrom(from / 50)];
        for (var at = 0; at < pcm.Length; at += from / 50)
        {
            var written = resampler.Process(pcm.AsSpan(at, from / 50), piece);
            result.AddRange(piece[..written]);
        }
        return [.. result];
    }
}
