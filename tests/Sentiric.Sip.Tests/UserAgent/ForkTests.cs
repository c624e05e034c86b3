using Sentiric.Sip.Tests.Dialogs;
using Sentiric.Sip.Tests.Kit;

namespace Sentiric.Sip.Tests.UserAgent;

/// <summary>One call that rings at two phones (RFC 3261 16.6, 16.7).</summary>
public sealed class ForkTests
{
    private const string Elsewhere = "SIP;cause=200;text=\"Call completed elsewhere\"";

    [Fact]
    public async Task The_first_that_answers_has_the_call_and_the_other_hears_CANCEL_with_the_reason()
    {
        await using Rung rung = await Rung.AtTwoAsync();
        rung.Desk.Say(Ringing(rung.AtDesk));
        rung.Mobile.Say(Ringing(rung.AtMobile));
        await Stage.SettleAsync(rung.Stage.Endpoint);
        rung.Mobile.Say(Answer(rung.AtMobile, "127.0.0.20:5060"));
        OutgoingCallResult result = await TestApplication.Within(rung.Result, "the answer");
        Assert.Equal((200, rung.AtMobile.CallId), (result.StatusCode, result.Dialog!.CallId));
        SipRequest cancel = await rung.Desk.HearRequestAsync("CANCEL");
        Assert.Equal((rung.AtDesk.TopVia.Branch, Elsewhere), (cancel.TopVia.Branch, cancel.Header("Reason")));
        rung.Desk.Say(IncomingCallTests.Response(cancel, 200));
        rung.Desk.Say(IncomingCallTests.Response(rung.AtDesk, 487, "d"));
        Assert.Empty(rung.Mobile.Requests("CANCEL"));
    }

    [Fact]
    public async Task One_that_answers_all_the_same_hears_BYE()
    {
        await using Rung rung = await Rung.AtTwoAsync();
        rung.Desk.Say(Answer(rung.AtDesk, "127.0.0.9:5060"));
        rung.Mobile.Say(Answer(rung.AtMobile, "127.0.0.20:5060"));
        OutgoingCallResult result = await TestApplication.Within(rung.Result, "the answer");
        ScriptedPhone late = result.Dialog!.CallId == rung.AtDesk.CallId ? rung.Mobile : rung.Desk;
        await late.HearRequestAsync("ACK");
        SipRequest bye = await late.HearRequestAsync("BYE");
        late.Say(IncomingCallTests.Response(bye, 200));
        Assert.False(result.Dialog.Ended.IsCompleted);
    }

    [Fact]
    public async Task Busy_says_more_than_nobody_there()
    {
        await using Rung rung = await Rung.AtTwoAsync();
        rung.Desk.Say(IncomingCallTests.Response(rung.AtDesk, 486, "d"));
        rung.Mobile.Say(IncomingCallTests.Response(rung.AtMobile, 480, "m"));
        Assert.Equal(486, (await TestApplication.Within(rung.Result, "the refusals")).StatusCode);
    }

    [Fact]
    public async Task Who_declines_for_everybody_ends_it_everywhere()
    {
        await using Rung rung = await Rung.AtTwoAsync();
        rung.Desk.Say(Ringing(rung.AtDesk));
        await Stage.SettleAsync(rung.Stage.Endpoint);
        rung.Mobile.Say(IncomingCallTests.Response(rung.AtMobile, 603, "m"));
        SipRequest cancel = await rung.Desk.HearRequestAsync("CANCEL");
        Assert.Null(cancel.Header("Reason"));
        rung.Desk.Say(IncomingCallTests.Response(cancel, 200));
        rung.Desk.Say(IncomingCallTests.Response(rung.AtDesk, 487, "d"));
        Assert.Equal(603, (await TestApplication.Within(rung.Result, "the refusals")).StatusCode);
    }

    [Fact]
    public async Task Given_up_it_is_cancelled_at_all()
    {
        using var givenUp = new CancellationTokenSource();
        await using Rung rung = await Rung.AtTwoAsync(givenUp.Token);
        rung.Desk.Say(Ringing(rung.AtDesk));
        rung.Mobile.Say(Ringing(rung.AtMobile));
        await Stage.SettleAsync(rung.Stage.Endpoint);
        await givenUp.CancelAsync();
        foreach (var (phone, invite) in new[] { (rung.Desk, rung.AtDesk), (rung.Mobile, rung.AtMobile) })
        {
            phone.Say(IncomingCallTests.Response(await phone.HearRequestAsync("CANCEL"), 200));
            phone.Say(IncomingCallTests.Response(invite, 487, "x"));
        }

        OutgoingCallResult result = await TestApplication.Within(rung.Result, "the end");
        Assert.Equal((487, true), (result.StatusCode, result.WasCancelled));
    }

    [Fact]
    public async Task A_call_to_nobody_is_an_error_of_the_program()
    {
        await using Stage stage = await Stage.OpenAsync();
        await Assert.ThrowsAsync<ArgumentException>(() => SipFork.CallAsync(stage.Endpoint, []));
    }

    // A contact of a home network was registered from an address that is not of one: the whole call goes where it came from.
    [Fact]
    public async Task A_phone_behind_a_NAT_is_reached_the_way_that_it_holds_open()
    {
        await using Stage stage = await Stage.OpenAsync();
        var flow = new SipFlow(SipTransportKind.Udp, stage.Phone.Address);
        Task<OutgoingCallResult> calling = SipFork.CallAsync(stage.Endpoint, [Invite("sip:ayse@192.168.1.40:5066") with { Flow = flow }]);
        SipRequest invite = await stage.Phone.HearRequestAsync("INVITE");
        Assert.Equal("sip:ayse@192.168.1.40:5066", invite.Uri.ToString());
        stage.Phone.Say(Answer(invite, "192.168.1.40:5066"));
        OutgoingCallResult result = await TestApplication.Within(calling, "the answer");
        await stage.Phone.HearRequestAsync("ACK");
        Task bye = result.Dialog!.ByeAsync();
        stage.Phone.Say(IncomingCallTests.Response(await stage.Phone.HearRequestAsync("BYE"), 200));
        await bye.WaitAsync(ScriptedPhone.Patience);
    }

    private static byte[] Ringing(SipRequest invite) => IncomingCallTests.Response(invite, 180, "r");

    private static byte[] Answer(SipRequest invite, string contact) => IncomingCallTests.Response(invite, 200, "a", $"Contact: <sip:callee@{contact}>\r\n", ScriptedPhone.Sdp);

    private static OutgoingInvite Invite(string target) => new() { Target = SipUri.Parse(target), From = NameAddr.Create(null, SipUri.Parse("sip:9000@127.0.0.1")), Offer = ScriptedPhone.Sdp };

    private sealed record Rung(Stage Stage, ScriptedPhone Mobile, Task<OutgoingCallResult> Result, SipRequest AtDesk, SipRequest AtMobile) : IAsyncDisposable
    {
        public ScriptedPhone Desk => Stage.Phone;

        public static async Task<Rung> AtTwoAsync(CancellationToken ct = default)
        {
            Stage stage = await Stage.OpenAsync();
            var mobile = new ScriptedPhone(stage.Network, stage.Server, "127.0.0.20");
            Task<OutgoingCallResult> calling = SipFork.CallAsync(stage.Endpoint, [Invite("sip:a@127.0.0.9:5060"), Invite("sip:b@127.0.0.20:5060")], null, ct);
            return new Rung(stage, mobile, calling, await stage.Phone.HearRequestAsync("INVITE"), await mobile.HearRequestAsync("INVITE"));
        }

        public ValueTask DisposeAsync() => Stage.DisposeAsync();
    }
}
