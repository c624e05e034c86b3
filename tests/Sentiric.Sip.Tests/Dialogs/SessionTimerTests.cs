using Sentiric.Sip.Tests.Kit;

namespace Sentiric.Sip.Tests.Dialogs;

/// <summary>RFC 4028 both ways.</summary>
public sealed class SessionTimerTests
{
    private const string Contact = "Contact: <sip:phone@127.0.0.9:5060>\r\n";
    private static readonly TimeSpan Ms = TimeSpan.FromMilliseconds(1);

    [Theory]
    [InlineData("Supported: timer\r\nSession-Expires: 300;refresher=uac\r\n", "300;refresher=uac", "timer")]
    [InlineData("Supported: timer\r\nx: 300;refresher=uas\r\n", "300;refresher=uas", "timer")]
    [InlineData("k: timer\r\nSession-Expires: 300\r\n", "300;refresher=uac", "timer")]
    [InlineData("Session-Expires: 300\r\n", "300;refresher=uas", null)] // a proxy wrote it: only we can refresh
    [InlineData("Supported: timer\r\n", null, null)]
    public async Task The_200_says_who_refreshes(string extra, string? expires, string? require)
    {
        await using Stage stage = await Stage.OpenAsync();
        var (ok, _) = await stage.AnswerAsync(extra: extra);
        Assert.Equal((expires, require), (ok.Header("Session-Expires"), ok.Header("Require")));
    }

    [Fact]
    public async Task An_interval_of_our_own_is_asked_for_and_a_longer_one_shortened()
    {
        var sessions = new SipSessionOptions { Interval = TimeSpan.FromMinutes(10) };
        await using Stage stage = await Stage.OpenAsync(options => options with { Sessions = sessions });
        var (plain, _) = await stage.AnswerAsync("plain", "Supported: timer\r\n");
        Assert.Equal("600;refresher=uac", plain.Header("Session-Expires"));
        var (longer, _) = await stage.AnswerAsync("longer", "Supported: timer\r\nSession-Expires: 1800\r\nMin-SE: 500\r\n");
        Assert.Equal("600;refresher=uac", longer.Header("Session-Expires"));
        var (bound, _) = await stage.AnswerAsync("bound", "Supported: timer\r\nSession-Expires: 1800\r\nMin-SE: 900\r\n");
        Assert.Equal("1800;refresher=uac", bound.Header("Session-Expires"));
        SipRequest invite = await InviteAsync(stage);
        Assert.Equal("600", invite.Header("Session-Expires"));
    }

    [Fact]
    public async Task An_interval_that_is_too_short_is_refused_with_422()
    {
        await using Stage stage = await Stage.OpenAsync();
        stage.Phone.Say(stage.Phone.Request("INVITE", "s", "z9hG4bKs", 1, extra: "Supported: timer\r\nSession-Expires: 60\r\n", sdp: ScriptedPhone.Sdp));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Equal("90", Assert.Single(stage.Phone.Responses(422, "INVITE")).Header("Min-SE"));
        Assert.Equal(0, stage.Application.Calls);
    }

    [Fact]
    public async Task A_peer_that_does_not_refresh_is_hung_up_a_third_before_the_end_and_at_most_32_s()
    {
        foreach (var (seconds, byeAt) in new[] { (90, 60), (300, 268) })
        {
            await using Stage stage = await Stage.OpenAsync();
            var (dialog, _) = await stage.EstablishAsync(extra: $"Supported: timer\r\nSession-Expires: {seconds};refresher=uac\r\n");
            Assert.Equal((TimeSpan.FromSeconds(seconds), false), dialog.SessionInterval);
            stage.Time.Advance(TimeSpan.FromSeconds(byeAt) - Ms);
            await Stage.SettleAsync(stage.Endpoint);
            Assert.Empty(stage.Phone.Requests("BYE"));
            stage.Time.Advance(Ms);
            await Stage.SettleAsync(stage.Endpoint);
            Assert.Equal("SIP;cause=408;text=\"Session expired\"", Assert.Single(stage.Phone.Requests("BYE")).Header("Reason"));
            Assert.Equal(SipDialogEndCause.SessionExpired, (await TestApplication.Within(dialog.Ended, "the end")).Cause);
        }
    }

    [Fact]
    public async Task Refreshes_of_the_peer_by_update_and_by_reinvite_keep_the_call()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (dialog, tag) = await stage.EstablishAsync(extra: "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n");
        dialog.ReinviteHandler = _ => Task.FromResult(SipReinviteAnswer.Accept(ScriptedPhone.Sdp));
        const string refresh = "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n";
        for (uint i = 0; i < 4; i++)
        {
            stage.Time.Advance(TimeSpan.FromSeconds(50));
            stage.Phone.Say(stage.Phone.Request("UPDATE", "call-1", "z9hG4bKup" + i, 2 + i, tag, refresh));
        }

        await Stage.SettleAsync(stage.Endpoint);
        Assert.All(stage.Phone.Responses(200, "UPDATE"), ok => Assert.Equal(("90;refresher=uac", "timer"), (ok.Header("Session-Expires"), ok.Header("Require"))));
        stage.Phone.Say(stage.Phone.Request("INVITE", "call-1", "z9hG4bKre", 9, tag, refresh, ScriptedPhone.Sdp));
        SipResponse again = await stage.Phone.HearResponseAsync(200);
        Assert.Equal("90;refresher=uac", again.Header("Session-Expires"));
        stage.Phone.Say(stage.Phone.Request("ACK", "call-1", "z9hG4bKreack", 9, tag));
        Assert.False(dialog.Ended.IsCompleted);
        // 422 holds for a refresh as well.
        stage.Phone.Say(stage.Phone.Request("UPDATE", "call-1", "z9hG4bKshort", 10, tag, "Supported: timer\r\nSession-Expires: 30\r\n"));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Single(stage.Phone.Responses(422, "UPDATE"));
        stage.Time.Advance(TimeSpan.FromSeconds(60));
        Assert.True(dialog.Ended.IsCompleted);
    }

    [Fact]
    public async Task We_refresh_at_half_time_by_update_where_the_peer_knows_it()
    {
        await using Stage stage = await Stage.OpenAsync();
        SipDialog dialog = await LaterOfferTests.PlaceAsync(stage, "Allow: INVITE, UPDATE\r\nRequire: timer\r\nSession-Expires: 200;refresher=uac\r\n");
        Assert.Equal((TimeSpan.FromSeconds(200), true), dialog.SessionInterval);
        for (int round = 0; round < 3; round++)
        {
            stage.Time.Advance(TimeSpan.FromSeconds(100));
            SipRequest refresh = await stage.Phone.HearRequestAsync("UPDATE");
            Assert.Equal(("200;refresher=uac", 0), (refresh.Header("Session-Expires"), refresh.Body.Length));
            stage.Phone.Say(IncomingCallTests.Response(refresh, 200, null, Contact + "Session-Expires: 200;refresher=uac\r\n"));
        }

        Assert.False(dialog.Ended.IsCompleted);
        // Then the peer is silent.
        stage.Time.Advance(TimeSpan.FromSeconds(100));
        await stage.Phone.HearRequestAsync("UPDATE");
        stage.Time.Advance(TimeSpan.FromSeconds(32));
        Assert.Equal(SipDialogEndCause.RemoteGone, (await TestApplication.Within(dialog.Ended, "the end")).Cause);
    }

    [Fact]
    public async Task We_refresh_by_reinvite_with_the_same_description_where_it_does_not()
    {
        await using Stage stage = await Stage.OpenAsync();
        SipDialog dialog = await LaterOfferTests.PlaceAsync(stage, "Allow: INVITE\r\nSession-Expires: 200;refresher=uac\r\n");
        stage.Time.Advance(TimeSpan.FromSeconds(100));
        SipRequest refresh = await stage.Phone.HearRequestAsync("INVITE");
        Assert.Equal(ScriptedPhone.Sdp, refresh.Sdp);
        stage.Phone.Say(IncomingCallTests.Response(refresh, 200, null, Contact + "Session-Expires: 200;refresher=uas\r\n", ScriptedPhone.Sdp));
        await stage.Phone.HearRequestAsync("ACK");
        // From here on the peer refreshes; it does not.
        stage.Time.Advance(TimeSpan.FromSeconds(168));
        Assert.Equal(SipDialogEndCause.SessionExpired, (await TestApplication.Within(dialog.Ended, "the end")).Cause);
    }

    [Fact]
    public async Task A_422_is_answered_by_the_interval_that_it_demands()
    {
        await using Stage stage = await Stage.OpenAsync(options => options with { Sessions = new SipSessionOptions { Interval = TimeSpan.FromMinutes(3) } });
        OutgoingCall call = await stage.Endpoint.InviteAsync(UserAgent.OutgoingCallTests.Invite("sip:callee@127.0.0.9:5060"));
        SipRequest first = await stage.Phone.HearRequestAsync("INVITE");
        Assert.Equal(("180", (string?)null), (first.Header("Session-Expires"), first.Header("Min-SE")));
        stage.Phone.Say(IncomingCallTests.Response(first, 422, "t", "Min-SE: 400\r\n"));
        SipRequest second = await stage.Phone.HearRequestAsync("INVITE");
        Assert.Equal(("400", "400", first.CallId, first.CSeq.Number + 1), (second.Header("Session-Expires"), second.Header("Min-SE"), second.CallId, second.CSeq.Number));
        stage.Phone.Say(IncomingCallTests.Response(second, 200, "t", Contact + "Allow: UPDATE\r\nSession-Expires: 400;refresher=uac\r\n", ScriptedPhone.Sdp));
        SipDialog? dialog = (await TestApplication.Within(call.Completed, "the answer")).Dialog;
        stage.Time.Advance(TimeSpan.FromSeconds(200));
        SipRequest refresh = await stage.Phone.HearRequestAsync("UPDATE");
        stage.Phone.Say(IncomingCallTests.Response(refresh, 422, null, "Min-SE: 800\r\n"));
        stage.Time.Advance(TimeSpan.FromMilliseconds(20));
        SipRequest longer = await stage.Phone.HearRequestAsync("UPDATE");
        Assert.Equal(("800;refresher=uac", "800"), (longer.Header("Session-Expires"), longer.Header("Min-SE")));
        Assert.False(dialog?.Ended.IsCompleted);
    }

    [Fact]
    public async Task A_peer_that_refuses_our_update_is_refreshed_by_reinvite()
    {
        await using Stage stage = await Stage.OpenAsync();
        await LaterOfferTests.PlaceAsync(stage, "Allow: UPDATE\r\nSession-Expires: 200;refresher=uac\r\n");
        stage.Time.Advance(TimeSpan.FromSeconds(100));
        stage.Phone.Say(IncomingCallTests.Response(await stage.Phone.HearRequestAsync("UPDATE"), 405));
        SipRequest refresh = await stage.Phone.HearRequestAsync("INVITE");
        Assert.Equal(ScriptedPhone.Sdp, refresh.Sdp);
    }

    [Fact]
    public async Task A_call_that_ends_leaves_no_timer_behind()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (dialog, tag) = await stage.EstablishAsync(extra: "Supported: timer\r\nSession-Expires: 90;refresher=uas\r\n");
        stage.Phone.Say(stage.Phone.Request("BYE", "call-1", "z9hG4bKbye", 2, tag));
        await TestApplication.Within(dialog.Ended, "the end");
        stage.Time.Advance(TimeSpan.FromMinutes(5));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Empty(stage.Phone.Requests("UPDATE").Concat(stage.Phone.Requests("BYE")));
    }

    private static async Task<SipRequest> InviteAsync(Stage stage)
    {
        await stage.Endpoint.InviteAsync(UserAgent.OutgoingCallTests.Invite("sip:callee@127.0.0.9:5060"));
        return await stage.Phone.HearRequestAsync("INVITE");
    }
}
