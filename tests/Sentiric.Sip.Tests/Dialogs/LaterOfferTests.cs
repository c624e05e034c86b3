using System.Globalization;
using Sentiric.Sip.Tests.Kit;

namespace Sentiric.Sip.Tests.Dialogs;

/// <summary>Offers after the first: re-INVITE (RFC 3261 14), UPDATE (RFC 3311), late offers (RFC 3264, 6337), glare.</summary>
public sealed class LaterOfferTests
{
    private const string Answer = "v=0\r\ns=answer\r\n";
    private const string Contact = "Contact: <sip:phone@127.0.0.9:5060>\r\n";
    private static readonly TimeSpan Ms = TimeSpan.FromMilliseconds(1);

    [Fact]
    public async Task An_update_with_an_offer_is_answered_and_moves_the_target()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (dialog, tag) = await stage.EstablishAsync();
        bool urgent = false;
        dialog.ReinviteHandler = offered =>
        {
            urgent = offered.IsUrgent;
            return Task.FromResult(SipReinviteAnswer.Accept(Answer));
        };
        string update = stage.Phone.Request("UPDATE", "call-1", "z9hG4bKup", 2, tag, sdp: ScriptedPhone.Sdp);
        stage.Phone.Say(update.Replace("<sip:phone@127.0.0.9:5060>", "<sip:moved@127.0.0.9:5071>"));
        SipResponse ok = await stage.Phone.HearResponseAsync(200, "UPDATE");
        Assert.Equal((Answer, true, "100rel, timer"), (ok.Sdp, urgent, ok.Header("Supported")));
        _ = dialog.ByeAsync();
        Assert.Equal("sip:moved@127.0.0.9:5071", (await stage.Phone.HearRequestAsync("BYE")).Uri.ToString());
    }

    [Fact]
    public async Task An_update_without_an_offer_is_answered_at_once_even_while_one_is_thought_about()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (dialog, tag) = await stage.EstablishAsync();
        var thinking = new TaskCompletionSource<SipReinviteAnswer>();
        dialog.ReinviteHandler = _ => thinking.Task;
        stage.Phone.Say(stage.Phone.Request("UPDATE", "call-1", "z9hG4bKone", 2, tag, sdp: ScriptedPhone.Sdp));
        stage.Phone.Say(stage.Phone.Request("UPDATE", "call-1", "z9hG4bKtwo", 3, tag));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Null(Assert.Single(stage.Phone.Responses(200, "UPDATE")).Sdp);
        // RFC 3311 5.2: a second offer before the first is answered.
        stage.Phone.Say(stage.Phone.Request("UPDATE", "call-1", "z9hG4bKthree", 4, tag, sdp: ScriptedPhone.Sdp));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.InRange(Assert.Single(stage.Phone.Responses(500, "UPDATE")).Number("Retry-After") ?? 99, 0u, 10u);
        stage.Phone.Say(stage.Phone.Request("INVITE", "call-1", "z9hG4bKfour", 5, tag, sdp: ScriptedPhone.Sdp));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Single(stage.Phone.Responses(500, "INVITE"));
        thinking.SetResult(SipReinviteAnswer.Refuse(488));
        await stage.Phone.HearResponseAsync(488, "UPDATE");
        Assert.False(dialog.Ended.IsCompleted);
    }

    [Fact]
    public async Task An_update_that_nobody_decides_about_fails_with_504()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (dialog, tag) = await stage.EstablishAsync();
        dialog.ReinviteHandler = _ => new TaskCompletionSource<SipReinviteAnswer>().Task;
        stage.Phone.Say(stage.Phone.Request("UPDATE", "call-1", "z9hG4bKslow", 2, tag, sdp: ScriptedPhone.Sdp));
        stage.Time.Advance(TimeSpan.FromSeconds(10));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Single(stage.Phone.Responses(504, "UPDATE"));
        dialog.ReinviteHandler = _ => Task.FromResult(SipReinviteAnswer.Accept(Answer));
        stage.Phone.Say(stage.Phone.Request("UPDATE", "call-1", "z9hG4bKnext", 3, tag, sdp: ScriptedPhone.Sdp));
        await stage.Phone.HearResponseAsync(200, "UPDATE");
    }

    [Fact]
    public async Task Our_update_offers_and_takes_the_answer()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (dialog, _) = await stage.EstablishAsync();
        Task<SipReinviteResult> update = dialog.UpdateAsync(ScriptedPhone.Sdp);
        SipRequest sent = await stage.Phone.HearRequestAsync("UPDATE");
        Assert.Equal((ScriptedPhone.Sdp, 1), (sent.Sdp, sent.Contacts.Count));
        // Theirs crosses it: 491 to an offer, and to an INVITE (RFC 3311 5.2).
        stage.Phone.Say(stage.Phone.Request("UPDATE", "call-1", "z9hG4bKcross", 2, dialog.LocalTag, sdp: ScriptedPhone.Sdp));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Single(stage.Phone.Responses(491, "UPDATE"));
        stage.Phone.Say(stage.Phone.Request("INVITE", "call-1", "z9hG4bKcross2", 3, dialog.LocalTag));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Single(stage.Phone.Responses(491, "INVITE"));
        stage.Phone.Say(IncomingCallTests.Response(sent, 200, null, "Contact: <sip:moved@127.0.0.9:5072>\r\n", Answer));
        SipReinviteResult result = await TestApplication.Within(update, "the answer");
        Assert.Equal((200, Answer), (result.StatusCode, result.Sdp));
        Assert.Equal("sip:moved@127.0.0.9:5072", dialog.RemoteTarget.ToString());
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Empty(stage.Phone.Requests("ACK"));
    }

    [Fact]
    public async Task Our_reinvite_gets_its_ack_again_for_every_copy_of_the_200()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (dialog, _) = await stage.EstablishAsync();
        Task<SipReinviteResult> reinvite = dialog.ReinviteAsync(ScriptedPhone.Sdp);
        SipRequest sent = await stage.Phone.HearRequestAsync("INVITE");
        byte[] ok = IncomingCallTests.Response(sent, 200, null, Contact, Answer);
        stage.Phone.Say(ok);
        stage.Phone.Say(ok);
        Assert.True((await TestApplication.Within(reinvite, "the answer")).IsAccepted);
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Equal(2, stage.Phone.Requests("ACK").Count);
        Assert.Equal(stage.Phone.Requests("ACK")[0].ToString(), stage.Phone.Requests("ACK")[1].ToString());
    }

    [Fact]
    public async Task A_reinvite_without_an_ack_ends_the_call_after_64_t1()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (dialog, tag) = await stage.EstablishAsync();
        dialog.ReinviteHandler = _ => Task.FromResult(SipReinviteAnswer.Accept(Answer));
        stage.Phone.Say(stage.Phone.Request("INVITE", "call-1", "z9hG4bKnoack", 2, tag, sdp: ScriptedPhone.Sdp));
        await stage.Phone.HearResponseAsync(200);
        stage.Time.Advance(TimeSpan.FromSeconds(32) - Ms);
        // At 0.5, 1.5, 3.5, 7.5, 11.5 ... 31.5 s.
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Equal(11, stage.Phone.Responses(200, "INVITE").Count(one => one.CSeq.Number == 2));
        stage.Time.Advance(Ms);
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Single(stage.Phone.Requests("BYE"));
        Assert.Equal(SipDialogEndCause.AckTimeout, (await TestApplication.Within(dialog.Ended, "the end")).Cause);
    }

    [Fact]
    public async Task A_reinvite_without_an_offer_gets_ours_and_its_answer_comes_with_the_ack()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (dialog, tag) = await stage.EstablishAsync();
        var answered = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        dialog.ReinviteHandler = reinvite =>
        {
            if (reinvite.Offer is null)
            {
                _ = Task.Run(async () => answered.SetResult(await reinvite.AckSdp));
            }

            return Task.FromResult(SipReinviteAnswer.Accept("v=0\r\ns=ours\r\n"));
        };
        stage.Phone.Say(stage.Phone.Request("INVITE", "call-1", "z9hG4bKlate", 2, tag));
        SipResponse ok = await stage.Phone.HearResponseAsync(200);
        Assert.Equal("v=0\r\ns=ours\r\n", ok.Sdp);
        // Our offer is open until the ACK.
        stage.Phone.Say(stage.Phone.Request("UPDATE", "call-1", "z9hG4bKtoo", 3, tag, sdp: ScriptedPhone.Sdp));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Single(stage.Phone.Responses(491, "UPDATE"));
        stage.Phone.Say(stage.Phone.Request("ACK", "call-1", "z9hG4bKlateack", 2, tag, sdp: Answer));
        Assert.Equal(Answer, await TestApplication.Within(answered.Task, "the answer in the ACK"));
        stage.Phone.Say(stage.Phone.Request("UPDATE", "call-1", "z9hG4bKnow", 4, tag, sdp: ScriptedPhone.Sdp));
        await stage.Phone.HearResponseAsync(200, "UPDATE");
    }

    [Fact]
    public async Task Our_reinvite_without_an_offer_answers_theirs_in_the_ack()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (dialog, _) = await stage.EstablishAsync();
        string? offered = null;
        Task<SipReinviteResult> reinvite = dialog.ReinviteAsync(offer =>
        {
            offered = offer;
            return Task.FromResult<string?>(Answer);
        });
        SipRequest sent = await stage.Phone.HearRequestAsync("INVITE");
        Assert.Empty(sent.Body.ToArray());
        stage.Phone.Say(IncomingCallTests.Response(sent, 200, null, Contact, ScriptedPhone.Sdp));
        Assert.Equal((200, ScriptedPhone.Sdp), await ResultAsync(reinvite));
        Assert.Equal(ScriptedPhone.Sdp, offered);
        await Stage.SettleAsync(stage.Endpoint);
        SipRequest ack = Assert.Single(stage.Phone.Requests("ACK"));
        Assert.Equal((Answer, sent.CSeq.Number), (ack.Sdp, ack.CSeq.Number));
    }

    [Fact]
    public async Task A_late_offer_that_the_application_cannot_answer_ends_the_call()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (dialog, _) = await stage.EstablishAsync();
        Task<SipReinviteResult> reinvite = dialog.ReinviteAsync(_ => Task.FromResult<string?>(null));
        stage.Phone.Say(IncomingCallTests.Response(await stage.Phone.HearRequestAsync("INVITE"), 200, null, Contact, ScriptedPhone.Sdp));
        Assert.Equal(488, (await ResultAsync(reinvite)).Status);
        await stage.Phone.HearRequestAsync("ACK");
        Assert.Equal("SIP;cause=488;text=\"Not Acceptable Here\"", (await stage.Phone.HearRequestAsync("BYE")).Header("Reason"));
    }

    [Fact]
    public async Task A_call_placed_without_an_offer_answers_in_the_ack()
    {
        await using Stage stage = await Stage.OpenAsync();
        OutgoingCall call = await stage.Endpoint.InviteAsync(UserAgent.OutgoingCallTests.Invite("sip:callee@127.0.0.9:5060") with
        {
            Offer = null,
            LateAnswer = offer => Task.FromResult<string?>(offer + "s=answered\r\n"),
        });
        SipRequest invite = await stage.Phone.HearRequestAsync("INVITE");
        Assert.Empty(invite.Body.ToArray());
        byte[] ok = IncomingCallTests.Response(invite, 200, "t1", Contact, ScriptedPhone.Sdp);
        stage.Phone.Say(ok);
        stage.Phone.Say(ok);
        OutgoingCallResult result = await TestApplication.Within(call.Completed, "the answer");
        Assert.Equal((true, ScriptedPhone.Sdp), (result.IsAnswered, result.Sdp));
        stage.Phone.Say(ok);
        await Stage.SettleAsync(stage.Endpoint);
        Assert.All(stage.Phone.Requests("ACK"), ack => Assert.Equal(ScriptedPhone.Sdp + "s=answered\r\n", ack.Sdp));
        Assert.NotEmpty(stage.Phone.Requests("ACK"));
    }

    [Theory]
    [InlineData(false, 0, 2_000)]
    [InlineData(true, 2_100, 4_000)]
    public async Task Glare_is_tried_again_after_the_time_that_the_owner_of_the_call_id_must_wait(bool weCalled, int leastMs, int mostMs)
    {
        await using Stage stage = await Stage.OpenAsync();
        SipDialog dialog = weCalled ? await PlaceAsync(stage) : (await stage.EstablishAsync()).Dialog;
        Task<SipReinviteResult> reinvite = dialog.ReinviteAsync(ScriptedPhone.Sdp);
        SipRequest first = await stage.Phone.HearRequestAsync("INVITE");
        stage.Phone.Say(IncomingCallTests.Response(first, 491));
        int before = stage.Phone.Requests("INVITE").Count;
        stage.Time.Advance(TimeSpan.FromMilliseconds(leastMs) - (leastMs > 0 ? Ms : TimeSpan.Zero));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Equal(before, stage.Phone.Requests("INVITE").Count);
        stage.Time.Advance(TimeSpan.FromMilliseconds(mostMs - leastMs + 11));
        SipRequest second = await stage.Phone.HearRequestAsync("INVITE");
        Assert.Equal((first.CSeq.Number + 1, first.Sdp), (second.CSeq.Number, second.Sdp));
        stage.Phone.Say(IncomingCallTests.Response(second, 200, null, Contact, Answer));
        Assert.Equal((200, Answer), await ResultAsync(reinvite));
    }

    [Fact]
    public async Task Glare_that_the_peer_wins_is_told_for_the_offer_is_old()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (dialog, tag) = await stage.EstablishAsync();
        dialog.ReinviteHandler = _ => Task.FromResult(SipReinviteAnswer.Accept(Answer));
        Task<SipReinviteResult> reinvite = dialog.ReinviteAsync(ScriptedPhone.Sdp);
        stage.Phone.Say(IncomingCallTests.Response(await stage.Phone.HearRequestAsync("INVITE"), 491));
        stage.Phone.Say(stage.Phone.Request("UPDATE", "call-1", "z9hG4bKwon", 2, tag, sdp: ScriptedPhone.Sdp));
        await stage.Phone.HearResponseAsync(200, "UPDATE");
        stage.Time.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(491, (await ResultAsync(reinvite)).Status);
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Single(stage.Phone.Requests("INVITE"));
    }

    [Fact]
    public async Task A_peer_that_always_meets_us_is_given_up_after_four_tries()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (dialog, _) = await stage.EstablishAsync();
        Task<SipReinviteResult> update = dialog.UpdateAsync(ScriptedPhone.Sdp);
        for (int i = 0; i < 4; i++)
        {
            SipRequest sent = await NextTryAsync(stage, i + 1);
            stage.Phone.Say(IncomingCallTests.Response(sent, i % 2 == 0 ? 491 : 500, null, "Retry-After: 2\r\n"));
        }

        Assert.NotEqual(200, (await ResultAsync(update)).Status);
        stage.Time.Advance(TimeSpan.FromSeconds(10));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Equal(4, stage.Phone.Requests("UPDATE").Select(one => one.CSeq.Number).Distinct().Count());
        Assert.False(dialog.Ended.IsCompleted);
    }

    [Fact]
    public async Task A_cancelled_reinvite_gets_487_and_the_call_lives_on()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (dialog, tag) = await stage.EstablishAsync();
        var thinking = new TaskCompletionSource<SipReinviteAnswer>();
        dialog.ReinviteHandler = _ => thinking.Task;
        stage.Phone.Say(stage.Phone.Request("INVITE", "call-1", "z9hG4bKre", 2, tag, sdp: ScriptedPhone.Sdp));
        stage.Phone.Say(stage.Phone.Request("CANCEL", "call-1", "z9hG4bKre", 2, tag));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Single(stage.Phone.Responses(200, "CANCEL"));
        Assert.Single(stage.Phone.Responses(487, "INVITE"));
        thinking.SetResult(SipReinviteAnswer.Accept(Answer));
        await Stage.SettleAsync();
        Assert.DoesNotContain(stage.Phone.Responses(200, "INVITE"), one => one.CSeq.Number == 2);
        Assert.False(dialog.Ended.IsCompleted);
    }

    [Fact]
    public async Task A_bye_while_a_reinvite_waits_answers_it_with_487()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (dialog, tag) = await stage.EstablishAsync();
        dialog.ReinviteHandler = _ => new TaskCompletionSource<SipReinviteAnswer>().Task;
        stage.Phone.Say(stage.Phone.Request("INVITE", "call-1", "z9hG4bKre", 2, tag, sdp: ScriptedPhone.Sdp));
        stage.Phone.Say(stage.Phone.Request("BYE", "call-1", "z9hG4bKbye", 3, tag));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Single(stage.Phone.Responses(200, "BYE"));
        Assert.Single(stage.Phone.Responses(487, "INVITE"));
        Assert.True(dialog.Ended.IsCompleted);
    }

    [Fact]
    public async Task A_second_offer_of_ours_while_the_first_waits_is_refused_here()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (dialog, _) = await stage.EstablishAsync();
        _ = dialog.ReinviteAsync(ScriptedPhone.Sdp);
        await stage.Phone.HearRequestAsync("INVITE");
        Assert.Equal(491, (await ResultAsync(dialog.UpdateAsync(ScriptedPhone.Sdp))).Status);
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Empty(stage.Phone.Requests("UPDATE"));
    }

    [Fact]
    public async Task A_reinvite_that_times_out_ends_the_call_with_bye()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (dialog, _) = await stage.EstablishAsync();
        Task<SipReinviteResult> reinvite = dialog.ReinviteAsync(ScriptedPhone.Sdp);
        stage.Time.Advance(TimeSpan.FromSeconds(32));
        Assert.Equal(408, (await ResultAsync(reinvite)).Status);
        Assert.Equal(SipDialogEndCause.RemoteGone, (await TestApplication.Within(dialog.Ended, "the end")).Cause);
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Single(stage.Phone.Requests("BYE"));
    }

    /// <summary>The first copy of the so manyeth UPDATE, as time goes on.</summary>
    private static async Task<SipRequest> NextTryAsync(Stage stage, int which)
    {
        for (int steps = 0; steps < 100; steps++)
        {
            await Stage.SettleAsync();
            if (stage.Phone.Requests("UPDATE").DistinctBy(one => one.CSeq.Number).ElementAtOrDefault(which - 1) is { } found)
            {
                return found;
            }

            stage.Time.Advance(100 * Ms);
        }

        throw new TimeoutException($"Waited 10 s of virtual time for UPDATE {which}.");
    }

    /// <summary>A call that we placed and the phone answered.</summary>
    internal static async Task<SipDialog> PlaceAsync(Stage stage, string headers = "", Func<OutgoingInvite, OutgoingInvite>? adjust = null)
    {
        OutgoingInvite invite = UserAgent.OutgoingCallTests.Invite("sip:callee@127.0.0.9:5060");
        OutgoingCall call = await stage.Endpoint.InviteAsync(adjust?.Invoke(invite) ?? invite);
        stage.Phone.Say(IncomingCallTests.Response(await stage.Phone.HearRequestAsync("INVITE"), 200, "callee", Contact + headers, ScriptedPhone.Sdp));
        OutgoingCallResult result = await TestApplication.Within(call.Completed, "the answer");
        return result.Dialog ?? throw new InvalidOperationException(result.StatusCode.ToString(CultureInfo.InvariantCulture));
    }

    private static async Task<(int Status, string? Sdp)> ResultAsync(Task<SipReinviteResult> task)
    {
        SipReinviteResult result = await TestApplication.Within(task, "the offer to be decided");
        return (result.StatusCode, result.Sdp);
    }
}
