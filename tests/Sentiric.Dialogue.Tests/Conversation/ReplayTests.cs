using System.Text.Json;
using Sentiric.Contracts.Events;
using Xunit;

namespace Sentiric.Dialogue.Tests;

public sealed class ReplayTests
{
    [Fact]
    public void The_same_stored_inputs_give_the_same_decisions_byte_for_byte()
    {
        var call = Booking();
        var stored = call.Inputs.Select(i => JsonSerializer.Serialize(i, DialogueJson.Default.DialogueInput)).ToArray();
        var (state, effects) = (DialogueState.New, new List<DialogueEffect>());
        foreach (var json in stored)
        {
            var input = JsonSerializer.Deserialize(json, DialogueJson.Default.DialogueInput);
            Assert.NotNull(input);
            (state, var done) = DialogueStep.Next(state, input);
            effects.AddRange(done);
        }

        Assert.Equal(Bytes(call.Effects), Bytes(effects));
        Assert.Equal(JsonSerializer.Serialize(call.State, DialogueJson.Default.DialogueState), JsonSerializer.Serialize(state, DialogueJson.Default.DialogueState));
    }

    [Fact]
    public void A_call_replays_from_its_journal()
    {
        var call = Booking();
        var plan = new DialplanResolution(Clinic.Tenant, "ana", 1, DialplanAction.StartAiConversation, new(), null, null, "tr", "normal", [], Clinic.Turkish, null);
        object started = new CallStarted(Clinic.Start, "+905321112233", "100", CallDirection.Inbound, plan, null, new("m1", "", "", "PCMA"));
        var effects = Replay.Run(Clinic.CallId, Clinic.Tenant, call.Notes.Prepend(started), Clinic.AnswerOf, new DialogueOptions());
        Assert.Equal(Decisions(call.Effects), Decisions(effects));
    }

    [Fact]
    public void A_call_that_was_to_be_connected_replays_with_whom_and_what_came_of_it()
    {
        const string office = "+902129998877", customer = "+905321112233";
        var setup = Clinic.Setup(Clinic.Turkish, null, false, false) with { Person = office, Contact = customer };
        var call = new ScriptedCall(setup).Caller("müşteri temsilcisine bağlanmak istiyorum").Do(at => new TransferBegan(at));
        var connected = call.Notes.ToList();
        call.Do(at => new TransferGaveUp(at, CallEndReason.Busy));
        var journal = connected.Append(new TransferFailed(Clinic.Start.AddMinutes(1), office, CallEndReason.Busy, 486)).Concat(call.Notes.Skip(connected.Count));
        var plan = new DialplanResolution(Clinic.Tenant, "ana", 1, DialplanAction.StartAiConversation, new(Target: office), null, null, "tr", "normal", [], Clinic.Turkish, null);
        object started = new CallStarted(Clinic.Start, "100", customer, CallDirection.Outbound, plan, null, new("m1", "", "", "PCMA"));
        var effects = Replay.Run(Clinic.CallId, Clinic.Tenant, journal.Prepend(started), Clinic.AnswerOf, new DialogueOptions());
        Assert.Equal(Decisions(call.Effects), Decisions(effects));
        Assert.Single(effects.OfType<Note>(), note => note.Event is TransferRequested { To: office });
    }

    // D27
    [Fact]
    public void Another_process_goes_on_in_the_middle_of_a_form()
    {
        var call = new ScriptedCall().Caller("salı günü randevu almak istiyorum").Agent("Saat kaçta");
        var stored = JsonSerializer.Serialize(call.State, DialogueJson.Default.DialogueState);
        var restored = JsonSerializer.Deserialize(stored, DialogueJson.Default.DialogueState);
        Assert.NotNull(restored);
        var next = new ScriptedCall(restored).Do(at => new Resumed(at)).Agent("kesinti oldu", "Saat kaçta");
        next.Caller("saat onda").Agent("Adınızı").Caller("adım ayşe yılmaz").Agent("Salı günü saat 10:00").Caller("evet").Agent("alındı");
        Assert.Equal((Clinic.Tenant, "tr"), (next.State.Setup?.Tenant, next.State.Setup?.Language));
    }

    // D47
    [Fact]
    public void A_tool_call_under_way_is_made_again_with_the_same_key()
    {
        var call = new ScriptedCall().Caller("salı günü saat onda randevu almak istiyorum").Caller("adım ayşe yılmaz");
        call.HoldWork = true;
        call.Caller("evet");
        var next = new ScriptedCall(call.State).Do(at => new Resumed(at)).Agent("alındı");
        Assert.Equal(call.Calls.Single().IdempotencyKey, next.Calls.Single().IdempotencyKey);
    }

    private static ScriptedCall Booking()
    {
        var call = new ScriptedCall().Caller("merhaba randevu almak istiyorum").Caller("yarın").Timer(DialogueTimer.NoInput).Caller("adresiniz nedir").Caller("on buçukta").Caller("ayşe yılmaz").Caller("hayır saat on birde").Caller("evet");
        call.HoldPlayback = true;
        call.Caller("çalışma saatleriniz nedir").BargeIn(1_500);
        call.HoldPlayback = false;
        return call.Caller("hayır teşekkürler iyi günler");
    }

    private static string Bytes(IEnumerable<DialogueEffect> effects) =>
        string.Join('\n', effects.Select(e => e is Note note ? note.Event.GetType().Name + JsonSerializer.Serialize(note.Event, note.Event.GetType()) : e.GetType().Name + JsonSerializer.Serialize(e, e.GetType())));

    // Offsets and lengths of playbacks are the runner's; what was decided is compared.
    private static string Decisions(IEnumerable<DialogueEffect> effects) => Bytes(effects.Where(e => e is Say or CallTool or SearchTheKnowledge or CompleteTurn or HangUp));
}
