using System.Net;
using Sentiric.Sip.Tests.Dialogs;
using Sentiric.Sip.Tests.Kit;

namespace Sentiric.Sip.Tests.UserAgent;

/// <summary>A caller and a callee joined by us; each is a scripted phone.</summary>
public sealed class BridgeTests
{
    private const string Contact = "Contact: <sip:callee@127.0.0.20:5060>\r\n";
    private const string Theirs = "v=0\r\ns=callee\r\n";

    [Fact]
    public async Task A_bridged_call_rings_is_answered_changes_and_ends_on_both_sides()
    {
        await using Joined joined = await Joined.DialAsync();
        SipRequest invite = joined.Invite;
        Assert.Equal(ScriptedPhone.Sdp, invite.Sdp);
        Assert.Equal("69", invite.Header("Max-Forwards"));
        Assert.NotEqual("bridged", invite.CallId);
        Assert.NotEqual("phone", invite.From.Tag);
        joined.Callee.Say(IncomingCallTests.Response(invite, 183, "b", Contact, Theirs));
        Assert.Equal(Theirs, (await joined.Caller.HearResponseAsync(183)).Sdp);
        joined.Callee.Say(IncomingCallTests.Response(invite, 200, "b", Contact, Theirs));
        SipResponse ok = await joined.Caller.HearResponseAsync(200);
        Assert.Equal(Theirs, ok.Sdp);
        Assert.NotEqual("b", ok.To.Tag);
        joined.Stage.Ack(ok);
        await joined.Callee.HearRequestAsync("ACK");

        // Hold by the caller, as re-INVITE; the callee moves by UPDATE.
        joined.Caller.Say(joined.Caller.Request("INVITE", "bridged", "z9hG4bKhold", 2, ok.To.Tag, sdp: "hold\r\n"));
        SipRequest held = await joined.Callee.HearRequestAsync("INVITE");
        Assert.Equal(("hold\r\n", invite.CallId, invite.CSeq.Number + 1), (held.Sdp, held.CallId, held.CSeq.Number));
        joined.Callee.Say(IncomingCallTests.Response(held, 200, null, Contact, "held\r\n"));
        SipResponse answer = await joined.Caller.HearResponseAsync(200);
        Assert.Equal("held\r\n", answer.Sdp);
        joined.Stage.Ack(answer, "z9hG4bKheldack");
        await Stage.SettleAsync(joined.Stage.Endpoint);
        joined.Callee.Say(FromCallee(joined, invite, "UPDATE", 1, "moved\r\n"));
        SipRequest moved = await joined.Caller.HearRequestAsync("UPDATE");
        Assert.Equal(("moved\r\n", "bridged"), (moved.Sdp, moved.CallId));
        joined.Caller.Say(IncomingCallTests.Response(moved, 488));
        await joined.Callee.HearResponseAsync(488, "UPDATE");

        joined.Callee.Say(FromCallee(joined, invite, "BYE", 2, null, "Reason: Q.850;cause=16;text=\"done\"\r\n"));
        Assert.Equal("Q.850;cause=16;text=\"done\"", (await joined.Caller.HearRequestAsync("BYE")).Header("Reason"));
        SipBridgeEnd end = await TestApplication.Within(joined.Bridge.Ended, "the end");
        Assert.Equal((200, false, SipDialogEndCause.RemoteBye), (end.StatusCode, end.ByCaller, end.First?.Cause));
    }

    [Fact]
    public async Task A_reinvite_without_an_offer_asks_the_other_side_for_one()
    {
        await using Joined joined = await Joined.DialAsync();
        joined.Callee.Say(IncomingCallTests.Response(joined.Invite, 200, "b", Contact, Theirs));
        SipResponse ok = await joined.Caller.HearResponseAsync(200);
        joined.Stage.Ack(ok);
        await Stage.SettleAsync(joined.Stage.Endpoint);
        joined.Caller.Say(joined.Caller.Request("INVITE", "bridged", "z9hG4bKlate", 2, ok.To.Tag));
        SipRequest asked = await joined.Callee.HearRequestAsync("INVITE");
        Assert.Null(asked.Sdp);
        joined.Callee.Say(IncomingCallTests.Response(asked, 200, null, Contact, "offer\r\n"));
        Assert.Equal("offer\r\n", (await joined.Caller.HearResponseAsync(200)).Sdp);
        joined.Caller.Say(joined.Caller.Request("ACK", "bridged", "z9hG4bKlateack", 2, ok.To.Tag, sdp: "answer\r\n"));
        SipRequest ack;
        do
        {
            ack = await joined.Callee.HearRequestAsync("ACK");
        }
        while (ack.CSeq.Number != asked.CSeq.Number);
        Assert.Equal("answer\r\n", ack.Sdp);
    }

    [Theory]
    [InlineData(486, 486)]
    [InlineData(407, 403)]
    [InlineData(302, 480)]
    [InlineData(503, 500)]
    public async Task A_refusal_reaches_the_caller_unless_it_was_meant_for_us(int theirs, int ours)
    {
        await using Joined joined = await Joined.DialAsync();
        joined.Callee.Say(IncomingCallTests.Response(joined.Invite, theirs, "b", "Reason: Q.850;cause=17\r\n"));
        Assert.Equal("Q.850;cause=17", (await joined.Caller.HearResponseAsync(ours)).Header("Reason"));
        Assert.Equal(ours, (await TestApplication.Within(joined.Bridge.Ended, "the end")).StatusCode);
    }

    [Fact]
    public async Task A_cancel_crosses_with_its_reason()
    {
        await using Joined joined = await Joined.DialAsync();
        joined.Callee.Say(IncomingCallTests.Response(joined.Invite, 180, "b", Contact));
        await joined.Caller.HearResponseAsync(180);
        joined.Caller.Say(joined.Caller.Request("CANCEL", "bridged", "z9hG4bKbridged", 1, extra: "Reason: SIP;cause=200\r\n"));
        await joined.Caller.HearResponseAsync(487);
        Assert.Equal("SIP;cause=200", (await joined.Callee.HearRequestAsync("CANCEL")).Header("Reason"));
        joined.Callee.Say(IncomingCallTests.Response(joined.Invite, 487, "b"));
        Assert.True((await TestApplication.Within(joined.Bridge.Ended, "the end")).ByCaller);
    }

    [Fact]
    public async Task A_caller_without_an_offer_answers_the_callees()
    {
        await using Joined joined = await Joined.DialAsync(null);
        Assert.Null(joined.Invite.Sdp);
        Assert.DoesNotContain("100rel", joined.Invite.Header("Supported"), StringComparison.Ordinal);
        joined.Callee.Say(IncomingCallTests.Response(joined.Invite, 183, "b", Contact, Theirs));
        Assert.Null((await joined.Caller.HearResponseAsync(183)).Sdp);
        joined.Callee.Say(IncomingCallTests.Response(joined.Invite, 200, "b", Contact, Theirs));
        SipResponse ok = await joined.Caller.HearResponseAsync(200);
        Assert.Equal(Theirs, ok.Sdp);
        Assert.Empty(joined.Callee.Requests("ACK"));
        joined.Caller.Say(joined.Caller.Request("ACK", "bridged", "z9hG4bKlateack", 1, ok.To.Tag, sdp: "answer\r\n"));
        Assert.Equal("answer\r\n", (await joined.Callee.HearRequestAsync("ACK")).Sdp);
        joined.Caller.Say(joined.Caller.Request("BYE", "bridged", "z9hG4bKlatebye", 2, ok.To.Tag));
        await joined.Callee.HearRequestAsync("BYE");
        Assert.Equal((200, true), (await TestApplication.Within(joined.Bridge.Ended, "the end")) is var end ? (end.StatusCode, end.ByCaller) : default);
    }

    [Fact]
    public async Task A_caller_whose_ACK_has_no_answer_leaves_nobody_on_the_line()
    {
        await using Joined joined = await Joined.DialAsync(null);
        joined.Callee.Say(IncomingCallTests.Response(joined.Invite, 200, "b", Contact, Theirs));
        SipResponse ok = await joined.Caller.HearResponseAsync(200);
        joined.Stage.Ack(ok);
        await joined.Caller.HearRequestAsync("BYE");
        await joined.Callee.HearRequestAsync("BYE");
        await TestApplication.Within(joined.Bridge.Ended, "the end");
    }

    [Fact]
    public async Task A_caller_without_an_offer_that_gives_up_cancels_the_callee()
    {
        await using Joined joined = await Joined.DialAsync(null);
        joined.Callee.Say(IncomingCallTests.Response(joined.Invite, 180, "b", Contact));
        await joined.Caller.HearResponseAsync(180);
        joined.Caller.Say(joined.Caller.Request("CANCEL", "bridged", "z9hG4bKbridged", 1));
        await joined.Callee.HearRequestAsync("CANCEL");
        await joined.Caller.HearResponseAsync(487);
        joined.Callee.Say(IncomingCallTests.Response(joined.Invite, 487, "b"));
        Assert.True((await TestApplication.Within(joined.Bridge.Ended, "the end")).ByCaller);
    }

    [Fact]
    public async Task A_call_without_hops_is_not_bridged()
    {
        await using Stage stage = await Stage.OpenAsync();
        OutgoingInvite invite = OutgoingCallTests.Invite("sip:callee@127.0.0.20:5060");
        stage.Phone.Say(stage.Phone.Request("INVITE", "circle", "z9hG4bKcircle", 1, sdp: ScriptedPhone.Sdp).Replace("Max-Forwards: 70", "Max-Forwards: 0"));
        IncomingInvite circle = await stage.Application.NextInviteAsync();
        await Assert.ThrowsAsync<ArgumentException>(() => SipBridge.DialAsync(stage.Endpoint, circle, invite with { CallId = "circle" }));
        Assert.Null(await SipBridge.DialAsync(stage.Endpoint, circle, invite));
        await stage.Phone.HearResponseAsync(483);
    }

    private static string FromCallee(Joined joined, SipRequest invite, string method, uint cseq, string? sdp, string extra = "") =>
        $"{method} sip:us@{joined.Stage.Server} SIP/2.0\r\nVia: SIP/2.0/UDP {joined.Callee.Address};rport;branch=z9hG4bK-callee-{method}-{cseq}\r\nMax-Forwards: 70\r\n"
        + $"From: {invite.To};tag=b\r\nTo: {invite.From}\r\nCall-ID: {invite.CallId}\r\nCSeq: {cseq} {method}\r\nContact: <sip:callee@{joined.Callee.Address}>\r\n"
        + extra + (sdp is null ? "" : "Content-Type: application/sdp\r\n") + $"Content-Length: {sdp?.Length ?? 0}\r\n\r\n{sdp}";

    /// <summary>The caller has called, and the callee has heard the INVITE of the other side.</summary>
    private sealed record Joined(Stage Stage, ScriptedPhone Callee, SipBridge Bridge, SipRequest Invite) : IAsyncDisposable
    {
        public ScriptedPhone Caller => Stage.Phone;

        public static async Task<Joined> DialAsync(string? offer = ScriptedPhone.Sdp)
        {
            Stage stage = await Stage.OpenAsync();
            var callee = new ScriptedPhone(stage.Network, stage.Server, "127.0.0.20");
            stage.Phone.Say(stage.Phone.Request("INVITE", "bridged", "z9hG4bKbridged", 1, sdp: offer));
            IncomingInvite incoming = await stage.Application.NextInviteAsync();
            SipBridge? bridge = await SipBridge.DialAsync(stage.Endpoint, incoming, OutgoingCallTests.Invite("sip:callee@127.0.0.20:5060"));
            Assert.NotNull(bridge);
            return new Joined(stage, callee, bridge, await callee.HearRequestAsync("INVITE"));
        }

        public ValueTask DisposeAsync() => Stage.DisposeAsync();
    }
}
