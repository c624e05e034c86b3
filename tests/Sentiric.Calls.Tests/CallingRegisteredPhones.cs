using Sentiric.Calls.Tests.Kit;
using Sentiric.Contracts.Events;
using Sentiric.Sip;
using Sentiric.Testing.Loopback;

namespace Sentiric.Calls.Tests;

/// <summary>Outgoing calls and transfers to telephones that registered here, by the name that they registered under.</summary>
public sealed class CallingRegisteredPhones
{
    [Fact]
    public async Task A_name_rings_where_it_registered_and_the_toll_rules_are_not_asked()
    {
        await using var desk = await Carrier.StartAsync();
        await using var board = await Switchboard.StartAsync();
        await board.RegisterAsync("ayse", desk.Contact);
        TellingAnOutgoingCall.Place(board, to: "ayse");
        var dialog = await desk.AnswersAsync();
        Assert.Equal(("+902121234567", "desk"), (dialog.RemoteUri.User, dialog.LocalUri.User));
        await board.Journal.UntilAsync<CallStarted>();
        await dialog.ByeAsync();
        var story = await board.EndedAsync();
        Assert.Null(story.OfType<CallDialled>().Single().Trunk);
        AssertEnd(story, CallEndReason.Normal, 200);
    }

    [Fact]
    public async Task All_telephones_of_a_name_ring_and_the_first_has_the_call()
    {
        await using var desk = await Carrier.StartAsync();
        await using var mobile = await Carrier.StartAsync();
        await using var board = await Switchboard.StartAsync();
        await board.RegisterAsync("ayse", desk.Contact, mobile.Contact);
        TellingAnOutgoingCall.Place(board, to: "ayse");
        var atDesk = await desk.RingsAsync();
        await atDesk.RingingAsync();
        var dialog = await mobile.AnswersAsync();
        await board.Journal.UntilAsync<CallStarted>();
        await Soon.Within(Cancelled(atDesk), "the CANCEL at the desk");
        await dialog.ByeAsync();
        Assert.Equal(2, (await board.EndedAsync()).OfType<CallDialled>().Count());
    }

    [Theory]
    [InlineData("ayse", CallEndReason.NoAnswer, 480)]
    [InlineData("mehmet", CallEndReason.UnknownNumber, 404)]
    [InlineData("zeynep", CallEndReason.UnknownNumber, 404)]
    public async Task Who_is_not_there_or_is_nobody_or_another_tenants_is_not_called(string name, CallEndReason reason, int status)
    {
        await using var carrier = await Carrier.StartAsync();
        await using var board = await TellingAnOutgoingCall.StartAsync(carrier.Trunk());
        await board.RegisterAsync("ayse");
        await board.RegisterAsync("zeynep", carrier.Contact);
        board.Neighbours.Owners["zeynep"] = "another";
        TellingAnOutgoingCall.Place(board, to: name);
        AssertEnd(await board.EndedAsync(), reason, status);
        Assert.Equal(0, carrier.Heard);
    }

    [Fact]
    public async Task An_extension_without_a_telephone_goes_over_the_trunk()
    {
        await using var carrier = await Carrier.StartAsync();
        await using var board = await Switchboard.StartAsync(trunks: new TrunkTable([carrier.Trunk()]), toll: new TollRules { Allow = ["1001"] });
        TellingAnOutgoingCall.Place(board, to: "1001");
        await (await carrier.RingsAsync()).RejectAsync(486);
        Assert.Equal("carrier", (await board.EndedAsync()).OfType<CallDialled>().Single().Trunk);
    }

    [Fact]
    public async Task A_caller_is_transferred_to_a_telephone_which_sees_who_calls()
    {
        await using var desk = await Carrier.StartAsync();
        await using var board = await Switchboard.StartAsync();
        await board.RegisterAsync("ayse", desk.Contact);
        var phone = await board.AnsweredAsync();
        TransferringCalls.Transfer(board, "ayse");
        var dialog = await desk.AnswersAsync();
        await board.Journal.UntilAsync<TransferCompleted>();
        Assert.Equal(UdpPhone.Number, dialog.RemoteUri.User);
        Assert.Single(board.Neighbours.Joined);
        phone.Bye();
        Assert.Equal(SipDialogEndCause.RemoteBye, (await Soon.Within(dialog.Ended, "the BYE at the desk")).Cause);
        var told = (await board.EndedAsync()).OfType<TransferCompleted>().Single();
        Assert.Equal(("ayse", TransferWay.Bridge, null), (told.To, told.Way, told.Trunk));
    }

    private static Task Cancelled(IncomingInvite invite)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        invite.Cancelled.Register(done.SetResult);
        return done.Task;
    }

    private static void AssertEnd(IReadOnlyList<object> story, CallEndReason reason, int sipCode)
    {
        var end = Assert.IsType<CallEnded>(story[^1]);
        Assert.Equal((reason, sipCode), (end.Reason, end.SipCode));
    }
}
