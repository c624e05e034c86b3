using Sentiric.Calls.Tests.Kit;
using Sentiric.Contracts.Events;
using Sentiric.Sip;
using Sentiric.Testing.Loopback;

namespace Sentiric.Calls.Tests;

/// <summary>Connecting a live call with a number: by us, by the carrier, and what happens when the number cannot be had.</summary>
public sealed class TransferringCalls
{
    private const string Office = "+902129998877";

    [Fact]
    public async Task The_number_answers_and_both_are_joined_until_it_hangs_up()
    {
        await using var carrier = await Carrier.StartAsync();
        await using var board = await TellingAnOutgoingCall.StartAsync(carrier.Trunk());
        var phone = await board.AnsweredAsync();
        Transfer(board, Office);
        var office = await carrier.AnswersAsync();
        await board.Journal.UntilAsync<TransferCompleted>();
        Assert.Equal((board.CallId.ToString("N"), board.CallId.ToString("N") + "transfer"), Assert.Single(board.Neighbours.Joined));
        Assert.Equal("+902121234567", office.RemoteUri.User);

        await office.ByeAsync();
        await phone.HearRequestAsync("BYE");
        var story = await board.EndedAsync();
        Assert.Equal((Office, TransferWay.Bridge, "carrier", 200), Told(story.OfType<TransferCompleted>().Single()));
        AssertEnd(story, CallEndReason.Normal, HungUpBy.Callee);
    }

    [Fact]
    public async Task While_the_number_rings_the_caller_hears_music_and_each_hears_it_while_the_other_holds()
    {
        await using var carrier = await Carrier.StartAsync();
        await using var board = await TellingAnOutgoingCall.StartAsync(carrier.Trunk());
        var phone = await board.AnsweredAsync();
        Transfer(board, Office);
        var invite = await carrier.RingsAsync();
        var caller = board.CallId.ToString("N");
        Assert.Equal((caller, true), Assert.Single(board.Neighbours.Music));
        var office = (await Soon.Within(invite.AnswerAsync(UdpPhone.Sdp), "the ACK of our call")).Dialog!;
        await board.Journal.UntilAsync<TransferCompleted>();
        Assert.Equal((caller, false), board.Neighbours.Music[^1]);

        await office.ReinviteAsync(UdpPhone.Sdp + "a=sendonly\r\n");
        Assert.Equal(HungUpBy.Callee, (await board.Journal.UntilAsync<CallHeld>()).OfType<CallHeld>().Single().By);
        Assert.Equal((caller, true), board.Neighbours.Music[^1]);
        await office.ReinviteAsync(UdpPhone.Sdp);
        Assert.Equal(HungUpBy.Callee, (await board.Journal.UntilAsync<CallResumed>()).OfType<CallResumed>().Single().By);
        Assert.Equal((caller, false), board.Neighbours.Music[^1]);
        phone.Bye();
        await board.EndedAsync();
    }

    [Fact]
    public async Task When_the_caller_hangs_up_the_number_hears_BYE_too()
    {
        await using var carrier = await Carrier.StartAsync();
        await using var board = await TellingAnOutgoingCall.StartAsync(carrier.Trunk());
        var phone = await board.AnsweredAsync();
        Transfer(board, Office);
        var office = await carrier.AnswersAsync();
        await board.Journal.UntilAsync<TransferCompleted>();
        phone.Bye();
        Assert.Equal(SipDialogEndCause.RemoteBye, (await Soon.Within(office.Ended, "the BYE at the office")).Cause);
        AssertEnd(await board.EndedAsync(), CallEndReason.Normal, HungUpBy.Caller);
    }

    [Fact]
    public async Task When_the_caller_hangs_up_while_the_number_rings_it_is_cancelled()
    {
        await using var carrier = await Carrier.StartAsync();
        await using var board = await TellingAnOutgoingCall.StartAsync(carrier.Trunk());
        var phone = await board.AnsweredAsync();
        Transfer(board, Office);
        var invite = await carrier.RingsAsync();
        await invite.RingingAsync();
        phone.Bye();
        var story = await board.EndedAsync();
        Assert.Equal(CallEndReason.Cancelled, story.OfType<TransferFailed>().Single().Reason);
        AssertEnd(story, CallEndReason.Normal, HungUpBy.Caller);
        Assert.True(invite.Cancelled.IsCancellationRequested);
    }

    [Fact]
    public async Task When_the_number_is_busy_the_call_goes_on_and_may_be_transferred_again()
    {
        await using var carrier = await Carrier.StartAsync();
        await using var board = await TellingAnOutgoingCall.StartAsync(carrier.Trunk());
        var phone = await board.AnsweredAsync();
        Transfer(board, Office);
        await (await carrier.RingsAsync()).RejectAsync(486);
        var failed = (await board.Journal.UntilAsync<TransferFailed>()).OfType<TransferFailed>().Single();
        Assert.Equal((Office, CallEndReason.Busy, 486), (failed.To, failed.Reason, failed.SipCode));
        Assert.False(board.Calls.Find(board.CallId)!.EndAsked.IsCompleted);
        Assert.Equal([true, false], board.Neighbours.Music.Select(m => m.On));

        Transfer(board, Office);
        await carrier.AnswersAsync();
        await board.Journal.UntilAsync<TransferCompleted>();
        phone.Bye();
        await board.EndedAsync();
    }

    [Fact]
    public async Task A_transfer_that_the_toll_rules_forbid_is_not_dialled()
    {
        await using var carrier = await Carrier.StartAsync();
        await using var board = await TellingAnOutgoingCall.StartAsync(carrier.Trunk());
        var phone = await board.AnsweredAsync();
        Transfer(board, "+15550001122");
        var story = await board.Journal.UntilAsync<TransferFailed>();
        Assert.Equal(TollRule.Prefix, story.OfType<CallTollRefused>().Single().Rule);
        Assert.Equal((CallEndReason.Policy, 0), (story.OfType<TransferFailed>().Single().Reason, story.OfType<TransferFailed>().Single().SipCode));
        Assert.Equal(0, carrier.Heard);
        phone.Bye();
        AssertEnd(await board.EndedAsync(), CallEndReason.Normal, HungUpBy.Caller);
    }

    [Fact]
    public async Task A_carrier_that_takes_REFER_takes_the_call_away()
    {
        await using var carrier = await Carrier.StartAsync();
        await using var board = await TellingAnOutgoingCall.StartAsync(carrier.Trunk() with { TakesRefer = true });
        TellingAnOutgoingCall.Place(board);
        string? asked = null;
        await carrier.AnswersAsync(async referral =>
        {
            asked = referral.ReferTo.Uri.UserText;
            await referral.NotifyAsync(200);
            return new SipAnswer(202);
        });
        await board.Journal.UntilAsync<CallStarted>();
        Transfer(board, Office);
        var story = await board.EndedAsync();
        Assert.Equal(Office, asked);
        Assert.Equal((Office, TransferWay.Refer, "carrier", 200), Told(story.OfType<TransferCompleted>().Single()));
        AssertEnd(story, CallEndReason.Transferred, HungUpBy.System);
    }

    [Fact]
    public async Task A_carrier_that_refuses_REFER_changes_nothing()
    {
        await using var carrier = await Carrier.StartAsync();
        await using var board = await TellingAnOutgoingCall.StartAsync(carrier.Trunk() with { TakesRefer = true });
        TellingAnOutgoingCall.Place(board);
        var dialog = await carrier.AnswersAsync(_ => Task.FromResult(new SipAnswer(603)));
        await board.Journal.UntilAsync<CallStarted>();
        Transfer(board, Office);
        var failed = (await board.Journal.UntilAsync<TransferFailed>()).OfType<TransferFailed>().Single();
        Assert.Equal((CallEndReason.Rejected, 603), (failed.Reason, failed.SipCode));
        await dialog.ByeAsync();
        AssertEnd(await board.EndedAsync(), CallEndReason.Normal, HungUpBy.Callee);
    }

    [Fact]
    public async Task The_target_of_a_REFER_is_asked_of_the_toll_rules_too()
    {
        await using var carrier = await Carrier.StartAsync();
        await using var board = await TellingAnOutgoingCall.StartAsync(carrier.Trunk() with { TakesRefer = true });
        TellingAnOutgoingCall.Place(board);
        var asked = false;
        var dialog = await carrier.AnswersAsync(_ =>
        {
            asked = true;
            return Task.FromResult(new SipAnswer(202));
        });
        await board.Journal.UntilAsync<CallStarted>();
        Transfer(board, "+15550001122");
        Assert.Equal(TollRule.Prefix, (await board.Journal.UntilAsync<TransferFailed>()).OfType<CallTollRefused>().Single().Rule);
        await dialog.ByeAsync();
        await board.EndedAsync();
        Assert.False(asked);
    }

    // Nobody asks for a transfer before an agent is there.
    internal static void Transfer(Switchboard board, string to)
    {
        board.Hear("agent.took_over");
        board.Hear("call.transfer.requested", new TransferRequested(board.Clock.GetUtcNow(), to));
    }

    private static (string, TransferWay, string?, int) Told(TransferCompleted told) => (told.To, told.Way, told.Trunk, told.SipCode);

    private static void AssertEnd(IReadOnlyList<object> story, CallEndReason reason, HungUpBy by)
    {
        var end = Assert.IsType<CallEnded>(story[^1]);
        Assert.Equal((reason, by), (end.Reason, end.HungUpBy));
    }
}
