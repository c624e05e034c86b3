using Sentiric.Speech.Tests.Kit;

namespace Sentiric.Speech.Tests.Audio;

public class LevelNormalizerTests
{
    [Theory]
    [InlineData(3000)]
    [InlineData(12_000)]
    public void Quiet_and_loud_speech_come_out_alike(double amplitude)
    {
        var level = new LevelNormalizer(Sound.Rate, targetDb: -20);
        short[] output = [.. level.Process(Sound.Tone(300, 2500, amplitude: amplitude)), .. level.Flush()];
        Assert.Equal(2.5 * Sound.Rate, output.Length);
        Assert.InRange(Sound.LevelDb(output), -20.5, -19.5);
    }

    [Fact]
    public void Silence_is_not_blown_up()
    {
        var level = new LevelNormalizer(Sound.Rate, targetDb: -20);
        short[] output = [.. level.Process(Sound.Noise(1500, amplitude: 20)), .. level.Flush()];
        Assert.True(output.Max() <= 20);
    }
}
