using System.Text;
using Sentiric.Sip.Tests.Kit;
using Sentiric.Sip.Tests.UserAgent;

namespace Sentiric.Sip.Tests.Dialogs;

/// <summary>REFER (RFC 3515, 4488) and Replaces (RFC 3891) both ways.</summary>
public sealed class TransferTests
{
    private const string Contact = "Contact: <sip:callee@127.0.0.9:5060>\r\n";

    [Fact]
    public async Task A_refer_is_decided_by_the_application_and_the_new_call_is_reported()
    {
        await using Stage stage = await OpenAsync();
        var (dialog, tag) = await stage.EstablishAsync();
        var referred = new TaskCompletionSource<IncomingReferral>(TaskCreationOptions.RunContinuationsAsynchronously);
        dialog.ReferHandler = referral =>
        {
            referred.SetResult(referral);
            return Task.FromResult(new SipAnswer(202));
        };
        stage.Phone.Say(stage.Phone.Request("REFER", "call-1", "z9hG4bKrefer", 2, tag,
            "Refer-To: <sip:callee@127.0.0.9:5060>\r\nReferred-By: <sip:boss@phone.example>\r\n"));
        IncomingReferral referral = await TestApplication.Within(referred.Task, "the REFER");
        Assert.Equal(("sip:callee@127.0.0.9:5060", "<sip:boss@phone.example>", null), (referral.ReferTo.Uri.ToString(), referral.ReferredBy, referral.Replaces));
        await stage.Phone.HearResponseAsync(202, "REFER");
        await ReportAsync(stage, "SIP/2.0 100 Trying\r\n", "active;expires=180");

        OutgoingCall call = await stage.Endpoint.InviteAsync(referral.ToInvite(NameAddr.Create(null, SipUri.Parse("sip:us@home.example")), ScriptedPhone.Sdp));
        SipRequest invite = await stage.Phone.HearRequestAsync("INVITE");
        Assert.Equal("<sip:boss@phone.example>", invite.Header("Referred-By"));
        Task<OutgoingCallResult> followed = referral.FollowAsync(call);
        stage.Phone.Say(IncomingCallTests.Response(invite, 180, "t", Contact));
        await ReportAsync(stage, "SIP/2.0 180 Ringing\r\n", "active;expires=180");
        stage.Phone.Say(IncomingCallTests.Response(invite, 200, "t", Contact, ScriptedPhone.Sdp));
        await ReportAsync(stage, "SIP/2.0 200 OK\r\n", "terminated;reason=noresource");
        Assert.True((await TestApplication.Within(followed, "the new call")).IsAnswered);
        int before = stage.Phone.Requests("NOTIFY").Count;
        await referral.NotifyAsync(200);
        stage.Time.Advance(TimeSpan.FromMinutes(4));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Equal(before, stage.Phone.Requests("NOTIFY").Count);
        Assert.False(dialog.Ended.IsCompleted);
    }

    [Fact]
    public async Task A_refer_that_is_not_reported_about_ends_by_itself()
    {
        await using Stage stage = await OpenAsync();
        var (dialog, tag) = await stage.EstablishAsync();
        dialog.ReferHandler = _ => Task.FromResult(new SipAnswer(202));
        stage.Phone.Say(stage.Phone.Request("REFER", "call-1", "z9hG4bKr1", 2, tag, "r: <sip:a@127.0.0.9>\r\n"));
        await ReportAsync(stage, "SIP/2.0 100 Trying\r\n", "active;expires=180");
        // The second of a dialog names its CSeq (RFC 3515 2.4.6).
        stage.Phone.Say(stage.Phone.Request("REFER", "call-1", "z9hG4bKr2", 3, tag, "r: <sip:b@127.0.0.9>\r\n"));
        Assert.Equal("refer;id=3", (await ReportAsync(stage, "SIP/2.0 100 Trying\r\n", "active;expires=180")).Header("Event"));
        stage.Time.Advance(TimeSpan.FromMinutes(3));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Contains(stage.Phone.Requests("NOTIFY"), one => one.Header("Subscription-State") == "terminated;reason=timeout");
    }

    [Theory]
    [InlineData("", 400)]
    [InlineData("Refer-To: <sip:a@b>\r\nr: <sip:c@d>\r\n", 400)]
    [InlineData("Refer-To: <http://a.example>\r\n", 400)]
    [InlineData("Refer-To: <sip:a@b>\r\n", 603)]
    public async Task A_refer_that_cannot_be_read_or_that_nobody_decides_is_refused(string extra, int status)
    {
        await using Stage stage = await OpenAsync();
        var (_, tag) = await stage.EstablishAsync();
        stage.Phone.Say(stage.Phone.Request("REFER", "call-1", "z9hG4bKr", 2, tag, extra));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Single(stage.Phone.Responses(status, "REFER"));
    }

    [Fact]
    public async Task A_refer_without_a_subscription_is_not_reported_about()
    {
        await using Stage stage = await OpenAsync();
        var (dialog, tag) = await stage.EstablishAsync();
        IncomingReferral? referral = null;
        dialog.ReferHandler = one =>
        {
            referral = one;
            return Task.FromResult(new SipAnswer(200));
        };
        stage.Phone.Say(stage.Phone.Request("REFER", "call-1", "z9hG4bKr", 2, tag, "Refer-To: <sip:a@b>\r\nRefer-Sub: false\r\nRequire: norefersub\r\n"));
        Assert.Equal("false", (await stage.Phone.HearResponseAsync(202, "REFER")).Header("Refer-Sub"));
        await referral!.NotifyAsync(200);
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Empty(stage.Phone.Requests("NOTIFY"));
    }

    [Fact]
    public async Task Without_transfers_refer_is_405_and_outside_of_a_call_it_is_403()
    {
        await using Stage plain = await Stage.OpenAsync();
        plain.Phone.Say(plain.Phone.Request("REFER", "r", "z9hG4bKr", 1, extra: "Refer-To: <sip:a@b>\r\n"));
        await Stage.SettleAsync(plain.Endpoint);
        Assert.Single(plain.Phone.Responses(405, "REFER"));
        plain.Phone.Say(plain.Phone.Request("INVITE", "i", "z9hG4bKi", 1, extra: "Require: replaces\r\nReplaces: x;to-tag=a;from-tag=b\r\n", sdp: ScriptedPhone.Sdp));
        await Stage.SettleAsync(plain.Endpoint);
        Assert.Equal("replaces", Assert.Single(plain.Phone.Responses(420, "INVITE")).Header("Unsupported"));

        await using Stage stage = await OpenAsync();
        stage.Phone.Say(stage.Phone.Request("REFER", "r", "z9hG4bKr", 1, extra: "Refer-To: <sip:a@b>\r\n"));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Single(stage.Phone.Responses(403, "REFER"));
    }

    [Fact]
    public async Task Our_refer_is_reported_until_the_new_call_stands()
    {
        await using Stage stage = await OpenAsync();
        var (dialog, tag) = await stage.EstablishAsync();
        OutgoingReferral referral = await dialog.ReferAsync(SipUri.Parse("sip:+905320000000@carrier.example"));
        SipRequest refer = await stage.Phone.HearRequestAsync("REFER");
        Assert.Equal(("<sip:+905320000000@carrier.example>", $"<{dialog.LocalUri}>"), (refer.Header("Refer-To"), refer.Header("Referred-By")));
        // The first report may overtake the 202 (RFC 3515 2.4.4).
        stage.Phone.Say(Notify(stage, tag, 2, "refer", "active;expires=60", "SIP/2.0 100 Trying\r\n"));
        stage.Phone.Say(IncomingCallTests.Response(refer, 202));
        Assert.Equal(202, await TestApplication.Within(referral.Answered, "the 202"));
        stage.Phone.Say(Notify(stage, tag, 3, $"refer;id={refer.CSeq.Number}", "active;expires=60", "SIP/2.0 180 Ringing\r\nX: y\r\n"));
        stage.Phone.Say(Notify(stage, tag, 4, "refer;id=99999", "active", "SIP/2.0 180 Ringing\r\n"));
        stage.Phone.Say(Notify(stage, tag, 5, "presence", "active", ""));
        stage.Phone.Say(Notify(stage, tag, 6, "refer", "terminated;reason=noresource", "SIP/2.0 603 Decline\r\n"));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Equal((3, 1, 1), (stage.Phone.Responses(200, "NOTIFY").Count, stage.Phone.Responses(481, "NOTIFY").Count, stage.Phone.Responses(489, "NOTIFY").Count));
        Assert.Equal("refer", stage.Phone.Responses(489, "NOTIFY")[0].Header("Allow-Events"));
        SipReferralProgress? final = await TestApplication.Within(referral.Completed, "the end");
        Assert.Equal(new SipReferralProgress(603, "Decline"), final);
        Assert.Equal([100, 180, 603], await referral.Progress.ReadAllAsync().Select(one => one.StatusCode).ToListAsync());
        stage.Phone.Say(Notify(stage, tag, 7, "refer", "active", "SIP/2.0 200 OK\r\n"));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Equal(2, stage.Phone.Responses(481, "NOTIFY").Count);
    }

    [Fact]
    public async Task A_refer_that_is_refused_or_forgotten_completes()
    {
        await using Stage stage = await OpenAsync();
        var (dialog, tag) = await stage.EstablishAsync();
        OutgoingReferral refused = await dialog.ReferAsync(SipUri.Parse("sip:a@b"), reports: false);
        SipRequest refer = await stage.Phone.HearRequestAsync("REFER");
        Assert.Equal("false", refer.Header("Refer-Sub"));
        stage.Phone.Say(IncomingCallTests.Response(refer, 603));
        Assert.Equal(603, await TestApplication.Within(refused.Answered, "the refusal"));
        Assert.Null(await TestApplication.Within(refused.Completed, "the end"));

        OutgoingReferral forgotten = await dialog.ReferAsync(SipUri.Parse("sip:a@b"));
        stage.Phone.Say(IncomingCallTests.Response(await stage.Phone.HearRequestAsync("REFER"), 202));
        stage.Phone.Say(stage.Phone.Request("BYE", "call-1", "z9hG4bKbye", 2, tag));
        Assert.Null(await TestApplication.Within(forgotten.Completed, "the end"));
        Assert.Equal(481, await (await dialog.ReferAsync(SipUri.Parse("sip:a@b"))).Answered);
    }

    [Fact]
    public async Task An_invite_with_replaces_takes_the_place_of_a_call()
    {
        await using Stage stage = await OpenAsync();
        var (dialog, tag) = await stage.EstablishAsync();
        stage.Phone.Say(stage.Phone.Request("INVITE", "new", "z9hG4bKnew", 1, extra: $"Require: replaces\r\nReplaces: call-1 ; from-tag=phone;to-tag={tag}\r\n", sdp: ScriptedPhone.Sdp));
        IncomingInvite invite = await stage.Application.NextInviteAsync();
        Assert.Same(dialog, invite.Replaced);
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Empty(stage.Phone.Requests("BYE"));
        Task<SipAnswerResult> answer = invite.AnswerAsync(ScriptedPhone.Sdp);
        SipResponse ok = await stage.Phone.HearResponseAsync(200);
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Equal("call-1", Assert.Single(stage.Phone.Requests("BYE")).CallId);
        Assert.Equal(SipDialogEndCause.Replaced, (await TestApplication.Within(dialog.Ended, "the end")).Cause);
        stage.Phone.Say(stage.Phone.Request("ACK", "new", "z9hG4bKack", 1, ok.To.Tag));
        Assert.True((await TestApplication.Within(answer, "the ACK")).IsEstablished);
    }

    [Fact]
    public async Task A_call_that_we_place_and_that_still_rings_is_cancelled_when_it_is_replaced()
    {
        await using Stage stage = await OpenAsync();
        OutgoingCall call = await stage.Endpoint.InviteAsync(OutgoingCallTests.Invite("sip:callee@127.0.0.9:5060"));
        SipRequest placed = await stage.Phone.HearRequestAsync("INVITE");
        stage.Phone.Say(IncomingCallTests.Response(placed, 180, "rings", Contact));
        stage.Phone.Say(stage.Phone.Request("INVITE", "new", "z9hG4bKnew", 1, extra: $"Replaces: {placed.CallId};from-tag=rings;to-tag={placed.From.Tag};early-only\r\n", sdp: ScriptedPhone.Sdp));
        IncomingInvite invite = await stage.Application.NextInviteAsync();
        _ = invite.AnswerAsync(ScriptedPhone.Sdp);
        SipRequest cancel = await stage.Phone.HearRequestAsync("CANCEL");
        Assert.Equal("SIP;cause=200;text=\"Replaced\"", cancel.Header("Reason"));
        stage.Phone.Say(IncomingCallTests.Response(placed, 487, "rings"));
        Assert.True((await TestApplication.Within(call.Completed, "the cancellation")).WasCancelled);
    }

    [Fact]
    public async Task Replaces_is_refused_as_rfc_3891_says()
    {
        await using Stage stage = await OpenAsync();
        var (_, tag) = await stage.EstablishAsync();
        stage.Phone.Say(stage.Phone.Request("INVITE", "ringing", "z9hG4bKringing", 1, sdp: ScriptedPhone.Sdp));
        IncomingInvite ringing = await stage.Application.NextInviteAsync();
        var (gone, goneTag) = await stage.EstablishAsync("gone");
        stage.Phone.Say(stage.Phone.Request("BYE", "gone", "z9hG4bKbye", 2, goneTag));
        await TestApplication.Within(gone.Ended, "the end");
        (string Replaces, int Status)[] rules =
        [
            ($"call-1;to-tag={tag};from-tag=phone;early-only", 486),
            ($"call-1;to-tag={tag};from-tag=other", 481),
            ("nobody;to-tag=a;from-tag=b", 481),
            ($"ringing;to-tag={ringing.LocalTag};from-tag=phone", 481),
            ($"gone;to-tag={goneTag};from-tag=phone", 603),
            ("call-1;to-tag=a", 400),
            ($"call-1;to-tag={tag};from-tag=phone\r\nReplaces: x;to-tag=a;from-tag=b", 400),
        ];
        for (int i = 0; i < rules.Length; i++)
        {
            stage.Phone.Say(stage.Phone.Request("INVITE", "try-" + i, "z9hG4bKtry" + i, 1, extra: $"Replaces: {rules[i].Replaces}\r\n", sdp: ScriptedPhone.Sdp));
            Assert.Equal((i, rules[i].Status), (i, (await stage.Phone.HearResponseToAsync("z9hG4bKtry" + i)).StatusCode));
        }

        Assert.Equal(3, stage.Application.Calls);
    }

    [Fact]
    public async Task An_attended_transfer_names_the_other_call_as_its_peer_knows_it()
    {
        await using Stage stage = await OpenAsync();
        var (first, tag) = await stage.EstablishAsync();
        SipDialog consultation = await LaterOfferTests.PlaceAsync(stage);
        _ = await first.ReferAsync(consultation.ReplacingUri());
        SipRequest refer = await stage.Phone.HearRequestAsync("REFER");
        // What the transferee makes of it: a call that replaces the consultation at its peer.
        Assert.True(SipUri.TryParse(refer.Header("Refer-To")!.Trim('<', '>'), out SipUri? target));
        Assert.Equal($"Replaces={consultation.CallId}%3Bto-tag%3Dcallee%3Bfrom-tag%3D{consultation.LocalTag}", target.Headers);
        stage.Phone.Say(IncomingCallTests.Response(refer, 202));

        IncomingReferral? referral = null;
        first.ReferHandler = one =>
        {
            referral = one;
            return Task.FromResult(new SipAnswer(202));
        };
        stage.Phone.Say(stage.Phone.Request("REFER", "call-1", "z9hG4bKback", 2, tag, $"Refer-To: <{target}>\r\n"));
        await stage.Phone.HearResponseAsync(202, "REFER");
        OutgoingInvite invite = referral!.ToInvite(NameAddr.Create(null, SipUri.Parse("sip:us@h")), null);
        Assert.Equal("sip:phone@127.0.0.9:5060", invite.Target.ToString());
        Assert.Equal([new("Replaces", $"{consultation.CallId};to-tag=callee;from-tag={consultation.LocalTag}"), new("Require", "replaces")], invite.Headers);
    }

    private static Task<Stage> OpenAsync() => Stage.OpenAsync(options => options with { Sessions = new SipSessionOptions { Transfers = true } });

    /// <summary>The next NOTIFY of ours, answered.</summary>
    private static async Task<SipRequest> ReportAsync(Stage stage, string fragment, string subscription)
    {
        SipRequest notify = await stage.Phone.HearRequestAsync("NOTIFY");
        Assert.Equal(
            (fragment, subscription, "message/sipfrag;version=2.0"),
            (Encoding.UTF8.GetString(notify.Body.Span), notify.Header("Subscription-State"), notify.Header("Content-Type")));
        stage.Phone.Say(IncomingCallTests.Response(notify, 200));
        return notify;
    }

    private static string Notify(Stage stage, string tag, uint cseq, string @event, string subscription, string body)
    {
        string request = stage.Phone.Request("NOTIFY", "call-1", "z9hG4bK-notify-" + cseq, cseq, tag,
            $"Event: {@event}\r\nSubscription-State: {subscription}\r\n" + (body.Length == 0 ? "" : "Content-Type: message/sipfrag;version=2.0\r\n"));
        return request.Replace("Content-Length: 0\r\n\r\n", $"Content-Length: {body.Length}\r\n\r\n{body}");
    }
}
