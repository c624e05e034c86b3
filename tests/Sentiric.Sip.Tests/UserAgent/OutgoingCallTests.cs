using Sentiric.Sip.Tests.Dialogs;
using Sentiric.Sip.Tests.Kit;

namespace Sentiric.Sip.Tests.UserAgent;

/// <summary>D13: outbound INVITE handles 1xx, 2xx, 3xx, 4xx, 5xx, 6xx, a challenge, CANCEL and forked answers.</summary>
public sealed class OutgoingCallTests
{
    private const string Contact = "Contact: <sip:callee@127.0.0.9:5060>\r\n";

    [Fact]
    public async Task D13_Progress_and_answer_make_a_dialog_and_an_ack()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (call, invite) = await CallAsync(stage);
        stage.Phone.Say(IncomingCallTests.Response(invite, 100));
        stage.Phone.Say(IncomingCallTests.Response(invite, 183, "t1", Contact, "v=0\r\ns=early\r\n"));
        SipProgress progress = await TestApplication.Within(call.Progress.ReadAsync().AsTask(), "progress");
        Assert.Equal((183, "v=0\r\ns=early\r\n"), (progress.StatusCode, progress.Sdp));
        byte[] ok = IncomingCallTests.Response(invite, 200, "t1", Contact + "Record-Route: <sip:127.0.0.9:5070;lr;b>, <sip:127.0.0.9:5060;lr;a>\r\n", ScriptedPhone.Sdp);
        stage.Phone.Say(ok);
        OutgoingCallResult result = await TestApplication.Within(call.Completed, "the answer");
        Assert.True(result.IsAnswered);
        Assert.Equal(ScriptedPhone.Sdp, result.Sdp);
        SipRequest ack = Assert.Single(stage.Phone.Requests("ACK"));
        Assert.Equal(["<sip:127.0.0.9:5060;lr;a>", "<sip:127.0.0.9:5070;lr;b>"], ack.Headers("Route"));
        Assert.Equal("sip:callee@127.0.0.9:5060", ack.Uri.ToString());
        Assert.NotEqual(invite.TopVia.Branch, ack.TopVia.Branch);
        // 13.2.2.4: every copy of the 2xx gets the same ACK.
        stage.Phone.Say(ok);
        Assert.Equal(2, stage.Phone.Requests("ACK").Count);
        Assert.Equal(ack.ToString(), stage.Phone.Requests("ACK")[1].ToString());
        Task bye = result.Dialog.ByeAsync();
        SipRequest sent = await stage.Phone.HearRequestAsync("BYE");
        Assert.Equal(invite.CSeq.Number + 1, sent.CSeq.Number);
        stage.Phone.Say(IncomingCallTests.Response(sent, 200));
        await bye.WaitAsync(ScriptedPhone.Patience);
        Assert.Equal(SipDialogEndCause.LocalBye, (await result.Dialog.Ended).Cause);
        stage.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal((0, 0), (stage.Endpoint.Statistics.ClientTransactions, stage.Endpoint.Statistics.Dialogs));
    }

    [Theory]
    [InlineData(302)]
    [InlineData(404)]
    [InlineData(486)]
    [InlineData(503)]
    [InlineData(603)]
    public async Task D13_A_refusal_is_acknowledged_and_told(int status)
    {
        await using Stage stage = await Stage.OpenAsync();
        var (call, invite) = await CallAsync(stage);
        byte[] refusal = IncomingCallTests.Response(invite, status, "t1", Contact);
        stage.Phone.Say(refusal);
        OutgoingCallResult result = await TestApplication.Within(call.Completed, "the refusal");
        Assert.Equal((status, false), (result.StatusCode, result.IsAnswered));
        Assert.Equal(status == 302 ? 1 : 0, result.Redirections.Count);
        SipRequest ack = Assert.Single(stage.Phone.Requests("ACK"));
        Assert.Equal((invite.TopVia.Branch, "t1", invite.CSeq.Number), (ack.TopVia.Branch, ack.To.Tag, ack.CSeq.Number));
        stage.Phone.Say(refusal);
        Assert.Equal(2, stage.Phone.Requests("ACK").Count);
        stage.Time.Advance(TimeSpan.FromSeconds(32));
        Assert.Equal(0, stage.Endpoint.Statistics.ClientTransactions);
    }

    [Fact]
    public async Task D13_Silence_is_408_after_seven_invites()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (call, _) = await CallAsync(stage);
        stage.Time.Advance(TimeSpan.FromSeconds(32));
        Assert.Equal(408, (await TestApplication.Within(call.Completed, "the timeout")).StatusCode);
        Assert.Equal(7, stage.Phone.Requests("INVITE").Count);
    }

    [Fact]
    public async Task D13_A_challenge_is_answered_once_and_a_wrong_password_is_told()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (call, invite) = await CallAsync(stage, new SipCredentials("ayse", "gizli"));
        const string challenge = "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n1\", algorithm=MD5, qop=\"auth,auth-int\", opaque=\"o\"\r\n"
            + "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n2\", algorithm=SHA-256, qop=\"auth\"\r\n";
        stage.Phone.Say(IncomingCallTests.Response(invite, 407, "t1", challenge));
        SipRequest second = await stage.Phone.HearRequestAsync("INVITE");
        Assert.Equal(invite.CSeq.Number + 1, second.CSeq.Number);
        Assert.Equal(invite.From.Tag, second.From.Tag);
        Assert.NotEqual(invite.TopVia.Branch, second.TopVia.Branch);
        DigestParameters given = DigestParameters.Parse(second.Header("Proxy-Authorization")!)!;
        Assert.Equal(("n2", "ayse", "auth"), (given["nonce"], given["username"], given["qop"]));
        string secret = DigestMath.Secret(DigestAlgorithm.Sha256, "ayse", "r", "gizli");
        Assert.Equal(DigestMath.Response(DigestAlgorithm.Sha256, secret, "INVITE", second.Uri.ToString(), "n2", "auth", given["nc"], given["cnonce"]), given["response"]);
        stage.Phone.Say(IncomingCallTests.Response(second, 407, "t2", challenge));
        Assert.Equal(407, (await TestApplication.Within(call.Completed, "the refusal")).StatusCode);
    }

    [Fact]
    public async Task D13_Cancel_waits_for_a_provisional_response_and_ends_with_487()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (call, invite) = await CallAsync(stage);
        await call.CancelAsync();
        Assert.Empty(stage.Phone.Requests("CANCEL"));
        stage.Phone.Say(IncomingCallTests.Response(invite, 180, "t1"));
        SipRequest cancel = Assert.Single(stage.Phone.Requests("CANCEL"));
        Assert.Equal((invite.TopVia.Branch, invite.CSeq.Number, (string?)null), (cancel.TopVia.Branch, cancel.CSeq.Number, cancel.To.Tag));
        Assert.Equal(invite.Uri.ToString(), cancel.Uri.ToString());
        stage.Phone.Say(IncomingCallTests.Response(cancel, 200, "t1"));
        stage.Phone.Say(IncomingCallTests.Response(invite, 487, "t1"));
        OutgoingCallResult result = await TestApplication.Within(call.Completed, "the cancellation");
        Assert.Equal((487, true), (result.StatusCode, result.WasCancelled));
    }

    [Fact]
    public async Task D13_A_200_that_crosses_the_cancel_is_acknowledged_and_ended()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (call, invite) = await CallAsync(stage);
        stage.Phone.Say(IncomingCallTests.Response(invite, 180, "t1"));
        await call.CancelAsync();
        stage.Phone.Say(IncomingCallTests.Response(invite, 200, "t1", Contact, ScriptedPhone.Sdp));
        Assert.False((await TestApplication.Within(call.Completed, "the cancellation")).IsAnswered);
        Assert.Single(stage.Phone.Requests("ACK"));
        Assert.Single(stage.Phone.Requests("BYE"));
    }

    [Fact]
    public async Task A_cancel_that_nobody_answers_gives_up_after_64_t1()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (call, invite) = await CallAsync(stage);
        stage.Phone.Say(IncomingCallTests.Response(invite, 180, "t1"));
        await call.CancelAsync();
        stage.Time.Advance(TimeSpan.FromSeconds(32));
        Assert.True((await TestApplication.Within(call.Completed, "the cancellation")).WasCancelled);
        Assert.Equal(0, stage.Endpoint.Statistics.ClientTransactions);
    }

    [Fact]
    public async Task An_unanswered_call_is_cancelled_when_its_ring_time_is_over()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (_, invite) = await CallAsync(stage);
        stage.Phone.Say(IncomingCallTests.Response(invite, 180, "t1"));
        stage.Time.Advance(TimeSpan.FromMinutes(3));
        Assert.NotEmpty(stage.Phone.Requests("CANCEL"));
    }

    [Fact]
    public async Task D13_Only_the_first_forked_answer_makes_the_call_and_the_others_get_ack_and_bye()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (call, invite) = await CallAsync(stage);
        stage.Phone.Say(IncomingCallTests.Response(invite, 200, "fork-a", Contact, ScriptedPhone.Sdp));
        stage.Phone.Say(IncomingCallTests.Response(invite, 200, "fork-b", Contact, ScriptedPhone.Sdp));
        OutgoingCallResult result = await TestApplication.Within(call.Completed, "the answer");
        Assert.Equal("fork-a", result.Dialog?.RemoteTag);
        Assert.Equal(["fork-a", "fork-b"], stage.Phone.Requests("ACK").Select(ack => ack.To.Tag));
        Assert.Equal("fork-b", Assert.Single(stage.Phone.Requests("BYE")).To.Tag);
    }

    [Fact]
    public async Task What_cannot_be_reached_is_503()
    {
        await using Stage stage = await Stage.OpenAsync(options => options with { Listen = [SipListen.Tcp()] });
        foreach (string target in new[] { "sips:a@127.0.0.9", "sip:a@127.0.0.9;transport=udp", "tel:+905", "sip:a@127.7.7.7" })
        {
            OutgoingCall call = await stage.Endpoint.InviteAsync(Invite(target));
            Assert.Equal(503, (await TestApplication.Within(call.Completed, target)).StatusCode);
        }
    }

    [Fact]
    public async Task A_dialog_that_the_peer_forgot_ends_with_its_481()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (dialog, _) = await stage.EstablishAsync();
        Task<SipReinviteResult> reinvite = dialog.ReinviteAsync(ScriptedPhone.Sdp);
        SipRequest request = await stage.Phone.HearRequestAsync("INVITE");
        // Glare: theirs while ours is under way (14.2).
        stage.Phone.Say(stage.Phone.Request("INVITE", "call-1", "z9hG4bKglare", 2, dialog.LocalTag, sdp: ScriptedPhone.Sdp));
        Assert.Single(stage.Phone.Responses(491, "INVITE"));
        stage.Phone.Say(IncomingCallTests.Response(request, 481));
        Assert.Equal(481, (await TestApplication.Within(reinvite, "the refusal")).StatusCode);
        Assert.Equal(SipDialogEndCause.RemoteGone, (await TestApplication.Within(dialog.Ended, "the end")).Cause);
    }

    [Fact]
    public async Task A_reinvite_that_is_accepted_gets_its_ack_and_new_target()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (dialog, _) = await stage.EstablishAsync();
        Task<SipReinviteResult> reinvite = dialog.ReinviteAsync(ScriptedPhone.Sdp);
        SipRequest request = await stage.Phone.HearRequestAsync("INVITE");
        stage.Phone.Say(IncomingCallTests.Response(request, 200, null, "Contact: <sip:moved@127.0.0.9:5077>\r\n", "v=0\r\n"));
        Assert.True((await TestApplication.Within(reinvite, "the answer")).IsAccepted);
        Assert.Equal(request.CSeq.Number, Assert.Single(stage.Phone.Requests("ACK")).CSeq.Number);
        _ = dialog.ByeAsync();
        Assert.Equal("sip:moved@127.0.0.9:5077", (await stage.Phone.HearRequestAsync("BYE")).Uri.ToString());
    }

    internal static OutgoingInvite Invite(string target, SipCredentials? credentials = null) => new()
    {
        Target = SipUri.Parse(target),
        From = NameAddr.Create("Ayşe", SipUri.Parse("sip:ayse@home.example")),
        Offer = ScriptedPhone.Sdp,
        Credentials = credentials,
    };

    private static async Task<(OutgoingCall Call, SipRequest Invite)> CallAsync(Stage stage, SipCredentials? credentials = null)
    {
        OutgoingCall call = await stage.Endpoint.InviteAsync(Invite("sip:callee@127.0.0.9:5060", credentials));
        return (call, await stage.Phone.HearRequestAsync("INVITE"));
    }
}
