using Sentiric.Sip.Tests.Kit;

namespace Sentiric.Sip.Tests.Dialogs;

public sealed class ReferralReportTests
{
    [Fact]
    public async Task What_is_said_of_a_transfer_before_its_202_has_left_is_told_behind_it()
    {
        await using Stage stage = await Stage.OpenAsync(options => options with { Sessions = new SipSessionOptions { Transfers = true } });
        var (dialog, tag) = await stage.EstablishAsync();
        dialog.ReferHandler = async referral =>
        {
            await referral.NotifyAsync(486);
            return new SipAnswer(202);
        };
        stage.Phone.Say(stage.Phone.Request("REFER", dialog.CallId, "z9hG4bK-refer", 2, tag, extra: "Refer-To: <sip:elsewhere@127.0.0.8>\r\n"));
        Assert.Equal(202, (await stage.Phone.HearResponseToAsync("z9hG4bK-refer")).StatusCode);
        SipRequest first = await stage.Phone.HearRequestAsync("NOTIFY");
        SipRequest second = await stage.Phone.HearRequestAsync("NOTIFY");
        Assert.Equal(("SIP/2.0 100 Trying\r\n", "SIP/2.0 486 Busy Here\r\n"), (Body(first), Body(second)));
        Assert.StartsWith("terminated", second.Header("Subscription-State"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_REFER_right_behind_the_ACK_finds_who_decides()
    {
        await using Stage stage = await Stage.OpenAsync(options => options with { Sessions = new SipSessionOptions { Transfers = true } });
        stage.Phone.Say(stage.Phone.Request("INVITE", "call-1", "z9hG4bK-inv", 1, sdp: ScriptedPhone.Sdp));
        IncomingInvite invite = await stage.Application.NextInviteAsync();
        invite.ReferHandler = _ => Task.FromResult(new SipAnswer(202));
        _ = invite.AnswerAsync(ScriptedPhone.Sdp);
        SipResponse ok = await stage.Phone.HearResponseAsync(200);
        stage.Ack(ok);
        stage.Phone.Say(stage.Phone.Request("REFER", "call-1", "z9hG4bK-refer", 2, ok.To.Tag, extra: "Refer-To: <sip:elsewhere@127.0.0.8>\r\n"));
        Assert.Equal(202, (await stage.Phone.HearResponseToAsync("z9hG4bK-refer")).StatusCode);
    }

    private static string Body(SipRequest notify) => System.Text.Encoding.UTF8.GetString(notify.Body.Span);
}
