namespace Sentiric.Speech.Tests.Voice;

public class SpeechGateTests
{
    private static readonly TimeSpan Window = TimeSpan.FromMilliseconds(32);

    [Fact]
    public void Speech_starts_after_three_windows_and_ends_after_the_hang_over()
    {
        string heard = Run(new VadOptions { HangOver = TimeSpan.FromMilliseconds(96) }, 0.9f, 0.9f, 0.9f, 0.9f, 0.1f, 0.1f, 0.1f, 0.1f);
        Assert.Equal("..S###E.", heard);
    }

    [Fact]
    public void A_click_does_not_start_speech() => Assert.Equal("......", Run(VadOptions.Default, 0.9f, 0.9f, 0.1f, 0.9f, 0.9f, 0.1f));

    [Fact]
    public void A_value_between_the_thresholds_neither_starts_nor_ends() =>
        Assert.Equal("..S######", Run(new VadOptions { HangOver = Window }, 0.9f, 0.9f, 0.9f, 0.4f, 0.4f, 0.4f, 0.4f, 0.4f, 0.4f));

    [Fact]
    public void A_pause_shorter_than_the_hang_over_does_not_end_speech() =>
        Assert.Equal("..S######", Run(new VadOptions { HangOver = Window * 3 }, 0.9f, 0.9f, 0.9f, 0.1f, 0.1f, 0.9f, 0.1f, 0.1f, 0.9f));

    private static string Run(VadOptions options, params float[] probabilities)
    {
        var gate = new SpeechGate(options);
        return string.Concat(probabilities.Select(probability =>
        {
            var frame = gate.Next(probability, Window);
            return frame.SpeechStarted ? 'S' : frame.SpeechEnded ? 'E' : frame.IsSpeech ? '#' : '.';
        }));
    }
}
