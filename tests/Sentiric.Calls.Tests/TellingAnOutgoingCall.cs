using Sentiric.Calls.Tests.Kit;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Sip;
using Sentiric.Testing.Loopback;

namespace Sentiric.Calls.Tests;

/// <summary>What the sip role writes down, whole and in order, for everything that can become of a call that somebody asked for.</summary>
public sealed class TellingAnOutgoingCall
{
    private const string Callee = "+905321112233", Ours = "+902121234567";
    private static readonly Type[] Answered =
    [
        typeof(UserIdentifiedForCall), typeof(CallDialled), typeof(CallRinging), typeof(MediaStarted), typeof(RecordingStarted), typeof(CallAnswered), typeof(CallStarted), typeof(CallEnded),
    ];

    [Fact]
    public async Task An_answered_call_that_the_callee_ends()
    {
        await using var carrier = await Carrier.StartAsync();
        await using var board = await StartAsync(carrier.Trunk());
        var requested = Place(board);
        var dialog = await carrier.AnswersAsync();
        await board.Journal.UntilAsync<CallStarted>();
        Assert.Equal((Ours, Callee), (dialog.RemoteUri.User, dialog.LocalUri.User));
        await board.AdvanceAsync(TimeSpan.FromSeconds(5), timers: 2);
        await dialog.ByeAsync();

        var story = await board.EndedAsync();
        Assert.Equal(Answered, story.Select(f => f.GetType()));
        AssertEnd(story, CallEndReason.Normal, HungUpBy.Callee, 200, answered: true);
        Assert.Equal(5_000, ((CallEnded)story[^1]).TalkMs);
        var started = story.OfType<CallStarted>().Single();
        Assert.Equal((Ours, Callee, CallDirection.Outbound, "Ayşe Yılmaz"), (started.From, started.To, started.Direction, started.CallerName));
        Assert.All(board.Journal.All, n => Assert.Equal((Neighbours.Tenant, Streams.Call(requested.CallId), "sip"), (n.Tenant, n.Stream, n.Actor)));
    }

    [Fact]
    public async Task The_ladder_of_an_outgoing_call_begins_with_our_INVITE()
    {
        await using var carrier = await Carrier.StartAsync();
        await using var board = await StartAsync(carrier.Trunk());
        Place(board);
        await (await carrier.AnswersAsync()).ByeAsync();
        await board.EndedAsync();
        var ladder = board.Journal.All.Select(n => n.Fact).OfType<SipMessageLogged>().ToList();
        Assert.StartsWith($"INVITE sip:{Callee}@", ladder[0].Summary);
        Assert.False(ladder[0].Inbound);
    }

    [Theory]
    [InlineData(486, CallEndReason.Busy)]
    [InlineData(480, CallEndReason.NoAnswer)]
    [InlineData(404, CallEndReason.UnknownNumber)]
    [InlineData(603, CallEndReason.Rejected)]
    [InlineData(488, CallEndReason.NoCommonCodec)]
    [InlineData(503, CallEndReason.Failed)]
    public async Task A_refusal_is_the_end_that_it_says(int status, CallEndReason expected)
    {
        await using var carrier = await Carrier.StartAsync();
        await using var board = await StartAsync(carrier.Trunk());
        Place(board);
        await (await carrier.RingsAsync()).RejectAsync(status);
        var story = await board.EndedAsync();
        Assert.Equal([typeof(UserIdentifiedForCall), typeof(CallDialled), typeof(CallEnded)], story.Select(f => f.GetType()));
        AssertEnd(story, expected, HungUpBy.Callee, status, answered: false);
    }

    [Fact]
    public async Task A_call_that_nobody_answers_is_given_up()
    {
        await using var carrier = await Carrier.StartAsync();
        await using var board = await StartAsync(carrier.Trunk());
        Place(board, ringSeconds: 1);
        var invite = await carrier.RingsAsync();
        var cancelled = new TaskCompletionSource();
        using var hearing = invite.Cancelled.Register(cancelled.SetResult);
        await invite.RingingAsync();
        AssertEnd(await board.EndedAsync(), CallEndReason.NoAnswer, HungUpBy.System, 487, answered: false);
        // The carrier answers the CANCEL before it tells its application.
        await Soon.Within(cancelled.Task, "the carrier to be told of the CANCEL");
    }

    [Fact]
    public async Task A_number_that_the_toll_rules_forbid_is_not_dialled()
    {
        await using var carrier = await Carrier.StartAsync();
        await using var board = await StartAsync(carrier.Trunk());
        Place(board, to: "+15550001122");
        var story = await board.EndedAsync();
        Assert.Equal([typeof(UserIdentifiedForCall), typeof(CallTollRefused), typeof(CallEnded)], story.Select(f => f.GetType()));
        Assert.Equal(TollRule.Prefix, story.OfType<CallTollRefused>().Single().Rule);
        AssertEnd(story, CallEndReason.Policy, HungUpBy.System, 403, answered: false);
        Assert.Equal(0, carrier.Heard);
    }

    [Fact]
    public async Task Minutes_that_were_talked_before_a_restart_count()
    {
        await using var carrier = await Carrier.StartAsync();
        await using var board = await StartAsync(carrier.Trunk() with { Toll = new TollRules { Allow = [""], MaxPerDay = TimeSpan.FromHours(1) } });
        await board.CountMinutesAsync(new TrunkTalkTime("carrier", 3_600_000));
        Place(board);
        Assert.Equal(TollRule.DayUsedUp, (await board.EndedAsync()).OfType<CallTollRefused>().Single().Rule);
        Assert.Equal(0, carrier.Heard);
    }

    [Fact]
    public async Task The_next_trunk_is_tried_with_media_of_its_own()
    {
        await using var first = await Carrier.StartAsync();
        await using var second = await Carrier.StartAsync();
        await using var board = await StartAsync(first.Trunk("first"), second.Trunk("second") with { Priority = 1 });
        Place(board);
        await (await first.RingsAsync()).RejectAsync(503);
        var dialog = await second.AnswersAsync();
        await board.Journal.UntilAsync<CallStarted>();
        Assert.Single(board.Neighbours.Open);
        Assert.Equal("second", board.Calls.All.Single().Trunk);
        await dialog.ByeAsync();
        var story = await board.EndedAsync();
        Assert.Equal(["first", "second"], story.OfType<CallDialled>().Select(d => d.Trunk));
    }

    [Fact]
    public async Task Without_a_trunk_the_call_fails()
    {
        await using var board = await StartAsync();
        Place(board);
        AssertEnd(await board.EndedAsync(), CallEndReason.Failed, HungUpBy.Callee, 503, answered: false);
    }

    [Fact]
    public async Task A_command_ends_a_call_that_rings()
    {
        await using var carrier = await Carrier.StartAsync();
        await using var board = await StartAsync(carrier.Trunk());
        Place(board);
        var invite = await carrier.RingsAsync();
        await invite.RingingAsync();
        await board.Journal.UntilAsync<CallRinging>();
        board.Terminate();
        AssertEnd(await board.EndedAsync(), CallEndReason.Terminated, HungUpBy.System, 487, answered: false);
        Assert.True(invite.Cancelled.IsCancellationRequested);
    }

    [Fact]
    public async Task A_command_ends_a_call_that_was_answered()
    {
        await using var carrier = await Carrier.StartAsync();
        await using var board = await StartAsync(carrier.Trunk());
        Place(board);
        var dialog = await carrier.AnswersAsync();
        await board.Journal.UntilAsync<CallStarted>();
        board.Terminate();
        AssertEnd(await board.EndedAsync(), CallEndReason.Terminated, HungUpBy.System, 200, answered: true);
        Assert.Equal(SipDialogEndCause.RemoteBye, (await Soon.Within(dialog.Ended, "the BYE at the carrier")).Cause);
    }

    [Fact]
    public async Task A_wish_that_waited_too_long_is_not_carried_out()
    {
        await using var carrier = await Carrier.StartAsync();
        await using var board = await StartAsync(carrier.Trunk());
        Place(board, age: PlacedCall.LongestWait + TimeSpan.FromSeconds(1));
        var story = await board.EndedAsync();
        Assert.Equal([typeof(CallEnded)], story.Select(f => f.GetType()));
        Assert.Equal(0, carrier.Heard);
    }

    [Fact]
    public async Task A_call_that_is_asked_for_twice_is_placed_once()
    {
        await using var carrier = await Carrier.StartAsync();
        await using var board = await StartAsync(carrier.Trunk());
        var requested = Place(board);
        board.Role.Place(requested);
        await (await carrier.RingsAsync()).RejectAsync(486);
        await board.EndedAsync();
        board.Role.Place(requested);
        Assert.Equal(1, carrier.Heard);
    }

    [Fact]
    public async Task A_user_who_is_disabled_is_not_called()
    {
        await using var carrier = await Carrier.StartAsync();
        await using var board = await StartAsync(carrier.Trunk());
        board.Neighbours.Identify = _ => Task.FromResult<Result<CallerIdentity>>(new Refusal("user.disabled", "No."));
        Place(board);
        AssertEnd(await board.EndedAsync(), CallEndReason.Policy, HungUpBy.System, 403, answered: false);
        Assert.Equal(0, carrier.Heard);
    }

    [Fact]
    public async Task A_stop_ends_outgoing_calls_and_writes_them_down()
    {
        await using var carrier = await Carrier.StartAsync();
        await using var board = await StartAsync(carrier.Trunk());
        Place(board);
        await carrier.AnswersAsync();
        await board.Journal.UntilAsync<CallStarted>();
        await board.StopAsync();
        AssertEnd(await board.EndedAsync(), CallEndReason.Shutdown, HungUpBy.System, 200, answered: true);
    }

    internal static Task<Switchboard> StartAsync(params SipTrunk[] trunks) =>
        Switchboard.StartAsync(trunks: new TrunkTable(trunks), toll: new TollRules { Allow = ["90"] });

    internal static RequestedCall Place(Switchboard board, string to = Callee, int ringSeconds = 30, TimeSpan age = default)
    {
        var wish = new CallRequested(board.Clock.GetUtcNow() - age, Ours, to, false, ringSeconds, board.Neighbours.Resolution(null));
        var requested = new RequestedCall(Guid.CreateVersion7(board.Clock.GetUtcNow()), Neighbours.Tenant, wish);
        board.Role.Place(requested);
        return requested;
    }

    private static void AssertEnd(IReadOnlyList<object> story, CallEndReason reason, HungUpBy by, int sipCode, bool answered)
    {
        var end = Assert.IsType<CallEnded>(story[^1]);
        Assert.Equal((reason, by, sipCode, answered), (end.Reason, end.HungUpBy, end.SipCode, end.Answered));
    }
}
