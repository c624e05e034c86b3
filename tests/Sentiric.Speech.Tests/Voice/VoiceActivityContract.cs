using Sentiric.Speech.Tests.Kit;

namespace Sentiric.Speech.Tests.Voice;

/// <summary>What every voice activity detector does.</summary>
public abstract class VoiceActivityContract
{
    private const int FrameSamples = 160;
    private static readonly TimeSpan EdgeTolerance = TimeSpan.FromMilliseconds(150);

    protected abstract IVoiceActivityDetectorFactory Factory { get; }

    [SpeechFact]
    public void Silence_stays_silent() => Assert.Empty(Segments(Sound.Silence(3000)));

    [SpeechFact]
    public void Line_noise_stays_silent() => Assert.Empty(Segments(Sound.OverThePhone(Sound.Noise(5000, amplitude: 60))));

    [SpeechFact]
    public void A_click_is_no_speech()
    {
        short[] audio = Sound.Silence(2000);
        audio.AsSpan(8000, 40).Fill(20_000);
        Assert.Empty(Segments(audio));
    }

    [SpeechFact]
    [Needs(Need.Espeak)]
    public async Task Each_utterance_is_one_segment_with_its_edges_within_150_ms()
    {
        short[] first = Trimmed(await Engines.SayAsync("merhaba"));
        short[] second = Trimmed(await Engines.SayAsync("randevu almak istiyorum", "tr+f2"));
        short[] audio = Sound.OverThePhone([.. Sound.Silence(1000), .. first, .. Sound.Silence(900), .. second, .. Sound.Silence(1000)]);
        var segments = Segments(audio);
        Assert.Equal(2, segments.Count);
        AssertNear(1.0, segments[0].Start);
        AssertNear(1.0 + Seconds(first), segments[0].End);
        AssertNear(1.9 + Seconds(first), segments[1].Start);
        AssertNear(1.9 + Seconds(first) + Seconds(second), segments[1].End);
    }

    [SpeechFact]
    [Needs(Need.Espeak)]
    public async Task After_a_reset_the_same_audio_gives_the_same_answers()
    {
        short[] audio = [.. Sound.Silence(300), .. await Engines.SayAsync("evet"), .. Sound.Silence(600)];
        using var detector = Factory.Create(VadOptions.Default);
        var first = Frames(detector, audio);
        detector.Reset();
        Assert.Equal(first, Frames(detector, audio));
    }

    [SpeechFact]
    [Needs(Need.Espeak)]
    public async Task Frames_of_odd_length_give_the_same_segments()
    {
        short[] audio = [.. Sound.Silence(500), .. await Engines.SayAsync("teşekkür ederim"), .. Sound.Silence(800)];
        using var detector = Factory.Create(VadOptions.Default);
        int starts = 0;
        int ends = 0;
        for (int at = 0; at < audio.Length; at += 1003)
        {
            var frame = detector.Process(audio.AsSpan(at, Math.Min(1003, audio.Length - at)));
            starts += frame.SpeechStarted ? 1 : 0;
            ends += frame.SpeechEnded ? 1 : 0;
        }

        Assert.Equal((1, 1), (starts, ends));
    }

    [SpeechFact]
    public void An_empty_frame_changes_nothing()
    {
        using var detector = Factory.Create(VadOptions.Default);
        Assert.Equal(new VadFrame(0, false, false, false), detector.Process([]));
    }

    /// <summary>The detector's segments in audio time: what it says late by its own rules (start delay, hang-over) is taken off.</summary>
    private List<(TimeSpan Start, TimeSpan End)> Segments(short[] audio)
    {
        var options = VadOptions.Default;
        using var detector = Factory.Create(options);
        var segments = new List<(TimeSpan Start, TimeSpan End)>();
        var now = TimeSpan.Zero;
        foreach (var frame in Frames(detector, audio))
        {
            now += TimeSpan.FromMilliseconds(20);
            if (frame.SpeechStarted)
            {
                segments.Add((now - options.StartAfter, TimeSpan.MaxValue));
            }

            if (frame.SpeechEnded)
            {
                segments[^1] = (segments[^1].Start, now - options.HangOver);
            }
        }

        return segments;
    }

    private static List<VadFrame> Frames(IVoiceActivityDetector detector, short[] audio) =>
        [.. audio.Chunk(FrameSamples).Select(frame => detector.Process(frame))];

    /// <summary>Without the quiet edges that a synthesiser adds, so that the true edges are known.</summary>
    private static short[] Trimmed(short[] speech)
    {
        const int Audible = 500;
        int first = Array.FindIndex(speech, sample => Math.Abs((int)sample) > Audible);
        int last = Array.FindLastIndex(speech, sample => Math.Abs((int)sample) > Audible);
        return speech[first..(last + 1)];
    }

    private static double Seconds(short[] audio) => (double)audio.Length / Sound.Rate;

    private static void AssertNear(double expectedSeconds, TimeSpan actual)
    {
        var off = (actual - TimeSpan.FromSeconds(expectedSeconds)).Duration();
        Assert.True(off <= EdgeTolerance, $"the edge lies at {actual.TotalSeconds:F3} s, {off.TotalMilliseconds:F0} ms off {expectedSeconds:F3} s");
    }
}

[Needs(Need.Runtime | Need.SileroModel)]
public class SileroVadTests : VoiceActivityContract
{
    protected override IVoiceActivityDetectorFactory Factory => Engines.Silero;
}

public class EnergyVadTests : VoiceActivityContract
{
    protected override IVoiceActivityDetectorFactory Factory { get; } = new EnergyVadFactory();
}
