using Sentiric.Contracts.Events;
using Xunit;

namespace Sentiric.Dialogue.Tests;

/// <summary>Somebody else is called for the caller: who wished it, what the caller hears, what happens when nobody is reached.</summary>
public sealed class TransferringTests
{
    private const string Office = "+902129998877";

    [Fact]
    public void Who_wants_a_person_is_connected_where_the_plan_names_one()
    {
        var call = WithPerson().Caller("müşteri temsilcisine bağlanmak istiyorum").Agent("Sizi bağlıyorum");
        Assert.Equal(Office, Assert.Single(call.Notes.OfType<TransferRequested>()).To);
        call.Do(at => new TransferBegan(at)).Silent();
        Assert.Equal(Phase.Transferring, call.State.Phase);
    }

    [Fact]
    public void A_transfer_that_an_operator_wants_is_announced()
    {
        var call = WithPerson().Caller("randevu almak istiyorum").Do(at => new TransferBegan(at)).Agent("Sizi bağlıyorum, lütfen hatta kalın.");
        Assert.Empty(call.Notes.OfType<TransferRequested>());
    }

    [Fact]
    public void While_it_rings_the_agent_neither_answers_nor_asks()
    {
        var call = WithPerson().Do(at => new TransferBegan(at)).Caller("alo").Silent();
        call.Timer(DialogueTimer.NoInput).Silent();
        Assert.Contains(call.Notes.OfType<TranscriptFinal>(), line => line is { Speaker: Speaker.Caller, Text: "alo" });
    }

    [Fact]
    public void When_nobody_is_reached_the_conversation_goes_on_with_its_open_question()
    {
        var call = WithPerson().Caller("randevu almak istiyorum").Do(at => new TransferBegan(at)).Do(at => new TransferGaveUp(at)).Agent("bağlayamadım", "gün");
        Assert.Equal(Phase.Talking, call.State.Phase);
        call.Caller("yarın").Agent("Saat");
    }

    [Fact]
    public void A_transfer_that_failed_before_anybody_heard_of_it_changes_nothing() => WithPerson().Do(at => new TransferGaveUp(at)).Silent();

    [Fact]
    public void Who_says_good_bye_is_not_held_back()
    {
        var call = WithPerson().Caller("çalışma saatleriniz nedir");
        call.HoldPlayback = true;
        call.Caller("teşekkürler hoşça kalın").Agent("hoşça kalın").Do(at => new TransferBegan(at)).Silent();
        Assert.Equal(Phase.Closing, call.State.Phase);
    }

    [Fact]
    public void A_plan_that_only_connects_says_so_and_has_the_number_called()
    {
        var call = Connecting().Agent("Sizi bağlıyorum", "kaydedilmektedir");
        Assert.Equal(Office, Assert.Single(call.Notes.OfType<TransferRequested>()).To);
        call.Do(at => new TransferBegan(at)).Silent();
        Assert.Equal((Phase.Transferring, null), (call.State.Phase, call.HungUp));
    }

    [Theory]
    [InlineData(CallEndReason.Busy)]
    [InlineData(CallEndReason.NoAnswer)]
    public void A_plan_that_only_connects_ends_with_words_and_the_reason_when_nobody_is_reached(CallEndReason reason)
    {
        var call = Connecting();
        call.HoldPlayback = true;
        call.Do(at => new TransferGaveUp(at, reason)).Agent("aktaramıyoruz");
        Assert.Null(call.HungUp);
        Assert.Equal(reason, call.Hear().HungUp?.Reason);
    }

    private static ScriptedCall Connecting() =>
        new(Clinic.Setup(Clinic.Turkish, null, false, false) with { Assistant = null, Person = Office, Recorded = true }, DialplanAction.BridgeCall);

    private static ScriptedCall WithPerson() => new(Clinic.Setup(Clinic.Turkish, null, false, false) with { Person = Office });
}
