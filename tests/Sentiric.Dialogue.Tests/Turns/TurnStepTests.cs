using Sentiric.Speech;
using Xunit;

namespace Sentiric.Dialogue.Tests;

public sealed class TurnStepTests
{
    private static readonly TurnTakingOptions Options = new();
    private static readonly RuleTurnDetector Detector = new();

    [Fact]
    public void Speech_begins_after_sixty_milliseconds_of_voice_and_counts_from_its_first_frame()
    {
        var events = Run(Voice(5));
        Assert.Equal(new SpeechBegan(0), Assert.Single(events).Event);
        Assert.Equal(2, events[0].Frame);
    }

    [Fact]
    public void A_click_is_no_speech() => Assert.Empty(Run([.. Voice(2), .. Silence(10), .. Voice(2), .. Silence(10)]));

    [Fact]
    public void A_complete_sentence_ends_the_turn_sooner_than_an_open_one()
    {
        Assert.Equal(260, Over([.. Voice(50, "randevu almak istiyorum"), .. Silence(100, "randevu almak istiyorum")]).SilenceMs, 20.0);
        Assert.InRange(Over([.. Voice(50, "şey ben ve"), .. Silence(100, "şey ben ve")]).SilenceMs, 1_000, 3_000);
    }

    [Fact]
    public void An_answer_to_the_open_question_ends_the_turn_sooner_than_the_same_words_otherwise()
    {
        Assert.Equal(700, Over([.. Voice(40, "saat onda"), .. Silence(100, "saat onda")]).SilenceMs);
        Assert.Equal(300, Over([.. Voice(40, "saat onda"), .. Silence(100, "saat onda").Select(f => f with { IsAnswer = true })]).SilenceMs);
    }

    [Fact]
    public void A_listening_word_that_answers_the_question_takes_the_floor()
    {
        var events = Run(Voice(30, "evet", Playback.Interruptible).Select(f => f with { IsAnswer = true }));
        Assert.True(events.Single(e => e.Event is BargeIn).Frame * TurnStep.FrameMs <= 200);
    }

    [Fact]
    public void A_pause_within_a_sentence_does_not_end_it()
    {
        var events = Run([.. Voice(30, "salı"), .. Silence(8, "salı"), .. Voice(30, "salı günü olsun lütfen"), .. Silence(60, "salı günü olsun lütfen")]);
        Assert.Single(events, e => e.Event is TurnOver);
        Assert.Single(events, e => e.Event is SpeechBegan);
    }

    // D44
    [Fact]
    public void A_real_interruption_takes_the_floor_within_two_hundred_milliseconds()
    {
        var events = Run(Voice(30, "bir dakika", Playback.Interruptible));
        Assert.True(events.Single(e => e.Event is BargeIn).Frame * TurnStep.FrameMs <= 200);
    }

    [Theory]
    [InlineData("hı hı")]
    [InlineData("evet")]
    [InlineData("tamam")]
    public void Listening_noises_take_no_floor(string noise) => Assert.DoesNotContain(Run(Voice(60, noise, Playback.Interruptible)), e => e.Event is BargeIn);

    [Fact]
    public void Long_speech_of_which_nothing_is_understood_takes_the_floor() =>
        Assert.InRange(Run(Voice(60, null, Playback.Interruptible)).Single(e => e.Event is BargeIn).Frame * TurnStep.FrameMs, 500, 620);

    [Fact]
    public void What_must_be_heard_is_not_interrupted() => Assert.DoesNotContain(Run(Voice(60, "bir dakika", Playback.Uninterruptible)), e => e.Event is BargeIn);

    [Fact]
    public void Noise_without_end_is_cut() => Assert.Equal(30_000, Over(Voice(1_600)).SpeechMs, 100.0);

    private static TurnOver Over(IEnumerable<TurnFrame> frames) => Run(frames).Select(e => e.Event).OfType<TurnOver>().First();

    private static List<(TurnEvent Event, int Frame)> Run(IEnumerable<TurnFrame> frames)
    {
        var (state, events, at) = (TurnState.Quiet, new List<(TurnEvent, int)>(), 0);
        foreach (var frame in frames)
        {
            (state, var happened) = TurnStep.Next(state, frame with { OffsetMs = (at + 1) * TurnStep.FrameMs }, Options, Detector, "tr");
            events.AddRange(happened.Select(e => (e, at)));
            at++;
        }

        return events;
    }

    private static IEnumerable<TurnFrame> Voice(int frames, string? partial = null, Playback playback = Playback.None) => Enumerable.Repeat(new TurnFrame(0, true, partial, playback), frames);

    private static IEnumerable<TurnFrame> Silence(int frames, string? partial = null) => Enumerable.Repeat(new TurnFrame(0, false, partial, Playback.None), frames);
}
