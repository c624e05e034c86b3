using Sentiric.Speech.Tests.Kit;

namespace Sentiric.Speech.Tests.Audio;

public class SpeechResamplerTests
{
    [Theory]
    [InlineData(22_050, 8000)]
    [InlineData(24_000, 8000)]
    [InlineData(16_000, 8000)]
    [InlineData(48_000, 8000)]
    public void A_tone_above_the_new_Nyquist_frequency_is_suppressed_by_more_than_40_dB(int from, int to)
    {
        short[] tone = Sound.Tone(5000, 1000, from);
        short[] output = SpeechResampler.Convert(tone, from, to);
        // the edges hold the switching click of a tone that begins at once
        double suppressed = Sound.LevelDb(tone) - Sound.LevelDb(output.AsSpan(400, output.Length - 800));
        Assert.True(suppressed > 40, $"the alias is only {suppressed:F1} dB down");
    }

    [Theory]
    [InlineData(22_050, 8000, 300)]
    [InlineData(22_050, 8000, 3000)]
    [InlineData(8000, 16_000, 1000)]
    [InlineData(8000, 48_000, 3000)]
    [InlineData(44_100, 16_000, 6000)]
    public void A_tone_in_the_band_keeps_its_level_and_its_pitch(int from, int to, double hertz)
    {
        short[] output = SpeechResampler.Convert(Sound.Tone(hertz, 500, from), from, to);
        short[] expected = Sound.Tone(hertz, 500, to);
        double worst = 0;
        for (int i = to / 20; i < output.Length - (to / 20); i++)
        {
            worst = Math.Max(worst, Math.Abs(output[i] - expected[i]));
        }

        Assert.True(worst < 300, $"differs by {worst} of 10000 from the exact tone");
    }

    [Fact]
    public void A_second_stays_a_second()
    {
        Assert.Equal(8000, SpeechResampler.Convert(new short[22_050], 22_050, 8000).Length);
        Assert.Equal(48_000, SpeechResampler.Convert(new short[8000], 8000, 48_000).Length);
    }

    [Fact]
    public void Pieces_of_any_size_give_the_same_as_the_whole()
    {
        short[] input = Sound.Mix(Sound.Tone(440, 700, 22_050), Sound.Tone(1234, 700, 22_050));
        short[] whole = SpeechResampler.Convert(input, 22_050, 8000);
        var resampler = new SpeechResampler(22_050, 8000);
        var pieces = new List<short>();
        var random = new Random(7);
        for (int at = 0; at < input.Length;)
        {
            int take = Math.Min(random.Next(1, 3000), input.Length - at);
            var output = new short[resampler.MaxOutput(take)];
            pieces.AddRange(output[..resampler.Process(input.AsSpan(at, take), output)]);
            at += take;
        }

        var tail = new short[resampler.MaxOutput(0)];
        pieces.AddRange(tail[..resampler.Flush(tail)]);
        Assert.Equal(whole, pieces);
    }

    [Fact]
    public void Rates_that_no_phone_has_are_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new SpeechResampler(8000, 1));
}
