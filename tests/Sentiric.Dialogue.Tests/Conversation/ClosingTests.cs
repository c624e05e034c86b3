using Sentiric.Contracts.Events;
using Xunit;

namespace Sentiric.Dialogue.Tests;

public sealed class ClosingTests
{
    [Theory]
    [InlineData("hayır teşekkür ederim iyi günler")]
    [InlineData("başka bir sorum yok")]
    [InlineData("başka bir sorum yok teşekkür ederim")]
    [InlineData("hoşça kalın")]
    [InlineData("teşekkürler görüşmek üzere")]
    [InlineData("hayır")]
    [InlineData("yok sağ olun")]
    public void A_good_bye_ends_the_call(string words)
    {
        var call = new ScriptedCall().Caller("adresiniz nedir").Caller(words).Agent("hoşça kalın");
        Assert.Equal(CallEndReason.Normal, call.HungUp?.Reason);
    }

    // D28
    [Theory]
    [InlineData("teşekkürler, bir de şunu soracaktım")]
    [InlineData("teşekkür ederim bir sorum daha var")]
    [InlineData("hayır bir dakika lütfen")]
    [InlineData("teşekkürler")]
    [InlineData("umarım")]
    public void Thanks_with_more_to_come_do_not_end_the_call(string words)
    {
        var call = new ScriptedCall().Caller("adresiniz nedir").Caller(words);
        Assert.Null(call.HungUp);
        Assert.Equal(Phase.Talking, call.State.Phase);
    }

    [Fact]
    public void Thanks_with_a_question_are_answered() =>
        new ScriptedCall().Caller("adresiniz nedir").Caller("teşekkürler bir de muayene ücreti ne kadar").Agent("beş yüz lira");

    [Fact]
    public void Good_day_as_the_first_words_greets() => Assert.Null(new ScriptedCall().Caller("iyi günler").Agent("nasıl yardımcı").HungUp);

    // D46
    [Fact]
    public void The_good_bye_is_heard_before_the_hang_up()
    {
        var call = new ScriptedCall().Caller("adresiniz nedir");
        call.HoldPlayback = true;
        call.Caller("iyi günler hoşça kalın").Agent("hoşça kalın");
        Assert.Null(call.HungUp);
        call.Hear();
        Assert.NotNull(call.HungUp);
        Assert.Equal(call.Effects[^1], call.HungUp);
    }

    [Fact]
    public void A_caller_who_remembers_something_during_the_good_bye_is_answered()
    {
        var call = new ScriptedCall().Caller("adresiniz nedir");
        call.HoldPlayback = true;
        call.Caller("hoşça kalın").Caller("muayene ücreti ne kadar").Agent("beş yüz lira").Hear().Hear();
        Assert.Null(call.HungUp);
    }

    [Fact]
    public void Three_misunderstandings_end_the_call_with_words()
    {
        var call = new ScriptedCall().Caller("abrakadabra zımbırtı").Agent("anlayamadım", "nasıl yardımcı").Caller("lorem ipsum dolor").Agent("anlayamadım").Caller("hokus pokus fidibus")
            .Agent("yardımcı olamıyorum");
        Assert.Equal(CallEndReason.Policy, call.HungUp?.Reason);
    }

    [Fact]
    public void Three_silences_end_the_call_with_words()
    {
        var call = new ScriptedCall().Timer(DialogueTimer.NoInput).Agent("duyamıyorum", "nasıl yardımcı").Timer(DialogueTimer.NoInput).Agent("duyamıyorum").Timer(DialogueTimer.NoInput)
            .Agent("yardımcı olamıyorum");
        Assert.Equal(CallEndReason.Policy, call.HungUp?.Reason);
    }

    [Fact]
    public void After_every_answer_the_silence_is_watched_for_at_most_four_seconds()
    {
        var call = new ScriptedCall().Caller("randevu almak istiyorum");
        var last = call.Effects.OfType<SetTimer>().Last(t => t.Timer == DialogueTimer.NoInput);
        Assert.True(last.Milliseconds <= 4_000);
        Assert.True(call.Effects.FindLastIndex(e => ReferenceEquals(e, last)) > call.Effects.FindLastIndex(e => e is StopTimer { Timer: DialogueTimer.NoInput }));
    }

    [Theory]
    [InlineData("recognizer")]
    [InlineData("synthesizer")]
    [InlineData("dialogue")]
    public void A_broken_engine_is_told_before_the_hang_up(string stage)
    {
        var call = new ScriptedCall().Caller("randevu almak istiyorum").Do(at => new EngineFailed(at, stage, "gone")).Agent("teknik bir sorun");
        Assert.Equal(UtteranceKind.FailSafe, call.Said[^1].Kind);
        Assert.Equal(CallEndReason.AgentFailed, call.HungUp?.Reason);
        Assert.Contains(call.Notes, n => n is AgentFailed failed && failed.Stage == stage);
    }

    [Fact]
    public void Without_any_voice_the_call_ends_at_once()
    {
        var call = new ScriptedCall { HoldPlayback = true };
        call.Do(at => new EngineFailed(at, "synthesizer", "gone")).Do(at => new EngineFailed(at, "synthesizer", "still gone"));
        Assert.Equal(CallEndReason.AgentFailed, call.HungUp?.Reason);
    }

    // D24, D25
    [Theory]
    [InlineData(DialplanAction.PlayAnnouncement, "off_hours", "mesai saatleri dışındayız", CallEndReason.AfterHours)]
    [InlineData(DialplanAction.PlayAnnouncement, "maintenance", "bakımdadır", CallEndReason.Maintenance)]
    [InlineData(DialplanAction.PlayAnnouncement, "fail_safe", "teknik bir sorun", CallEndReason.Failed)]
    [InlineData(DialplanAction.PlayAnnouncement, "unknown_number", "kullanılmamaktadır", CallEndReason.UnknownNumber)]
    [InlineData(DialplanAction.BridgeCall, "normal", "aktaramıyoruz", CallEndReason.Failed)]
    [InlineData(DialplanAction.EnqueueCall, "normal", "aktaramıyoruz", CallEndReason.Failed)]
    public void An_announcement_is_heard_and_hung_up_with_its_reason(DialplanAction action, string why, string words, CallEndReason reason)
    {
        var call = new ScriptedCall(Clinic.Setup(Clinic.Turkish), action, why, hold: true).Agent(words);
        Assert.Null(call.HungUp);
        Assert.Equal(reason, call.Hear().HungUp?.Reason);
    }

    [Fact]
    public void An_own_announcement_goes_before_the_built_in_one() =>
        new ScriptedCall(Clinic.Setup(Clinic.Turkish), DialplanAction.PlayAnnouncement, "normal", "Bayramda kapalıyız.").Agent("Bayramda kapalıyız.");

    [Fact]
    public void An_echo_test_is_announced_and_ends_by_itself()
    {
        var call = new ScriptedCall(Clinic.Setup(Clinic.Turkish), DialplanAction.EchoTest).Agent("Yankı testi");
        Assert.Single(call.Effects.OfType<StartEcho>());
        Assert.Contains(call.Effects, e => e is SetTimer { Timer: DialogueTimer.Echo, Milliseconds: <= 60_000 });
        Assert.Equal(CallEndReason.Normal, call.Timer(DialogueTimer.Echo).HungUp?.Reason);
    }

    [Fact]
    public void A_plan_without_an_assistant_fails_safely()
    {
        var call = new ScriptedCall(Clinic.Setup(Clinic.Turkish) with { Assistant = null }).Agent("teknik bir sorun");
        Assert.Equal(CallEndReason.AgentFailed, call.HungUp?.Reason);
    }

    [Fact]
    public void Nothing_happens_after_the_end()
    {
        var call = new ScriptedCall().Caller("adresiniz nedir").Caller("hoşça kalın");
        var before = call.Effects.Count;
        call.Caller("alo").Timer(DialogueTimer.NoInput);
        Assert.Equal(before, call.Effects.Count);
    }
}
