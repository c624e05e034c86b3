using Sentiric.Testing;

namespace Sentiric.Media.Tests;

public class PlayingToThoseWhoWait
{
    private const int Second = Tone.SampleRate;

    [Fact]
    public void The_tune_is_as_loud_as_a_voice_never_clips_and_never_falls_silent()
    {
        var tune = HoldTune.Samples.Span;
        Assert.Equal(24 * Second, tune.Length);
        Assert.InRange(20 * Math.Log10(Signals.Rms(tune) / short.MaxValue), -30, -15);
        for (var at = 0; at + 2 * Second <= tune.Length; at += Second) Assert.True(Signals.Rms(tune.Slice(at, 2 * Second)) > 300, $"second {at / Second}");
        for (var i = 0; i < tune.Length; i++) Assert.InRange(tune[i], -30_000, 30_000);
    }

    [Fact]
    public void Nobody_hears_where_it_begins_again()
    {
        var tune = HoldTune.Samples.Span;
        var usual = 0;
        for (var i = 1; i < tune.Length; i++) usual = Math.Max(usual, Math.Abs(tune[i] - tune[i - 1]));
        Assert.True(Math.Abs(tune[0] - tune[^1]) <= usual);
    }

    [Fact]
    public void It_goes_on_where_it_was_and_silence_of_half_a_second_does_not_keep_it_away()
    {
        short[] piece = [.. Enumerable.Range(1, 320).Select(i => (short)(1_000 + i))];
        var (stage, frame) = (new MusicStage(piece), new short[160]);
        Assert.True(stage.Process(frame, isHeard: false));
        Assert.Equal(1_001, frame[0]);
        Array.Fill(frame, (short)5_000);
        Assert.True(stage.Process(frame, isHeard: true));
        Assert.All(frame, sample => Assert.Equal(5_000, sample));
        for (var tick = 0; tick < 24; tick++)
        {
            Array.Clear(frame);
            Assert.True(stage.Process(frame, isHeard: true));
            Assert.Equal(0, frame[0]);
        }
        Assert.True(stage.Process(frame, isHeard: true));
        Assert.Equal(1_161, frame[0]);
    }

    [Fact]
    public void Music_and_a_supervisor_s_voice_allocate_nothing_per_frame()
    {
        var (music, relay, frame) = (new MusicStage(HoldTune.Samples), new RelayStage(frames: 50, startAt: 5), new short[160]);
        Once();
        Garbage.IsNone(_ =>
        {
            for (var i = 0; i < 1_000; i++) Once();
        });

        void Once()
        {
            Array.Clear(frame);
            relay.Bring(frame);
            music.Process(frame, relay.Process(frame, isHeard: false));
        }
    }
}
