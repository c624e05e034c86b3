using Sentiric.Calls.Tests.Kit;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Sip;
using Sentiric.Testing.Loopback;

namespace Sentiric.Calls.Tests;

/// <summary>What the sip role writes down, whole and in order, for everything that can become of an INVITE.</summary>
public sealed class TellingAnIncomingCall
{
    private static readonly Type[] Answered =
    [
        typeof(CallReceived), typeof(UserIdentifiedForCall), typeof(CallRouteResolved), typeof(MediaStarted), typeof(CallRinging), typeof(RecordingStarted),
        typeof(CallAnswered), typeof(CallStarted), typeof(CallEnded),
    ];

    private static readonly Type[] Ringing = [.. Answered[..6], typeof(CallEnded)];

    [Fact]
    public async Task An_answered_call_that_the_caller_ends()
    {
        await using var board = await Switchboard.StartAsync();
        var phone = await board.AnsweredAsync();
        await board.AdvanceAsync(TimeSpan.FromSeconds(5), timers: 2);
        phone.Bye();
        await phone.HearAsync("200", "BYE");

        var story = await board.EndedAsync();
        Assert.Equal(Answered, story.Select(f => f.GetType()));
        var received = Assert.IsType<CallReceived>(story[0]);
        Assert.Equal((phone.CallId, UdpPhone.Number, "Ayşe", "+902121234567", "udp"), (received.SipCallId, received.From, received.FromDisplay, received.To, received.Transport));
        AssertEnd(story, CallEndReason.Normal, HungUpBy.Caller, 200, 16, answered: true, talkMs: 5_000);
        Assert.All(board.Journal.All, n => Assert.Equal((Neighbours.Tenant, Streams.Call(board.CallId), "sip"), (n.Tenant, n.Stream, n.Actor)));
    }

    [Fact]
    public async Task The_ladder_begins_with_the_INVITE_that_came_before_the_call()
    {
        await using var board = await Switchboard.StartAsync();
        var phone = await board.AnsweredAsync();
        phone.Bye();
        await board.EndedAsync();
        var ladder = board.Journal.All.Select(n => n.Fact).OfType<SipMessageLogged>().ToList();
        Assert.StartsWith("INVITE sip:+902121234567@", ladder[0].Summary);
        Assert.Equal(["100 Trying", "180 Ringing", "200 OK"], ladder.Where(m => !m.Inbound).Take(3).Select(m => m.Summary));
    }

    [Fact]
    public async Task A_call_that_a_command_ends_hears_BYE()
    {
        await using var board = await Switchboard.StartAsync();
        var phone = await board.AnsweredAsync();
        board.Terminate();
        Assert.Contains("Q.850;cause=16", await phone.HearRequestAsync("BYE"));
        var story = await board.EndedAsync();
        Assert.Equal(Answered, story.Select(f => f.GetType()));
        AssertEnd(story, CallEndReason.Terminated, HungUpBy.System, 200, 16, answered: true);
    }

    [Fact]
    public async Task D41_a_command_of_another_tenant_ends_nothing()
    {
        await using var board = await Switchboard.StartAsync();
        var phone = await board.AnsweredAsync();
        board.Terminate("other");
        Assert.False(board.Calls.Find(board.CallId)!.EndAsked.IsCompleted);
        phone.Bye();
        AssertEnd(await board.EndedAsync(), CallEndReason.Normal, HungUpBy.Caller, 200, 16, answered: true);
    }

    [Fact]
    public async Task D3_CANCEL_while_it_rings_gives_200_and_487_and_frees_the_port()
    {
        await using var board = await Switchboard.StartAsync();
        var hold = new TaskCompletionSource();
        board.Neighbours.BeforeRecording = () => hold.Task;
        var phone = board.Phone();
        phone.Invite();
        await phone.HearAsync("180", "INVITE");
        phone.Cancel();
        await phone.HearAsync("200", "CANCEL");
        await phone.HearAsync("487", "INVITE");
        hold.SetResult();

        var story = await board.EndedAsync();
        Assert.Equal(Ringing, story.Select(f => f.GetType()));
        AssertEnd(story, CallEndReason.Cancelled, HungUpBy.Caller, 487, 16, answered: false);
    }

    [Fact]
    public async Task D3_CANCEL_while_the_caller_is_being_identified()
    {
        await using var board = await Switchboard.StartAsync();
        board.Neighbours.Identify = Never<CallerIdentity>;
        var phone = board.Phone();
        phone.Invite();
        await phone.HearAsync("100", "INVITE");
        phone.Cancel();
        await phone.HearAsync("487", "INVITE");
        var story = await board.EndedAsync();
        Assert.Equal([typeof(CallReceived), typeof(CallEnded)], story.Select(f => f.GetType()));
        AssertEnd(story, CallEndReason.Cancelled, HungUpBy.Caller, 487, 16, answered: false);
    }

    [Fact]
    public async Task An_unknown_number_is_404_and_nobodys()
    {
        await using var board = await Switchboard.StartAsync();
        board.Neighbours.FindRoute = _ => Task.FromResult<Result<RouteDecision>>(new Refusal("route.unknown", "No such number."));
        var story = await RefusedAsync(board, "404");
        Assert.Equal([typeof(CallReceived), typeof(CallEnded)], story.Select(f => f.GetType()));
        AssertEnd(story, CallEndReason.UnknownNumber, HungUpBy.System, 404, 1, answered: false);
        Assert.All(board.Journal.All, n => Assert.Equal(CallLog.NobodysTenant, n.Tenant));
    }

    [Fact]
    public async Task A_caller_whom_the_policy_rejects_is_403()
    {
        await using var board = await Switchboard.StartAsync();
        board.Neighbours.Identify = _ => Task.FromResult<Result<CallerIdentity>>(new Refusal("caller.unknown", "Nobody knows you."));
        var story = await RefusedAsync(board, "403");
        Assert.Equal([typeof(CallReceived), typeof(CallEnded)], story.Select(f => f.GetType()));
        AssertEnd(story, CallEndReason.Policy, HungUpBy.System, 403, 21, answered: false);
    }

    [Theory]
    [InlineData(486, "normal", "486", CallEndReason.Busy, 17)]
    [InlineData(480, "normal", "480", CallEndReason.NoAnswer, 19)]
    [InlineData(404, "normal", "404", CallEndReason.UnknownNumber, 1)]
    [InlineData(null, "normal", "403", CallEndReason.Rejected, 21)]
    [InlineData(null, "anonymous_blocked", "403", CallEndReason.Policy, 21)]
    public async Task A_plan_that_rejects_says_how(int? planned, string why, string status, CallEndReason reason, int cause)
    {
        await using var board = await Switchboard.StartAsync();
        (board.Neighbours.Action, board.Neighbours.Data, board.Neighbours.Why) = (DialplanAction.Reject, new(SipStatus: planned), why);
        var story = await RefusedAsync(board, status);
        Assert.Equal([.. Answered[..3], typeof(CallEnded)], story.Select(f => f.GetType()));
        AssertEnd(story, reason, HungUpBy.System, int.Parse(status), cause, answered: false);
    }

    [Theory]
    [InlineData("media.no_common_codec", "488", CallEndReason.NoCommonCodec, 88)]
    [InlineData("media.ports_exhausted", "503", CallEndReason.Capacity, 42)]
    public async Task D23_media_that_is_refused_gives_an_answer_and_an_event_never_silence(string code, string status, CallEndReason reason, int cause)
    {
        await using var board = await Switchboard.StartAsync();
        board.Neighbours.MediaRefused = new Refusal(code, "No.");
        var story = await RefusedAsync(board, status);
        Assert.Equal([.. Answered[..3], typeof(CallEnded)], story.Select(f => f.GetType()));
        AssertEnd(story, reason, HungUpBy.System, int.Parse(status), cause, answered: false);
    }

    [Fact]
    public async Task One_call_more_than_the_process_may_hold_is_503()
    {
        await using var board = await Switchboard.StartAsync(maxCalls: 0);
        var story = await RefusedAsync(board, "503");
        Assert.Equal([typeof(CallReceived), typeof(CallEnded)], story.Select(f => f.GetType()));
        AssertEnd(story, CallEndReason.Capacity, HungUpBy.System, 503, 42, answered: false);
    }

    [Fact]
    public async Task An_INVITE_without_SDP_gets_our_offer_and_its_ACK_starts_the_media()
    {
        await using var board = await Switchboard.StartAsync();
        var phone = board.Phone();
        phone.Invite(sdp: null);
        Assert.Contains("a=x-offer:1", await phone.HearAsync("200", "INVITE"));
        phone.Ack(sdp: UdpPhone.Sdp);
        await board.Journal.UntilAsync<CallStarted>();
        // And so does a later INVITE without one.
        phone.Invite(sdp: null, cseq: 2);
        Assert.Contains("a=x-offer:2", await phone.HearAsync("200", "INVITE", cseq: 2));
        phone.Ack(2, UdpPhone.Sdp + "a=sendrecv\r\n");
        foreach (var answer in new[] { UdpPhone.Sdp, UdpPhone.Sdp + "a=sendrecv\r\n" })
        {
            Assert.Equal(answer, await Soon.Within(board.Neighbours.Accepted.Reader.ReadAsync().AsTask(), "an answer to reach the media role"));
        }

        phone.Bye(3);
        var story = await board.EndedAsync();
        Assert.Equal(
            [.. Answered.Where(t => t != typeof(MediaStarted)).Take(5), typeof(MediaStarted), .. Answered[^3..]], story.Select(f => f.GetType()));
        AssertEnd(story, CallEndReason.Normal, HungUpBy.Caller, 200, 16, answered: true);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(UdpPhone.Sdp + "a=nothing\r\n")]
    public async Task An_ACK_without_an_answer_that_fits_hears_BYE(string? sdp)
    {
        await using var board = await Switchboard.StartAsync();
        var phone = board.Phone();
        phone.Invite(sdp: null);
        await phone.HearAsync("200", "INVITE");
        phone.Ack(sdp: sdp);
        Assert.Contains("Q.850;cause=88", await phone.HearRequestAsync("BYE"));
        AssertEnd(await board.EndedAsync(), CallEndReason.NoCommonCodec, HungUpBy.System, 488, 88, answered: false);
    }

    [Fact]
    public async Task A_call_that_nobody_takes_over_hears_the_fail_safe_and_ends()
    {
        await using var board = await Switchboard.StartAsync();
        var phone = await board.AnsweredAsync();
        await board.AdvanceAsync(CallOptions.Default.TakeOverTime, timers: 2);
        await phone.HearRequestAsync("BYE");
        var story = await board.EndedAsync();
        Assert.Equal(["fail-safe"], board.Neighbours.Played);
        Assert.Equal(Answered, story.Select(f => f.GetType()));
        AssertEnd(story, CallEndReason.AgentFailed, HungUpBy.System, 200, 41, answered: true, talkMs: 6_000);
    }

    [Fact]
    public async Task A_call_that_an_agent_took_over_hears_no_fail_safe()
    {
        await using var board = await Switchboard.StartAsync();
        var phone = await board.AnsweredAsync();
        board.Hear("agent.took_over");
        await board.AdvanceAsync(TimeSpan.FromMinutes(1), timers: 2);
        phone.Bye();
        AssertEnd(await board.EndedAsync(), CallEndReason.Normal, HungUpBy.Caller, 200, 16, answered: true, talkMs: 60_000);
        Assert.Empty(board.Neighbours.Played);
    }

    [Fact]
    public async Task D4_a_BYE_after_almost_four_hours_still_ends_the_call()
    {
        await using var board = await Switchboard.StartAsync();
        var phone = await board.AnsweredAsync();
        board.Hear("agent.took_over");
        var long_ = CallOptions.Default.MaxCallTime - TimeSpan.FromSeconds(1);
        await board.AdvanceAsync(long_, timers: 2);
        phone.Bye();
        await phone.HearAsync("200", "BYE");
        AssertEnd(await board.EndedAsync(), CallEndReason.Normal, HungUpBy.Caller, 200, 16, answered: true, talkMs: (long)long_.TotalMilliseconds);
    }

    [Fact]
    public async Task A_call_ends_when_its_longest_time_is_over()
    {
        await using var board = await Switchboard.StartAsync();
        var phone = await board.AnsweredAsync();
        board.Hear("agent.took_over");
        await board.AdvanceAsync(CallOptions.Default.MaxCallTime, timers: 2);
        await phone.HearRequestAsync("BYE");
        AssertEnd(await board.EndedAsync(), CallEndReason.Policy, HungUpBy.System, 200, 21, answered: true, talkMs: (long)CallOptions.Default.MaxCallTime.TotalMilliseconds);
    }

    [Fact]
    public async Task D19_silence_on_the_media_ends_the_call_with_that_reason()
    {
        await using var board = await Switchboard.StartAsync();
        var phone = await board.AnsweredAsync();
        board.Hear("media.timeout");
        Assert.Contains("Q.850;cause=102", await phone.HearRequestAsync("BYE"));
        AssertEnd(await board.EndedAsync(), CallEndReason.MediaTimeout, HungUpBy.System, 200, 102, answered: true);
    }

    [Fact]
    public async Task D2_without_ACK_the_200_is_repeated_and_then_the_call_ends()
    {
        await using var board = await Switchboard.StartAsync(t1Ms: 10);
        var phone = board.Phone();
        phone.Invite();
        await phone.HearRequestAsync("BYE");
        var story = await board.EndedAsync();
        Assert.True(phone.Count("200") > 3, $"The 200 came {phone.Count("200")} times.");
        Assert.Equal(Ringing, story.Select(f => f.GetType()));
        AssertEnd(story, CallEndReason.AckTimeout, HungUpBy.System, 408, 102, answered: false);
    }

    [Fact]
    public async Task D5_call_answered_exactly_once_under_ACK_retransmissions()
    {
        await using var board = await Switchboard.StartAsync();
        var phone = await board.AnsweredAsync();
        phone.Ack();
        phone.Ack();
        phone.Bye();
        await phone.HearAsync("200", "BYE");
        Assert.Single((await board.EndedAsync()).OfType<CallAnswered>());
        Assert.Single(board.Journal.Story.OfType<CallStarted>());
    }

    [Fact]
    public async Task D1_a_duplicate_INVITE_makes_one_call()
    {
        await using var board = await Switchboard.StartAsync();
        var phone = board.Phone();
        phone.Invite();
        phone.Invite();
        await phone.HearAsync("200", "INVITE");
        phone.Invite();
        phone.Ack();
        await board.Journal.UntilAsync<CallStarted>();
        phone.Bye();
        Assert.Single((await board.EndedAsync()).OfType<CallReceived>());
    }

    [Fact]
    public async Task D9_hold_and_resume_are_told_once_each_and_the_call_lives_on()
    {
        await using var board = await Switchboard.StartAsync();
        var phone = await board.AnsweredAsync();
        foreach (var (cseq, direction) in new[] { (2, "a=sendonly\r\n"), (3, "a=sendonly\r\n"), (4, "a=sendrecv\r\n") })
        {
            phone.Invite(UdpPhone.Sdp + direction, cseq: cseq);
            await phone.HearAsync("200", "INVITE");
            phone.Ack(cseq);
        }

        phone.Invite(UdpPhone.Sdp + "a=nothing\r\n", cseq: 5);
        await phone.HearAsync("488", "INVITE");
        phone.Ack(5);
        phone.Bye(6);
        var story = await board.EndedAsync();
        Assert.Equal([.. Answered[..^1], typeof(CallHeld), typeof(CallResumed), typeof(CallEnded)], story.Select(f => f.GetType()));
        AssertEnd(story, CallEndReason.Normal, HungUpBy.Caller, 200, 16, answered: true);
    }

    [Fact]
    public async Task Hold_by_UPDATE_and_keys_by_INFO_are_told_as_well()
    {
        await using var board = await Switchboard.StartAsync();
        var phone = await board.AnsweredAsync();
        phone.Update(UdpPhone.Sdp + "a=sendonly\r\n", cseq: 2);
        await phone.HearAsync("200", "UPDATE");
        phone.PressByInfo('7', cseq: 3);
        await phone.HearAsync("200", "INFO");
        await board.Journal.UntilAsync<DtmfReceived>();
        phone.Bye(4);
        var story = await board.EndedAsync();
        Assert.Single(story.OfType<CallHeld>());
        var key = Assert.Single(story.OfType<DtmfReceived>());
        Assert.Equal(("7", 120), (key.Digit, key.DurationMs));
        AssertEnd(story, CallEndReason.Normal, HungUpBy.Caller, 200, 16, answered: true);
    }

    [Fact]
    public async Task A_users_service_that_does_not_answer_costs_five_seconds_not_the_line()
    {
        await using var board = await Switchboard.StartAsync();
        board.Neighbours.Identify = Never<CallerIdentity>;
        var phone = board.Phone();
        phone.Invite();
        await phone.HearAsync("100", "INVITE");
        await board.AdvanceAsync(CallOptions.Default.SetUpTime, timers: 1);
        await phone.HearAsync("500", "INVITE");
        var story = await board.EndedAsync();
        Assert.Equal([typeof(CallReceived), typeof(CallEnded)], story.Select(f => f.GetType()));
        AssertEnd(story, CallEndReason.Failed, HungUpBy.System, 500, 41, answered: false, ringMs: 5_000);
    }

    [Fact]
    public async Task A_service_that_breaks_ends_the_call_once()
    {
        await using var board = await Switchboard.StartAsync();
        board.Neighbours.Identify = _ => throw new InvalidOperationException("broken");
        var story = await RefusedAsync(board, "500");
        AssertEnd(story, CallEndReason.Failed, HungUpBy.System, 500, 41, answered: false);
        Assert.Equal(0, board.Calls.Count);
    }

    [Fact]
    public async Task A_media_role_that_breaks_while_it_rings_ends_the_call_and_keeps_no_port()
    {
        await using var board = await Switchboard.StartAsync();
        board.Neighbours.BeforeRecording = () => throw new InvalidOperationException("broken");
        var story = await RefusedAsync(board, "500");
        AssertEnd(story, CallEndReason.Failed, HungUpBy.System, 500, 41, answered: false);
    }

    [Fact]
    public async Task A_media_role_that_is_gone_at_the_end_does_not_cost_the_end()
    {
        await using var board = await Switchboard.StartAsync();
        var phone = await board.AnsweredAsync();
        board.Neighbours.BeforeClose = () => throw new IOException("gone");
        phone.Bye();
        await phone.HearAsync("200", "BYE");
        AssertEnd(await board.Journal.UntilAsync<CallEnded>(), CallEndReason.Normal, HungUpBy.Caller, 200, 16, answered: true);
    }

    [Fact]
    public async Task Stopping_ends_a_running_call_with_BYE_and_writes_it_down()
    {
        await using var board = await Switchboard.StartAsync();
        var phone = await board.AnsweredAsync();
        var stopping = board.StopAsync();
        await phone.HearRequestAsync("BYE");
        await stopping;
        AssertEnd(await board.EndedAsync(), CallEndReason.Shutdown, HungUpBy.System, 200, 42, answered: true);
    }

    [Fact]
    public async Task Stopping_ends_a_call_that_is_being_set_up_and_says_so()
    {
        await using var board = await Switchboard.StartAsync();
        board.Neighbours.Identify = Never<CallerIdentity>;
        var phone = board.Phone();
        phone.Invite();
        await phone.HearAsync("100", "INVITE");
        await board.AdvanceAsync(TimeSpan.Zero, timers: 1);
        await board.StopAsync();
        AssertEnd(await board.EndedAsync(), CallEndReason.Shutdown, HungUpBy.System, 503, 42, answered: false);
    }

    [Fact]
    public async Task D12_an_unknown_source_learns_nothing()
    {
        await using var board = await Switchboard.StartAsync();
        Assert.Equal(SipSourceDecision.Drop, board.Role.OnSource(SipTransportKind.Udp, new(System.Net.IPAddress.Parse("203.0.113.9"), 5060)));
        Assert.Equal(SipSourceDecision.Accept, board.Role.OnSource(SipTransportKind.Udp, new(System.Net.IPAddress.Loopback, 5060)));
    }

    private static async Task<IReadOnlyList<object>> RefusedAsync(Switchboard board, string status)
    {
        var phone = board.Phone();
        phone.Invite();
        await phone.HearAsync(status, "INVITE");
        phone.Ack();
        return await board.EndedAsync();
    }

    private static void AssertEnd(
        IReadOnlyList<object> story, CallEndReason reason, HungUpBy by, int sipCode, int cause, bool answered, long talkMs = 0, long ringMs = 0)
    {
        var end = Assert.Single(story.OfType<CallEnded>());
        Assert.Same(end, story[^1]);
        Assert.Equal(
            (reason, by, sipCode, cause, answered, ringMs, talkMs, talkMs),
            (end.Reason, end.HungUpBy, end.SipCode, end.Q850Cause, end.Answered, end.RingMs, end.TalkMs, end.BillableMs));
    }

    private static async Task<Result<T>> Never<T>(CancellationToken ct)
    {
        var never = new TaskCompletionSource<Result<T>>();
        await using var cancelled = ct.Register(() => never.TrySetCanceled(ct));
        return await never.Task;
    }
}
