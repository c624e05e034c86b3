using Sentiric.Sip.Tests.Kit;

namespace Sentiric.Sip.Tests.Dialogs;

/// <summary>RFC 3262 both ways: Require, RSeq, RAck, PRACK.</summary>
public sealed class ReliableProgressTests
{
    private const string Early = "v=0\r\ns=early\r\n";
    private const string Contact = "Contact: <sip:callee@127.0.0.9:5060>\r\n";
    private static readonly TimeSpan Ms = TimeSpan.FromMilliseconds(1);

    [Fact]
    public async Task Early_media_is_sent_reliably_repeated_and_stopped_by_its_prack()
    {
        await using Stage stage = await Stage.OpenAsync();
        IncomingInvite invite = await RingAsync(stage, "Supported: 100rel\r\n");
        Task<SipProgressResult> ringing = invite.RingingAsync(Early);
        SipResponse progress = await stage.Phone.HearResponseAsync(183);
        Assert.Equal(("100rel", Early), (progress.Header("Require"), progress.Sdp));
        int[] expectedAtMs = [500, 1500, 3500, 7500, 15500];
        for (int i = 0, now = 0; i < expectedAtMs.Length; now = expectedAtMs[i++])
        {
            stage.Time.Advance((expectedAtMs[i] - now - 1) * Ms);
            await Stage.SettleAsync(stage.Endpoint);
            Assert.Equal(1 + i, stage.Phone.Responses(183, "INVITE").Count);
            stage.Time.Advance(Ms);
            await Stage.SettleAsync(stage.Endpoint);
            Assert.Equal(2 + i, stage.Phone.Responses(183, "INVITE").Count);
        }

        Prack(stage, progress, 2);
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Single(stage.Phone.Responses(200, "PRACK"));
        Assert.Equal(SipProgressOutcome.Acknowledged, (await TestApplication.Within(ringing, "the PRACK")).Outcome);
        stage.Time.Advance(TimeSpan.FromSeconds(60));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Equal(6, stage.Phone.Responses(183, "INVITE").Count);
        // Its answer is given, so the 200 carries none (RFC 6337 3.1.1).
        Task<SipAnswerResult> answer = invite.AnswerAsync(Early);
        SipResponse ok = await stage.Phone.HearResponseAsync(200);
        Assert.Null(ok.Sdp);
        stage.Ack(ok);
        Assert.True((await TestApplication.Within(answer, "the ACK")).IsEstablished);
    }

    [Fact]
    public async Task Without_a_prack_the_call_is_refused_with_504_after_64_t1()
    {
        await using Stage stage = await Stage.OpenAsync();
        IncomingInvite invite = await RingAsync(stage, "Require: 100rel\r\n");
        Task<SipProgressResult> ringing = invite.RingingAsync();
        await stage.Phone.HearResponseAsync(180);
        Task<SipAnswerResult> answer = invite.AnswerAsync(Early);
        stage.Time.Advance(TimeSpan.FromSeconds(32) - Ms);
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Empty(stage.Phone.Responses(200, "INVITE"));
        stage.Time.Advance(Ms);
        await stage.Phone.HearResponseAsync(504);
        Assert.Equal(SipProgressOutcome.Ended, (await TestApplication.Within(ringing, "the end")).Outcome);
        Assert.False((await TestApplication.Within(answer, "the answer to fail")).IsEstablished);
        Assert.Equal(0, stage.Endpoint.Statistics.Dialogs);
    }

    [Fact]
    public async Task One_reliable_response_waits_for_the_prack_of_the_other_and_the_200_for_both()
    {
        await using Stage stage = await Stage.OpenAsync();
        IncomingInvite invite = await RingAsync(stage, "Require: 100rel\r\n");
        Task<SipProgressResult> first = invite.RingingAsync();
        Task<SipProgressResult> second = invite.RingingAsync(Early);
        Task<SipAnswerResult> answer = invite.AnswerAsync(Early);
        SipResponse ringing = await stage.Phone.HearResponseAsync(180);
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Empty(stage.Phone.Responses(183, "INVITE"));
        // A PRACK for another response is none for this one.
        stage.Phone.Say(stage.Phone.Request("PRACK", "call-1", "z9hG4bKwrong", 2, ringing.To.Tag, $"RAck: {ringing.Number("RSeq") + 1} 1 INVITE\r\n"));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Single(stage.Phone.Responses(481, "PRACK"));
        Prack(stage, ringing, 3);
        await TestApplication.Within(first, "the first PRACK");
        SipResponse early = await stage.Phone.HearResponseAsync(183);
        Assert.Equal(ringing.Number("RSeq") + 1, early.Number("RSeq"));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Empty(stage.Phone.Responses(200, "INVITE"));
        Prack(stage, early, 4);
        await TestApplication.Within(second, "the second PRACK");
        SipResponse ok = await stage.Phone.HearResponseAsync(200);
        stage.Ack(ok);
        SipDialog? dialog = (await TestApplication.Within(answer, "the ACK")).Dialog;
        // 12.2.2: what the early dialog counted holds on.
        stage.Phone.Say(stage.Phone.Request("BYE", "call-1", "z9hG4bKold", 3, ok.To.Tag));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Single(stage.Phone.Responses(500, "BYE"));
        Assert.False(dialog?.Ended.IsCompleted);
    }

    [Fact]
    public async Task A_caller_without_100rel_gets_plain_progress_and_one_that_must_have_it_421()
    {
        await using Stage stage = await Stage.OpenAsync();
        IncomingInvite invite = await RingAsync(stage, "Supported: path\r\n");
        Assert.Equal(SipProgressOutcome.Sent, (await invite.RingingAsync(Early)).Outcome);
        Assert.Null((await stage.Phone.HearResponseAsync(183)).Header("Require"));

        await using Stage strict = await Stage.OpenAsync(options => options with { Sessions = new SipSessionOptions { RequireReliability = true } });
        strict.Phone.Say(strict.Phone.Request("INVITE", "call-2", "z9hG4bKplain", 1, sdp: ScriptedPhone.Sdp));
        await Stage.SettleAsync(strict.Endpoint);
        Assert.Equal("100rel", Assert.Single(strict.Phone.Responses(421, "INVITE")).Header("Require"));
        Assert.Equal(0, strict.Application.Calls);
    }

    [Fact]
    public async Task Only_unknown_options_are_refused_with_420()
    {
        await using Stage stage = await Stage.OpenAsync();
        stage.Phone.Say(stage.Phone.Request("INVITE", "u", "z9hG4bKu", 1, extra: "Require: 100rel, precondition\r\nRequire: timer,foo\r\n", sdp: ScriptedPhone.Sdp));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Equal("precondition, foo", Assert.Single(stage.Phone.Responses(420, "INVITE")).Header("Unsupported"));
    }

    [Fact]
    public async Task A_late_offer_goes_out_reliably_and_its_answer_comes_with_the_prack()
    {
        await using Stage stage = await Stage.OpenAsync();
        stage.Phone.Say(stage.Phone.Request("INVITE", "call-1", "z9hG4bKlate", 1, extra: "Require: 100rel\r\n"));
        IncomingInvite invite = await stage.Application.NextInviteAsync();
        // RFC 3262 5: the first reliable response must carry the offer, so this one cannot leave.
        Assert.Equal(SipProgressOutcome.NotSent, (await invite.RingingAsync()).Outcome);
        Task<SipProgressResult> offering = invite.RingingAsync(Early);
        SipResponse progress = await stage.Phone.HearResponseAsync(183);
        Prack(stage, progress, 2, ScriptedPhone.Sdp);
        Assert.Equal(ScriptedPhone.Sdp, (await TestApplication.Within(offering, "the PRACK")).PrackSdp);
        Task<SipAnswerResult> answer = invite.AnswerAsync("v=0\r\ns=never sent\r\n");
        SipResponse ok = await stage.Phone.HearResponseAsync(200);
        Assert.Null(ok.Sdp);
        stage.Ack(ok);
        Assert.True((await TestApplication.Within(answer, "the ACK")).IsEstablished);
    }

    [Fact]
    public async Task An_offer_in_a_prack_and_one_in_an_early_update_are_answered_by_the_application()
    {
        await using Stage stage = await Stage.OpenAsync();
        IncomingInvite invite = await RingAsync(stage, "Require: 100rel\r\n");
        invite.OfferHandler = offered => Task.FromResult(SipReinviteAnswer.Accept(offered.Request.Method + "\r\n"));
        Task<SipProgressResult> ringing = invite.RingingAsync(Early);
        SipResponse progress = await stage.Phone.HearResponseAsync(183);
        // Before it is acknowledged our answer is out all the same, so an offer may come (RFC 3262 5).
        Prack(stage, progress, 2, ScriptedPhone.Sdp);
        Assert.Equal("PRACK\r\n", (await stage.Phone.HearResponseAsync(200, "PRACK")).Sdp);
        await TestApplication.Within(ringing, "the PRACK");
        stage.Phone.Say(stage.Phone.Request("UPDATE", "call-1", "z9hG4bKup", 3, progress.To.Tag, sdp: ScriptedPhone.Sdp));
        Assert.Equal("UPDATE\r\n", (await stage.Phone.HearResponseAsync(200, "UPDATE")).Sdp);
        // And ours the other way.
        Task<SipReinviteResult> update = invite.UpdateAsync(Early);
        SipRequest sent = await stage.Phone.HearRequestAsync("UPDATE");
        stage.Phone.Say(IncomingCallTests.Response(sent, 200, null, Contact, ScriptedPhone.Sdp));
        Assert.Equal(ScriptedPhone.Sdp, (await TestApplication.Within(update, "the answer")).Sdp);
    }

    [Fact]
    public async Task An_update_before_any_answer_is_too_early()
    {
        await using Stage stage = await Stage.OpenAsync();
        IncomingInvite invite = await RingAsync(stage, "");
        await invite.RingingAsync();
        SipResponse ringing = await stage.Phone.HearResponseAsync(180);
        stage.Phone.Say(stage.Phone.Request("UPDATE", "call-1", "z9hG4bKup", 2, ringing.To.Tag, sdp: ScriptedPhone.Sdp));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Single(stage.Phone.Responses(500, "UPDATE"));
        Assert.Equal(491, (await invite.UpdateAsync(Early)).StatusCode);
    }

    [Fact]
    public async Task A_cancel_while_a_prack_is_awaited_ends_everything()
    {
        await using Stage stage = await Stage.OpenAsync();
        IncomingInvite invite = await RingAsync(stage, "Require: 100rel\r\n");
        Task<SipProgressResult> ringing = invite.RingingAsync(Early);
        Task<SipAnswerResult> answer = invite.AnswerAsync(Early);
        await stage.Phone.HearResponseAsync(183);
        stage.Phone.Say(stage.Phone.Request("CANCEL", "call-1", "z9hG4bK-rel", 1, extra: "Reason: SIP;cause=200;text=\"Call completed elsewhere\", Q.850;cause=26\r\n"));
        await stage.Phone.HearResponseAsync(487);
        Assert.Equal(SipAnswerFailure.Cancelled, (await TestApplication.Within(answer, "the answer")).Failure);
        Assert.Equal(SipProgressOutcome.Ended, (await TestApplication.Within(ringing, "the progress")).Outcome);
        Assert.Equal([new SipReason("SIP", 200, "Call completed elsewhere"), new SipReason("Q.850", 26)], invite.CancelReasons);
        int before = stage.Phone.Responses(183, "INVITE").Count;
        stage.Time.Advance(TimeSpan.FromSeconds(30));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Equal(before, stage.Phone.Responses(183, "INVITE").Count);
    }

    [Fact]
    public async Task A_reliable_response_is_acknowledged_once_in_order_and_told_once()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (call, invite) = await CallAsync(stage);
        Assert.Contains("100rel", invite.Header("Supported"));
        stage.Phone.Say(Reliable(invite, 183, "a", 5, ScriptedPhone.Sdp));
        SipRequest prack = await stage.Phone.HearRequestAsync("PRACK");
        Assert.Equal(($"5 {invite.CSeq.Number} INVITE", invite.CSeq.Number + 1, "sip:callee@127.0.0.9:5060"), (prack.Header("RAck"), prack.CSeq.Number, prack.Uri.ToString()));
        stage.Phone.Say(IncomingCallTests.Response(prack, 200));
        stage.Phone.Say(Reliable(invite, 183, "a", 5, ScriptedPhone.Sdp));
        stage.Phone.Say(Reliable(invite, 180, "a", 7));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Single(stage.Phone.Requests("PRACK"));
        stage.Phone.Say(Reliable(invite, 180, "a", 6));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Equal($"6 {invite.CSeq.Number} INVITE", stage.Phone.Requests("PRACK")[1].Header("RAck"));
        stage.Phone.Say(IncomingCallTests.Response(invite, 200, "a", Contact, "v=0\r\ns=ignored\r\n"));
        OutgoingCallResult result = await TestApplication.Within(call.Completed, "the answer");
        Assert.Equal(ScriptedPhone.Sdp, result.Sdp);
        Assert.Equal([183, 180], await TestApplication.Within(call.Progress.ReadAllAsync().Select(one => one.StatusCode).ToListAsync().AsTask(), "progress"));
        _ = result.Dialog?.ByeAsync();
        Assert.Equal(invite.CSeq.Number + 3, (await stage.Phone.HearRequestAsync("BYE")).CSeq.Number);
    }

    [Fact]
    public async Task Every_callee_that_rings_has_its_own_early_dialog()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (call, invite) = await CallAsync(stage, outgoing => outgoing with { OfferHandler = _ => Task.FromResult(SipReinviteAnswer.Accept(Early)) });
        stage.Phone.Say(Reliable(invite, 183, "a", 1, ScriptedPhone.Sdp));
        stage.Phone.Say(Reliable(invite, 183, "b", 100, ScriptedPhone.Sdp));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Equal(["a", "b"], stage.Phone.Requests("PRACK").Select(one => one.To.Tag));
        Assert.Equal([invite.CSeq.Number + 1, invite.CSeq.Number + 1], stage.Phone.Requests("PRACK").Select(one => one.CSeq.Number));
        // An UPDATE of a callee before its answer: early media moves.
        stage.Phone.Say(Theirs(stage, invite, "UPDATE", "b", 1, ScriptedPhone.Sdp));
        Assert.Equal(Early, (await stage.Phone.HearResponseAsync(200, "UPDATE")).Sdp);
        stage.Phone.Say(Theirs(stage, invite, "BYE", "b", 2));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Single(stage.Phone.Responses(481, "BYE"));
        stage.Phone.Say(IncomingCallTests.Response(invite, 200, "a", Contact));
        stage.Phone.Say(IncomingCallTests.Response(invite, 200, "b", Contact));
        Assert.Equal("a", (await TestApplication.Within(call.Completed, "the answer")).Dialog?.RemoteTag);
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Equal("b", Assert.Single(stage.Phone.Requests("BYE")).To.Tag);
        Assert.Equal(1, stage.Endpoint.Statistics.Dialogs);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(488)]
    public async Task An_offer_of_ours_in_the_prack_is_answered_with_it_or_leaves_all_as_it_was(int status)
    {
        const string Better = "v=0\r\ns=better\r\n", Taken = "v=0\r\ns=taken\r\n";
        await using Stage stage = await Stage.OpenAsync();
        string? first = null;
        var told = new TaskCompletionSource<string?>();
        var (call, invite) = await CallAsync(stage, outgoing => outgoing with
        {
            PrackOffer = new PrackOffer(
                answer =>
                {
                    first = answer;
                    return Task.FromResult<string?>(Better);
                },
                answer => told.TrySetResult(answer)),
        });
        stage.Phone.Say(Reliable(invite, 183, "a", 1, ScriptedPhone.Sdp));
        SipRequest prack = await stage.Phone.HearRequestAsync("PRACK");
        Assert.Equal((ScriptedPhone.Sdp, Better, $"1 {invite.CSeq.Number} INVITE"), (first, prack.Sdp, prack.Header("RAck")));
        // While it is open no other offer may come.
        stage.Phone.Say(Theirs(stage, invite, "UPDATE", "a", 1, Early));
        await stage.Phone.HearResponseAsync(491, "UPDATE");
        stage.Phone.Say(IncomingCallTests.Response(prack, status, null, "", status == 200 ? Taken : null));
        Assert.Equal(status == 200 ? Taken : null, await TestApplication.Within(told.Task, "the answer to the PRACK"));
        // A second reliable response is acknowledged without another offer.
        stage.Phone.Say(Reliable(invite, 180, "a", 2));
        Assert.Null((await stage.Phone.HearRequestAsync("PRACK")).Sdp);
        stage.Phone.Say(IncomingCallTests.Response(invite, 200, "a", Contact));
        Assert.Equal(status == 200 ? Taken : ScriptedPhone.Sdp, (await TestApplication.Within(call.Completed, "the answer")).Sdp);
    }

    [Fact]
    public async Task Who_has_nothing_more_to_offer_sends_a_prack_without()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (call, invite) = await CallAsync(stage, outgoing => outgoing with { PrackOffer = new PrackOffer(_ => Task.FromResult<string?>(null)) });
        stage.Phone.Say(Reliable(invite, 183, "a", 1, ScriptedPhone.Sdp));
        Assert.Null((await stage.Phone.HearRequestAsync("PRACK")).Sdp);
        stage.Phone.Say(IncomingCallTests.Response(invite, 200, "a", Contact));
        Assert.Equal(ScriptedPhone.Sdp, (await TestApplication.Within(call.Completed, "the answer")).Sdp);
    }

    [Fact]
    public async Task A_call_placed_without_an_offer_answers_in_the_prack()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (call, invite) = await CallAsync(stage, outgoing => outgoing with { Offer = null, LateAnswer = _ => Task.FromResult<string?>(Early) });
        stage.Phone.Say(Reliable(invite, 183, "a", 1, ScriptedPhone.Sdp));
        SipRequest prack = await stage.Phone.HearRequestAsync("PRACK");
        Assert.Equal(Early, prack.Sdp);
        stage.Phone.Say(IncomingCallTests.Response(prack, 200));
        stage.Phone.Say(IncomingCallTests.Response(invite, 200, "a", Contact));
        OutgoingCallResult result = await TestApplication.Within(call.Completed, "the answer");
        Assert.Equal(ScriptedPhone.Sdp, result.Sdp);
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Null(Assert.Single(stage.Phone.Requests("ACK")).Sdp);
    }

    [Fact]
    public async Task A_refusal_ends_every_early_dialog()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (call, invite) = await CallAsync(stage);
        stage.Phone.Say(IncomingCallTests.Response(invite, 180, "a", Contact));
        stage.Phone.Say(IncomingCallTests.Response(invite, 180, "b", Contact));
        Assert.Equal(2, stage.Endpoint.Statistics.Dialogs);
        stage.Phone.Say(IncomingCallTests.Response(invite, 486, "a"));
        Assert.Equal(486, (await TestApplication.Within(call.Completed, "the refusal")).StatusCode);
        Assert.Equal(0, stage.Endpoint.Statistics.Dialogs);
    }

    private static async Task<IncomingInvite> RingAsync(Stage stage, string extra)
    {
        stage.Phone.Say(stage.Phone.Request("INVITE", "call-1", "z9hG4bK-rel", 1, extra: extra, sdp: ScriptedPhone.Sdp));
        return await stage.Application.NextInviteAsync();
    }

    private static void Prack(Stage stage, SipResponse progress, uint cseq, string? sdp = null) => stage.Phone.Say(stage.Phone.Request(
        "PRACK", progress.CallId, "z9hG4bK-prack-" + cseq, cseq, progress.To.Tag, $"RAck: {progress.Number("RSeq")} {progress.CSeq.Number} INVITE\r\n", sdp));

    private static async Task<(OutgoingCall Call, SipRequest Invite)> CallAsync(Stage stage, Func<OutgoingInvite, OutgoingInvite>? adjust = null)
    {
        OutgoingInvite invite = UserAgent.OutgoingCallTests.Invite("sip:callee@127.0.0.9:5060");
        OutgoingCall call = await stage.Endpoint.InviteAsync(adjust?.Invoke(invite) ?? invite);
        return (call, await stage.Phone.HearRequestAsync("INVITE"));
    }

    private static byte[] Reliable(SipRequest invite, int status, string tag, uint number, string? sdp = null) =>
        IncomingCallTests.Response(invite, status, tag, Contact + $"Require: 100rel\r\nRSeq: {number}\r\n", sdp);

    /// <summary>A request of the callee in the dialog that our INVITE opened.</summary>
    internal static string Theirs(Stage stage, SipRequest invite, string method, string tag, uint cseq, string? sdp = null, string extra = "") =>
        $"{method} sip:us@{stage.Server} SIP/2.0\r\nVia: SIP/2.0/UDP {stage.Phone.Address};rport;branch=z9hG4bK-theirs-{method}-{tag}-{cseq}\r\nMax-Forwards: 70\r\n"
        + $"From: {invite.To};tag={tag}\r\nTo: {invite.From}\r\nCall-ID: {invite.CallId}\r\nCSeq: {cseq} {method}\r\nContact: <sip:callee@{stage.Phone.Address}>\r\n"
        + extra + (sdp is null ? "" : "Content-Type: application/sdp\r\n") + $"Content-Length: {sdp?.Length ?? 0}\r\n\r\n{sdp}";
}
