using Sentiric.Contracts.Events;
using Xunit;

namespace Sentiric.Dialogue.Tests;

public sealed class InterruptionTests
{
    // D30
    [Fact]
    public void Two_finals_make_one_answer()
    {
        var call = new ScriptedCall().Caller("adresiniz nedir");
        call.HoldPlayback = true;
        call.Caller("salı günü").BargeIn(300).Caller("saat onda randevu almak istiyorum");
        Assert.Equal("Adınızı söyler misiniz?", call.Said[^1].Text);
        Assert.Equal(2, call.State.Turn);
        call.HoldPlayback = false;
        call.Hear();
        var turn = call.Effects.OfType<CompleteTurn>().Single(t => t.Turn == 2);
        Assert.Equal("salı günü saat onda randevu almak istiyorum", turn.Heard);
        Assert.Equal("Adınızı söyler misiniz?", turn.Answered);
    }

    [Fact]
    public void Words_after_a_heard_answer_are_a_new_turn()
    {
        var call = new ScriptedCall { HoldPlayback = true };
        call.Caller("randevu almak istiyorum").BargeIn(1_500).Caller("salı günü").Agent("Saat kaçta");
        Assert.Equal(2, call.State.Turn);
    }

    [Fact]
    public void A_tool_that_was_called_is_not_called_again_for_more_words()
    {
        var call = new ScriptedCall().Caller("salı günü saat onda randevu almak istiyorum").Caller("adım ayşe yılmaz");
        call.HoldWork = true;
        call.Caller("evet").Caller("yani evet");
        Assert.Single(call.Calls);
    }

    // D31
    [Fact]
    public void An_interrupted_answer_is_remembered_as_far_as_it_was_heard()
    {
        var call = new ScriptedCall().Caller("randevu almak istiyorum");
        call.HoldPlayback = true;
        call.Caller("adresiniz nedir");
        var full = call.Said[^1].Text;
        call.BargeIn(1_000).Caller("tamam anladım yarın olsun");
        var line = call.State.History.Last(l => l.Speaker == Speaker.Agent);
        Assert.Equal("Bahariye", line.Text);
        Assert.Equal(full, line.FullText);
        var transcript = call.Notes.OfType<TranscriptFinal>().Last(t => t.Speaker == Speaker.Agent);
        Assert.Equal((line.Text, full), (transcript.Text, transcript.FullText));
    }

    // D44
    [Theory]
    [InlineData("hı hı")]
    [InlineData("evet")]
    [InlineData("tamam")]
    public void Listening_noises_do_not_disturb_the_agent(string noise)
    {
        var call = new ScriptedCall { HoldPlayback = true };
        call.Caller("adresiniz nedir").Caller(noise).Silent();
        Assert.Equal(1, call.State.Turn);
        Assert.DoesNotContain(call.Effects, e => e is StopTalking);
        Assert.Contains(call.Notes, n => n is TranscriptFinal { Speaker: Speaker.Caller } said && said.Text == noise);
    }

    // D44: a word into a statement shows that one listens; into the question that asks for it, it is the answer.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_yes_over_the_end_of_a_confirmation_confirms(bool cutsOff)
    {
        var call = Confirming();
        call.Do(at => new UtteranceStarted(at, call.Said[^1].Id));
        call.Wait(cutsOff ? 2_500 : 1_500);
        if (cutsOff)
        {
            call.BargeIn(2_500);
        }

        call.Caller("evet").Agent("alındı");
        Assert.Equal("salı", Assert.Single(call.Calls).Parameters["day"]);
        Assert.Equal("evet", call.State.Open?.Heard);
    }

    [Fact]
    public void A_yes_before_the_confirmation_can_be_known_confirms_nothing()
    {
        var call = Confirming();
        call.Do(at => new UtteranceStarted(at, call.Said[^1].Id)).Wait(-600);
        call.Caller("evet").Silent();
        Assert.Empty(call.Calls);
        Assert.DoesNotContain(call.Effects, e => e is StopTalking);
    }

    [Fact]
    public void A_yes_between_an_abandoned_question_and_the_next_confirms_nothing()
    {
        var call = Confirming();
        call.Do(at => new UtteranceStarted(at, call.Said[^1].Id)).Wait(3_000);
        var abandoned = call.Said[^1].Id;
        call.Caller("hayır çarşamba olsun").Agent("Çarşamba");
        call.Caller("evet").Silent();
        call.Do(at => new UtteranceInterrupted(at, abandoned, 0, 3_000, 5_000)).Caller("evet").Silent();
        Assert.Empty(call.Calls);
    }

    [Fact]
    public void A_yes_into_a_statement_confirms_nothing_though_a_confirmation_is_open()
    {
        var call = Confirming();
        call.HoldPlayback = false;
        call.Hear();
        call.HoldPlayback = true;
        call.Caller("adresiniz nedir").Agent("Bahariye", "onaylıyor musunuz");
        call.Do(at => new UtteranceStarted(at, call.Said[^1].Id)).Wait(2_000).Caller("evet").Silent();
        Assert.Empty(call.Calls);
    }

    [Fact]
    public void A_value_over_the_end_of_its_question_is_taken_and_a_noise_is_not()
    {
        var call = new ScriptedCall { HoldPlayback = true };
        call.Caller("randevu almak istiyorum").Agent("Hangi gün");
        call.Do(at => new UtteranceStarted(at, call.Said[^1].Id)).Wait(2_000);
        call.Caller("evet").Silent();
        Assert.Equal(1, call.State.Turn);
        call.Caller("salı günü").Agent("Saat kaçta");
        Assert.Equal(2, call.State.Turn);
    }

    // D45
    [Fact]
    public void A_false_interruption_resumes_with_the_words_that_were_not_heard()
    {
        var call = new ScriptedCall { HoldPlayback = true };
        call.Caller("adresiniz nedir").BargeIn(1_000).Do(at => new CallerFellSilent(at)).Agent("Caddesi on iki numaradayız.");
    }

    [Fact]
    public void A_false_interruption_by_a_listener_resumes_too()
    {
        var call = new ScriptedCall { HoldPlayback = true };
        call.Caller("adresiniz nedir").BargeIn(1_000).Caller("hı hı").Agent("Caddesi on iki numaradayız.");
    }

    [Fact]
    public void The_disclosure_cannot_be_cut_short()
    {
        var call = new ScriptedCall(Clinic.Setup(Clinic.Turkish), hold: true).BargeIn(500);
        Assert.DoesNotContain(call.Effects, e => e is StopTalking);
    }

    [Fact]
    public void An_abandoned_answer_is_never_resumed()
    {
        var call = new ScriptedCall { HoldPlayback = true };
        call.Caller("adresiniz nedir").Caller("muayene ücreti ne kadar").Do(at => new UtteranceInterrupted(at, call.Said[^2].Id, 0, 100, 5_000));
        call.Do(at => new CallerFellSilent(at)).Silent();
    }

    // The confirmation is about to be said.
    private static ScriptedCall Confirming()
    {
        var call = new ScriptedCall().Caller("salı günü saat onda randevu almak istiyorum");
        call.HoldPlayback = true;
        return call.Caller("adım ayşe yılmaz").Agent("onaylıyor musunuz");
    }
}
