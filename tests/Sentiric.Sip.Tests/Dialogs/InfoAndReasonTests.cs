using System.Text;
using Sentiric.Sip.Tests.Kit;
using Sentiric.Sip.Tests.UserAgent;

namespace Sentiric.Sip.Tests.Dialogs;

/// <summary>Key presses by INFO (RFC 6086), reasons (RFC 3326), and forked or crossing answers.</summary>
public sealed class InfoAndReasonTests
{
    private const string Contact = "Contact: <sip:callee@127.0.0.9:5060>\r\n";

    [Fact]
    public async Task Key_presses_by_info_are_told_in_order_and_other_bodies_refused()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (dialog, tag) = await stage.EstablishAsync();
        uint cseq = 2;
        int Status(string type, string body, string extra = "")
        {
            stage.Phone.Say(Info(stage, tag, ++cseq, type, body, extra));
            return stage.Phone.Log.OfType<SipResponse>().Last(one => one.CSeq == new CSeq(cseq, "INFO")).StatusCode;
        }

        Assert.Equal(200, Status("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n"));
        Assert.Equal(200, Status("application/dtmf-relay", "Signal= # \r\nDuration= 250"));
        Assert.Equal(200, Status("application/dtmf-relay; charset=utf-8", "signal=10"));
        Assert.Equal(200, Status("Application/DTMF", "d\r\n"));
        Assert.Equal(400, Status("application/dtmf-relay", "Signal=flash\r\n"));
        Assert.Equal(400, Status("application/dtmf-relay", "Signal=1" + new string(' ', 600)));
        Assert.Equal(415, Status("text/plain", "5"));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Equal("application/dtmf-relay, application/dtmf", stage.Phone.Responses(415, "INFO")[0].Header("Accept"));
        Assert.Equal(469, Status("application/x-thing", "5", "Info-Package: thing\r\n"));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Equal("", stage.Phone.Responses(469, "INFO")[0].Header("Recv-Info"));
        Assert.Equal(200, Status("", ""));
        stage.Phone.Say(stage.Phone.Request("BYE", "call-1", "z9hG4bKbye", 90, tag));
        var digits = new List<SipDigit>();
        await foreach (SipDigit digit in dialog.Digits.ReadAllAsync(new CancellationTokenSource(ScriptedPhone.Patience).Token))
        {
            digits.Add(digit);
        }

        Assert.Equal([new('5', TimeSpan.FromMilliseconds(160)), new('#', TimeSpan.FromMilliseconds(250)), new('*', null), new('D', null)], digits);
    }

    [Fact]
    public async Task Our_key_press_leaves_as_info()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (dialog, _) = await stage.EstablishAsync();
        Task<int> pressed = dialog.SendDigitAsync(new SipDigit('7', TimeSpan.FromMilliseconds(200)));
        SipRequest info = await stage.Phone.HearRequestAsync("INFO");
        Assert.Equal(("application/dtmf-relay", "Signal=7\r\nDuration=200\r\n"), (info.Header("Content-Type"), Encoding.UTF8.GetString(info.Body.Span)));
        stage.Phone.Say(IncomingCallTests.Response(info, 200));
        Assert.Equal(200, await TestApplication.Within(pressed, "the answer to INFO"));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => dialog.SendDigitAsync(new SipDigit('x', null)));
    }

    [Fact]
    public async Task A_dialog_that_ended_has_no_more_digits_to_wait_for()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (dialog, tag) = await stage.EstablishAsync();
        stage.Phone.Say(stage.Phone.Request("BYE", "call-1", "z9hG4bKbye", 2, tag));
        await TestApplication.Within(dialog.Ended, "the end");
        Assert.False(await TestApplication.Within(dialog.Digits.WaitToReadAsync().AsTask(), "the end of the digits"));
        Assert.Equal(481, await dialog.SendDigitAsync(new SipDigit('1', null)));
    }

    [Fact]
    public async Task A_reason_goes_out_with_cancel_and_with_the_bye_of_an_answer_that_crosses_it()
    {
        await using Stage stage = await Stage.OpenAsync();
        const string elsewhere = "SIP;cause=200;text=\"Call completed elsewhere\"";
        OutgoingCall call = await stage.Endpoint.InviteAsync(OutgoingCallTests.Invite("sip:callee@127.0.0.9:5060"));
        SipRequest invite = await stage.Phone.HearRequestAsync("INVITE");
        stage.Phone.Say(IncomingCallTests.Response(invite, 180, "t1", Contact));
        await call.CancelAsync(elsewhere);
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Equal(elsewhere, Assert.Single(stage.Phone.Requests("CANCEL")).Header("Reason"));
        stage.Phone.Say(IncomingCallTests.Response(invite, 200, "t1", Contact, ScriptedPhone.Sdp));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Equal(elsewhere, Assert.Single(stage.Phone.Requests("BYE")).Header("Reason"));
        Assert.Single(stage.Phone.Requests("ACK"));
        Assert.True((await TestApplication.Within(call.Completed, "the end")).WasCancelled);
        await Assert.ThrowsAsync<ArgumentException>(() => call.CancelAsync("SIP;cause=1\r\nX: y"));
    }

    [Fact]
    public async Task A_cancel_that_crosses_our_answer_changes_nothing_and_both_reasons_of_a_bye_are_told()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (ok, answer) = await stage.AnswerAsync();
        stage.Phone.Say(stage.Phone.Request("CANCEL", "call-1", "z9hG4bK-inv-call-1", 1));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Single(stage.Phone.Responses(200, "CANCEL"));
        Assert.Empty(stage.Phone.Responses(487, "INVITE"));
        stage.Ack(ok);
        SipDialog? dialog = (await TestApplication.Within(answer, "the ACK")).Dialog;
        stage.Phone.Say(stage.Phone.Request("BYE", "call-1", "z9hG4bKbye", 2, ok.To.Tag,
            "Reason: SIP ;cause=600 ;text=\"Busy, \\\"every;where\\\"\"\r\nReason: nothing\r\nReason: Q.850;text=\"late\";cause=17\r\n"));
        SipDialogEnd end = await TestApplication.Within(dialog!.Ended, "the end");
        Assert.Equal(17, end.Q850Cause);
        Assert.Equal([new SipReason("SIP", 600, "Busy, \"every;where\""), new SipReason("Q.850", 17, "late")], end.Reasons);
    }

    [Fact]
    public async Task Options_in_a_dialog_and_outside_say_the_same()
    {
        await using Stage stage = await Stage.OpenAsync(options => options with { Sessions = new SipSessionOptions { Transfers = true } });
        var (_, tag) = await stage.EstablishAsync();
        stage.Phone.Say(stage.Phone.Request("OPTIONS", "call-1", "z9hG4bKin", 2, tag));
        stage.Phone.Say(stage.Phone.Request("OPTIONS", "out", "z9hG4bKout", 1));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Equal(2, stage.Phone.Responses(200, "OPTIONS").Count);
        Assert.All(stage.Phone.Responses(200, "OPTIONS"), ok => Assert.Equal(
            ("INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY", "100rel, timer, replaces, norefersub", "application/sdp"),
            (ok.Header("Allow"), ok.Header("Supported"), ok.Header("Accept"))));
    }

    [Theory]
    [InlineData("PRACK")]
    [InlineData("UPDATE")]
    [InlineData("INFO")]
    [InlineData("BYE")]
    public async Task What_belongs_into_a_dialog_gets_481_outside(string method)
    {
        await using Stage stage = await Stage.OpenAsync();
        stage.Phone.Say(stage.Phone.Request(method, "none", "z9hG4bKa", 1));
        stage.Phone.Say(stage.Phone.Request(method, "none", "z9hG4bKb", 2, "nobody"));
        await Stage.SettleAsync(stage.Endpoint);
        Assert.Equal(2, stage.Phone.Responses(481, method).Count);
    }

    private static string Info(Stage stage, string tag, uint cseq, string type, string body, string extra)
    {
        string typed = body.Length == 0 ? extra : extra + $"Content-Type: {type}\r\n";
        string request = stage.Phone.Request("INFO", "call-1", "z9hG4bK-info-" + cseq, cseq, tag, typed);
        return request.Replace("Content-Length: 0\r\n\r\n", $"Content-Length: {body.Length}\r\n\r\n{body}");
    }
}
