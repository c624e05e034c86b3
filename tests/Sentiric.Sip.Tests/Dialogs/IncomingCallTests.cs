using System.Net;
using System.Text;
using Sentiric.Sip.Tests.Kit;
using Sentiric.Testing;

namespace Sentiric.Sip.Tests.Dialogs;

public sealed class IncomingCallTests
{
    private static readonly TimeSpan Ms = TimeSpan.FromMilliseconds(1);

    [Fact]
    public async Task D1_A_duplicate_invite_gets_the_same_final_response_again()
    {
        await using Stage stage = await Stage.OpenAsync();
        string invite = stage.Phone.Request("INVITE", "dup", "z9hG4bKdup", 1, sdp: ScriptedPhone.Sdp);
        stage.Phone.Say(invite);
        IncomingInvite incoming = await stage.Application.NextInviteAsync();
        stage.Phone.Say(invite);
        Assert.Equal(2, stage.Phone.Responses(100, "INVITE").Count);
        Assert.True(await incoming.RejectAsync(486));
        stage.Phone.Say(invite);
        IReadOnlyList<SipResponse> finals = stage.Phone.Responses(486, "INVITE");
        Assert.Equal(2, finals.Count);
        Assert.Equal(finals[0].ToString(), finals[1].ToString());
        Assert.Equal(1, stage.Application.Calls);
    }

    [Fact]
    public async Task D1_A_duplicate_invite_after_the_answer_makes_no_second_call()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (ok, answer) = await stage.AnswerAsync();
        string invite = stage.Phone.Request("INVITE", "call-1", "z9hG4bK-inv-call-1", 1, sdp: ScriptedPhone.Sdp);
        stage.Phone.Say(invite);
        stage.Time.Advance(500 * Ms);
        Assert.Equal(2, stage.Phone.Responses(200, "INVITE").Count);
        Assert.Equal(ok.ToString(), stage.Phone.Responses(200, "INVITE")[1].ToString());
        stage.Ack(ok);
        await TestApplication.Within(answer, "the ACK");
        stage.Phone.Say(invite);
        stage.Time.Advance(TimeSpan.FromSeconds(31));
        stage.Phone.Say(invite);
        Assert.Equal(1, stage.Application.Calls);
    }

    [Fact]
    public async Task D2_A_200_is_retransmitted_until_the_ack()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (ok, answer) = await stage.AnswerAsync();
        int[] expectedAtMs = [500, 1500, 3500, 7500, 11500];
        for (int i = 0, now = 0; i < expectedAtMs.Length; i++)
        {
            stage.Time.Advance((expectedAtMs[i] - now - 1) * Ms);
            Assert.Equal(1 + i, stage.Phone.Responses(200, "INVITE").Count);
            stage.Time.Advance(Ms);
            Assert.Equal(2 + i, stage.Phone.Responses(200, "INVITE").Count);
            now = expectedAtMs[i];
        }

        stage.Ack(ok);
        Assert.True((await TestApplication.Within(answer, "the ACK")).IsEstablished);
        stage.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(6, stage.Phone.Responses(200, "INVITE").Count);
        Assert.Empty(stage.Phone.Requests("BYE"));
    }

    [Fact]
    public async Task D2_Without_an_ack_the_call_ends_with_bye_on_timer_h()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (_, answer) = await stage.AnswerAsync();
        stage.Time.Advance(TimeSpan.FromSeconds(32) - Ms);
        Assert.Empty(stage.Phone.Requests("BYE"));
        stage.Time.Advance(Ms);
        Assert.Single(stage.Phone.Requests("BYE"));
        Assert.Equal(SipAnswerFailure.AckTimeout, (await TestApplication.Within(answer, "the answer to fail")).Failure);
        Assert.Equal(0, stage.Endpoint.Statistics.Dialogs);
    }

    [Fact]
    public async Task D3_Cancel_gives_200_and_487_and_frees_the_call()
    {
        await using Stage stage = await Stage.OpenAsync();
        stage.Phone.Say(stage.Phone.Request("INVITE", "c", "z9hG4bKc", 1, sdp: ScriptedPhone.Sdp));
        IncomingInvite invite = await stage.Application.NextInviteAsync();
        await invite.RingingAsync();
        var cancelled = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        invite.Cancelled.Register(() => cancelled.TrySetResult(true));
        stage.Phone.Say(stage.Phone.Request("CANCEL", "c", "z9hG4bKc", 1));
        SipResponse ok = Assert.Single(stage.Phone.Responses(200, "CANCEL"));
        SipResponse terminated = Assert.Single(stage.Phone.Responses(487, "INVITE"));
        Assert.Equal(ok.To.Tag, terminated.To.Tag);
        Assert.True(await TestApplication.Within(cancelled.Task, "the cancellation"));
        Assert.Equal(SipAnswerFailure.Cancelled, (await invite.AnswerAsync(ScriptedPhone.Sdp)).Failure);
        Assert.False(await invite.RejectAsync(486));
        Assert.Equal(0, stage.Endpoint.Statistics.Dialogs);
        stage.Time.Advance(500 * Ms);
        Assert.Equal(2, stage.Phone.Responses(487, "INVITE").Count);
        stage.Phone.Say(stage.Phone.Request("ACK", "c", "z9hG4bKc", 1, terminated.To.Tag));
        stage.Time.Advance(TimeSpan.FromSeconds(64));
        Assert.Equal(2, stage.Phone.Responses(487, "INVITE").Count);
        Assert.Equal(0, stage.Endpoint.Statistics.ServerTransactions);
    }

    [Fact]
    public async Task A_cancel_after_the_answer_changes_nothing_and_one_for_nothing_gets_481()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (ok, answer) = await stage.AnswerAsync();
        stage.Phone.Say(stage.Phone.Request("CANCEL", "call-1", "z9hG4bK-inv-call-1", 1));
        Assert.Single(stage.Phone.Responses(200, "CANCEL"));
        stage.Ack(ok);
        Assert.True((await TestApplication.Within(answer, "the ACK")).IsEstablished);
        stage.Phone.Say(stage.Phone.Request("CANCEL", "none", "z9hG4bKnone", 1));
        Assert.Single(stage.Phone.Responses(481, "CANCEL"));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(60)]
    [InlineData(240)]
    public async Task D4_Bye_after_minutes_and_hours_still_ends_the_call(int minutes)
    {
        await using Stage stage = await Stage.OpenAsync();
        var (dialog, tag) = await stage.EstablishAsync();
        stage.Time.Advance(TimeSpan.FromMinutes(minutes));
        stage.Phone.Say(stage.Phone.Request("BYE", "call-1", "z9hG4bKbye", 2, tag, "Reason: SIP;cause=200, Q.850;cause=16\r\nReason: Q.850;cause=16;text=\"bye\"\r\n"));
        Assert.Single(stage.Phone.Responses(200, "BYE"));
        SipDialogEnd end = await TestApplication.Within(dialog.Ended, "the end");
        Assert.Equal((SipDialogEndCause.RemoteBye, 16), (end.Cause, end.Q850Cause));
        Assert.Equal(0, stage.Endpoint.Statistics.Dialogs);
        stage.Time.Advance(TimeSpan.FromSeconds(33));
        Assert.Equal(0, stage.Endpoint.Statistics.ServerTransactions);
    }

    [Fact]
    public async Task D5_A_call_is_answered_exactly_once_under_ack_retransmissions()
    {
        await using Stage stage = await Stage.OpenAsync();
        var answered = System.Threading.Channels.Channel.CreateUnbounded<bool>();
        stage.Application.Answering = async invite => answered.Writer.TryWrite((await invite.AnswerAsync(ScriptedPhone.Sdp)).IsEstablished);
        stage.Phone.Say(stage.Phone.Request("INVITE", "a", "z9hG4bKa", 1, sdp: ScriptedPhone.Sdp));
        SipResponse ok = await stage.Phone.HearResponseAsync(200);
        // The ACK may come from another port, with its own branch or, from careless phones, with that of the INVITE.
        stage.Phone.Address = new IPEndPoint(stage.Phone.Address.Address, 5099);
        stage.Ack(ok, "z9hG4bK-ack-1");
        stage.Ack(ok, "z9hG4bK-ack-1");
        stage.Ack(ok, "z9hG4bKa");
        Assert.True(await TestApplication.Within(answered.Reader.ReadAsync().AsTask(), "the answer"));
        await Stage.SettleAsync();
        Assert.Equal(0, answered.Reader.Count);
        Assert.Equal(1, stage.Endpoint.Statistics.Dialogs);
    }

    [Fact]
    public async Task D6_Requests_in_the_dialog_count_up_and_follow_the_routes_byte_for_byte()
    {
        await using Stage stage = await Stage.OpenAsync();
        const string routes = "Record-Route: <sip:127.0.0.9:5060;trasport=udp;lr;x=%41;Odd=no>\r\n"
            + "Record-Route: <sip:10.1.1.1;lr=on;ftag=a%20b>;h=1 , <sip:10.1.1.2;lr>\r\n";
        var (dialog, _) = await stage.EstablishAsync(extra: routes);
        SipResponse ok = stage.Phone.Responses(200, "INVITE")[0];
        Assert.Equal(["<sip:127.0.0.9:5060;trasport=udp;lr;x=%41;Odd=no>", "<sip:10.1.1.1;lr=on;ftag=a%20b>;h=1 , <sip:10.1.1.2;lr>"], ok.Headers("Record-Route"));

        Task<SipReinviteResult> reinvite = dialog.ReinviteAsync("v=0\r\n");
        SipRequest first = await stage.Phone.HearRequestAsync("INVITE");
        Assert.Equal(["<sip:127.0.0.9:5060;trasport=udp;lr;x=%41;Odd=no>", "<sip:10.1.1.1;lr=on;ftag=a%20b>;h=1", "<sip:10.1.1.2;lr>"], first.Headers("Route"));
        Assert.Equal($"sip:phone@{stage.Phone.Address}", first.Uri.ToString());
        stage.Phone.Say(Response(first, 488));
        Assert.Equal(488, (await TestApplication.Within(reinvite, "the re-INVITE to be answered")).StatusCode);
        SipRequest ack = await stage.Phone.HearRequestAsync("ACK");
        Assert.Equal(first.CSeq.Number, ack.CSeq.Number);
        Task bye = dialog.ByeAsync("Q.850;cause=16");
        SipRequest last = await stage.Phone.HearRequestAsync("BYE");
        Assert.Equal(first.CSeq.Number + 1, last.CSeq.Number);
        Assert.Equal(first.Headers("Route"), last.Headers("Route"));
        Assert.Equal("Q.850;cause=16", last.Header("Reason"));
        Assert.Equal(dialog.LocalTag, last.From.Tag);
        stage.Phone.Say(Response(last, 200));
        await bye.WaitAsync(ScriptedPhone.Patience);
    }

    [Fact]
    public async Task Two_vias_are_mirrored_in_order_with_rport_and_received()
    {
        await using Stage stage = await Stage.OpenAsync();
        const string vias = "Via: SIP/2.0/UDP proxy.example:5070;rport;branch=z9hG4bKtop;x=1\r\nVia: SIP/2.0/TCP 10.0.0.7;branch=z9hG4bKlow , SIP/2.0/UNKNOWN a.b;y\r\n";
        var (ok, _) = await stage.AnswerAsync(vias: vias);
        Assert.Equal(
            ["SIP/2.0/UDP proxy.example:5070;branch=z9hG4bKtop;x=1;received=127.0.0.9;rport=5060", "SIP/2.0/TCP 10.0.0.7;branch=z9hG4bKlow , SIP/2.0/UNKNOWN a.b;y"],
            ok.Headers("Via"));
    }

    [Fact]
    public async Task D9_A_reinvite_for_hold_is_answered_and_the_call_lives_on()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (dialog, tag) = await stage.EstablishAsync();
        string? offered = null;
        dialog.ReinviteHandler = reinvite =>
        {
            offered = reinvite.Offer;
            return Task.FromResult(SipReinviteAnswer.Accept(ScriptedPhone.Sdp + "a=recvonly\r\n"));
        };
        stage.Phone.Say(stage.Phone.Request("INVITE", "call-1", "z9hG4bKhold", 2, tag, sdp: ScriptedPhone.Sdp + "a=sendonly\r\n"));
        SipResponse ok = await stage.Phone.HearResponseAsync(200);
        Assert.Equal(2u, ok.CSeq.Number);
        Assert.EndsWith("a=recvonly\r\n", ok.Sdp);
        Assert.EndsWith("a=sendonly\r\n", offered);
        stage.Time.Advance(500 * Ms);
        Assert.Equal(2, stage.Phone.Responses(200, "INVITE").Count(one => one.CSeq.Number == 2));
        // 14.2: another one before the ACK is too early.
        stage.Phone.Say(stage.Phone.Request("INVITE", "call-1", "z9hG4bKearly", 3, tag, sdp: ScriptedPhone.Sdp));
        Assert.InRange(Assert.Single(stage.Phone.Responses(500, "INVITE")).Number("Retry-After") ?? 99, 0u, 10u);
        stage.Ack(ok, "z9hG4bKhold-ack");
        stage.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(dialog.Ended.IsCompleted);
        Assert.Equal(1, stage.Application.Calls);
    }

    [Fact]
    public async Task A_reinvite_that_nobody_handles_is_refused_and_the_call_lives_on()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (dialog, tag) = await stage.EstablishAsync();
        stage.Phone.Say(stage.Phone.Request("INVITE", "call-1", "z9hG4bKre", 2, tag, sdp: ScriptedPhone.Sdp));
        Assert.Single(stage.Phone.Responses(488, "INVITE"));
        stage.Phone.Say(stage.Phone.Request("MESSAGE", "call-1", "z9hG4bKmessage", 3, tag));
        Assert.Equal("INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO", Assert.Single(stage.Phone.Responses(405, "MESSAGE")).Header("Allow"));
        stage.Phone.Say(stage.Phone.Request("BYE", "call-1", "z9hG4bKold", 1, tag));
        Assert.Single(stage.Phone.Responses(500, "BYE"));
        Assert.False(dialog.Ended.IsCompleted);
    }

    [Fact]
    public async Task A_bye_before_the_ack_ends_the_call_and_the_200_is_not_repeated()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (ok, answer) = await stage.AnswerAsync();
        stage.Phone.Say(stage.Phone.Request("BYE", "call-1", "z9hG4bKbye", 2, ok.To.Tag));
        SipAnswerResult result = await TestApplication.Within(answer, "the answer");
        Assert.Equal(SipDialogEndCause.RemoteBye, (await result.Dialog!.Ended).Cause);
        stage.Time.Advance(TimeSpan.FromSeconds(40));
        Assert.Single(stage.Phone.Responses(200, "INVITE"));
        Assert.Empty(stage.Phone.Requests("BYE"));
    }

    [Fact]
    public async Task A_bye_in_the_early_dialog_ends_the_invite_with_487()
    {
        await using Stage stage = await Stage.OpenAsync();
        stage.Phone.Say(stage.Phone.Request("INVITE", "e", "z9hG4bKe", 1, sdp: ScriptedPhone.Sdp));
        IncomingInvite invite = await stage.Application.NextInviteAsync();
        await invite.RingingAsync("v=0\r\n");
        SipResponse early = Assert.Single(stage.Phone.Responses(183, "INVITE"));
        Assert.Equal("v=0\r\n", early.Sdp);
        stage.Phone.Say(stage.Phone.Request("BYE", "e", "z9hG4bKeb", 2, early.To.Tag));
        Assert.Single(stage.Phone.Responses(200, "BYE"));
        Assert.Single(stage.Phone.Responses(487, "INVITE"));
    }

    [Fact]
    public async Task A_late_offer_gets_ours_in_the_200_and_theirs_comes_with_the_ack()
    {
        await using Stage stage = await Stage.OpenAsync();
        stage.Phone.Say(stage.Phone.Request("INVITE", "late", "z9hG4bKlate", 1));
        IncomingInvite invite = await stage.Application.NextInviteAsync();
        Assert.Null(invite.Offer);
        Task<SipAnswerResult> answer = invite.AnswerAsync("v=0\r\ns=offer\r\n");
        SipResponse ok = await stage.Phone.HearResponseAsync(200);
        stage.Phone.Say(stage.Phone.Request("ACK", "late", "z9hG4bKlateack", 1, ok.To.Tag, sdp: "v=0\r\ns=answer\r\n"));
        Assert.Equal("v=0\r\ns=answer\r\n", (await TestApplication.Within(answer, "the ACK")).AckSdp);
    }

    [Fact]
    public async Task An_unknown_dialog_gets_481_and_a_stray_ack_nothing()
    {
        await using Stage stage = await Stage.OpenAsync();
        stage.Phone.Say(stage.Phone.Request("BYE", "x", "z9hG4bKx", 2, "nobody"));
        stage.Phone.Say(stage.Phone.Request("BYE", "x", "z9hG4bKy", 3));
        Assert.Equal(2, stage.Phone.Responses(481, "BYE").Count);
        stage.Phone.Say(stage.Phone.Request("ACK", "x", "z9hG4bKz", 2, "nobody"));
        Assert.Equal(2, stage.Phone.Log.Count);
    }

    [Fact]
    public async Task The_same_request_over_two_paths_is_merged_with_482()
    {
        await using Stage stage = await Stage.OpenAsync();
        stage.Phone.Say(stage.Phone.Request("INVITE", "m", "z9hG4bKpath1", 1, sdp: ScriptedPhone.Sdp));
        stage.Phone.Say(stage.Phone.Request("INVITE", "m", "z9hG4bKpath2", 1, sdp: ScriptedPhone.Sdp));
        Assert.Single(stage.Phone.Responses(482, "INVITE"));
        await stage.Application.NextInviteAsync();
        Assert.Equal(1, stage.Application.Calls);
    }

    [Fact]
    public async Task Options_tells_what_is_really_answered()
    {
        await using Stage stage = await Stage.OpenAsync();
        stage.Phone.Say(stage.Phone.Request("OPTIONS", "o", "z9hG4bKo", 1));
        SipResponse ok = Assert.Single(stage.Phone.Responses(200, "OPTIONS"));
        Assert.Equal("INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO", ok.Header("Allow"));
        Assert.Equal("100rel, timer", ok.Header("Supported"));
        Assert.Equal("application/sdp", ok.Header("Accept"));
        stage.Phone.Say(stage.Phone.Request("REGISTER", "o", "z9hG4bKr", 2));
        Assert.Single(stage.Phone.Responses(405, "REGISTER"));
    }

    [Fact]
    public async Task A_call_that_nobody_answers_repeats_its_ringing_and_ends_with_480()
    {
        await using Stage stage = await Stage.OpenAsync();
        stage.Phone.Say(stage.Phone.Request("INVITE", "n", "z9hG4bKn", 1, sdp: ScriptedPhone.Sdp));
        IncomingInvite invite = await stage.Application.NextInviteAsync();
        await invite.RingingAsync();
        stage.Time.Advance(TimeSpan.FromMinutes(2) + Ms);
        Assert.Equal(3, stage.Phone.Responses(180, "INVITE").Count);
        stage.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.NotEmpty(stage.Phone.Responses(480, "INVITE"));
        Assert.Equal(0, stage.Endpoint.Statistics.Dialogs);
    }

    [Fact]
    public async Task An_application_that_throws_rejects_the_call_with_500()
    {
        await using Stage stage = await Stage.OpenAsync();
        stage.Application.Answering = _ => throw new InvalidOperationException("broken on purpose");
        stage.Phone.Say(stage.Phone.Request("INVITE", "t", "z9hG4bKt", 1, sdp: ScriptedPhone.Sdp));
        await stage.Phone.HearResponseAsync(500);
    }

    [Fact]
    public async Task A_shutdown_says_bye()
    {
        Stage stage = await Stage.OpenAsync();
        var (dialog, _) = await stage.EstablishAsync();
        await stage.DisposeAsync();
        Assert.Single(stage.Phone.Requests("BYE"));
        Assert.Equal(SipDialogEndCause.Shutdown, (await TestApplication.Within(dialog.Ended, "the end")).Cause);
    }

    [Fact]
    public async Task A_shutdown_refuses_what_rings_and_completes_what_is_placed()
    {
        Stage stage = await Stage.OpenAsync();
        stage.Phone.Say(stage.Phone.Request("INVITE", "ringing", "z9hG4bKringing", 1, sdp: ScriptedPhone.Sdp));
        IncomingInvite ringing = await stage.Application.NextInviteAsync();
        OutgoingCall call = await stage.Endpoint.InviteAsync(UserAgent.OutgoingCallTests.Invite("sip:callee@127.0.0.9:5060"));
        stage.Phone.Say(Response(await stage.Phone.HearRequestAsync("INVITE"), 180, "t1"));
        Task<OutgoingRequestResult> options = stage.Endpoint.RequestAsync(new OutgoingRequest
        {
            Method = "OPTIONS",
            Target = SipUri.Parse("sip:127.0.0.9:5060"),
            From = NameAddr.Create(null, SipUri.Parse("sip:a@h")),
        });
        await stage.Phone.HearRequestAsync("OPTIONS");
        await stage.DisposeAsync();
        Assert.Single(stage.Phone.Responses(503, "INVITE"));
        Assert.Equal(SipAnswerFailure.Cancelled, (await ringing.AnswerAsync(ScriptedPhone.Sdp)).Failure);
        Assert.Single(stage.Phone.Requests("CANCEL"));
        Assert.Equal(503, (await TestApplication.Within(call.Completed, "the call")).StatusCode);
        Assert.Equal(503, (await TestApplication.Within(options, "OPTIONS")).StatusCode);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => stage.Endpoint.InviteAsync(UserAgent.OutgoingCallTests.Invite("sip:callee@127.0.0.9:5060")));
    }

    [Fact]
    public async Task D12_A_request_from_an_unknown_source_is_refused_or_ignored_by_policy()
    {
        await using Stage stage = await Stage.OpenAsync();
        stage.Application.Source = _ => SipSourceDecision.Drop;
        stage.Phone.Say(stage.Phone.Request("OPTIONS", "s", "z9hG4bKs1", 1));
        Assert.Empty(stage.Phone.Log);
        stage.Application.Source = _ => SipSourceDecision.Reject;
        stage.Phone.Say(stage.Phone.Request("INVITE", "s", "z9hG4bKs2", 1, sdp: ScriptedPhone.Sdp));
        Assert.Single(stage.Phone.Responses(403, "INVITE"));
        Assert.Equal(0, stage.Endpoint.Statistics.ServerTransactions);
        Assert.Equal(0, stage.Application.Calls);
    }

    [Fact]
    public async Task Too_many_requests_of_one_source_get_503_and_then_silence_while_its_calls_still_end()
    {
        await using Stage stage = await Stage.OpenAsync(options => options with { SourceLimits = new SourceLimits { RequestsPerSecond = 1, Burst = 3, AnsweredRefusals = 2 } });
        var (dialog, tag) = await stage.EstablishAsync();
        for (int i = 0; i < 10; i++)
        {
            stage.Phone.Say(stage.Phone.Request("OPTIONS", "f" + i, "z9hG4bKf" + i, 1, fromTag: "f" + i));
        }

        Assert.Equal(2, stage.Phone.Responses(200, "OPTIONS").Count);
        IReadOnlyList<SipResponse> refused = stage.Phone.Responses(503, "OPTIONS");
        Assert.Equal(2, refused.Count);
        Assert.Equal("5", refused[0].Header("Retry-After"));
        stage.Phone.Say(stage.Phone.Request("BYE", "call-1", "z9hG4bKbye", 2, tag));
        Assert.Equal(SipDialogEndCause.RemoteBye, (await TestApplication.Within(dialog.Ended, "the end")).Cause);
        stage.Time.Advance(TimeSpan.FromSeconds(2));
        stage.Phone.Say(stage.Phone.Request("OPTIONS", "later", "z9hG4bKlater", 1));
        Assert.Equal(3, stage.Phone.Responses(200, "OPTIONS").Count);
    }

    [Fact]
    public void The_admission_table_is_bounded()
    {
        var admission = new SourceAdmission(new SourceLimits { TrackedSources = 100 }, new ManualTime());
        for (int i = 0; i < 10_000; i++)
        {
            admission.Admit(new IPAddress(i + 1));
        }

        Assert.Equal(100, admission.TrackedSources);
    }

    [Fact]
    public async Task A_whole_call_under_a_turkish_culture_speaks_the_same_protocol()
    {
        System.Globalization.CultureInfo before = System.Globalization.CultureInfo.CurrentCulture;
        try
        {
            System.Globalization.CultureInfo.CurrentCulture = new System.Globalization.CultureInfo("tr-TR");
            await using Stage stage = await Stage.OpenAsync();
            var (dialog, tag) = await stage.EstablishAsync();
            Assert.Equal("INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO", stage.Phone.Responses(200, "INVITE")[0].Header("ALLOW"));
            stage.Phone.Say(stage.Phone.Request("BYE", "call-1", "z9hG4bKbye", 2, tag, "REASON: q.850;CAUSE=16\r\n"));
            Assert.Equal(16, (await TestApplication.Within(dialog.Ended, "the end")).Q850Cause);
        }
        finally
        {
            System.Globalization.CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public async Task No_mutated_message_disturbs_the_stack()
    {
        var log = new FaultLog();
        await using Stage stage = await Stage.OpenAsync(options => options with { Logger = log, SourceLimits = new SourceLimits { Burst = 100_000 } });
        stage.Application.Answering = invite => invite.RejectAsync(486);
        var dice = new Random(4475);
        byte[][] seeds = Directory.GetFiles(Repository.PathOf("tests", "Sentiric.Sip.Tests", "rfc4475"), "*.dat").Select(File.ReadAllBytes)
            .Append(Encoding.UTF8.GetBytes(stage.Phone.Request("INVITE", "fuzz", "z9hG4bKfuzz", 1, sdp: ScriptedPhone.Sdp))).ToArray();
        for (int round = 0; round < 5_000; round++)
        {
            byte[] bytes = (byte[])seeds[dice.Next(seeds.Length)].Clone();
            for (int i = dice.Next(0, 5); i > 0; i--)
            {
                bytes[dice.Next(bytes.Length)] = (byte)"\r\n \0:;,<>\"@?=%[]a0"[dice.Next(18)];
            }

            stage.Phone.Say(bytes);
        }

        stage.Phone.Say(stage.Phone.Request("OPTIONS", "alive", "z9hG4bKalive", 1));
        await stage.Phone.HearResponseToAsync("z9hG4bKalive");
        await Stage.SettleAsync();
        Assert.Empty(log.Faults);
        stage.Time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal((0, 0), (stage.Endpoint.Statistics.ServerTransactions, stage.Endpoint.Statistics.Dialogs));
    }

    [Fact]
    public async Task A_trace_holds_every_message_and_hides_credentials()
    {
        await using Stage stage = await Stage.OpenAsync();
        stage.Phone.Say(stage.Phone.Request("OPTIONS", "tr", "z9hG4bKtr", 1, extra: "Authorization: Digest response=\"secret\"\r\n"));
        Assert.Equal([(SipTraceDirection.Received, "tr"), (SipTraceDirection.Sent, "tr")], stage.Application.Traces.Select(one => (one.Direction, one.CallId!)));
        SipTrace received = stage.Application.Traces.First();
        Assert.Contains("secret", Encoding.UTF8.GetString(received.Message.Span));
        Assert.DoesNotContain("secret", received.RedactedText());
    }

    private sealed class FaultLog : Microsoft.Extensions.Logging.ILogger
    {
        public System.Collections.Concurrent.ConcurrentQueue<Exception> Faults { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(Microsoft.Extensions.Logging.LogLevel logLevel) => true;

        public void Log<TState>(
            Microsoft.Extensions.Logging.LogLevel logLevel, Microsoft.Extensions.Logging.EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (exception is not null)
            {
                Faults.Enqueue(exception);
            }
        }
    }

    internal static byte[] Response(SipRequest request, int status, string? toTag = null, string headers = "", string? sdp = null)
    {
        SipWriter writer = ResponseDraft.Begin(request.Raw, new IPEndPoint(IPAddress.Parse("127.0.0.1"), 5060), status, null, toTag);
        foreach (string line in headers.Split("\r\n", StringSplitOptions.RemoveEmptyEntries))
        {
            writer.Header(line.Split(": ")[0], line.Split(": ", 2)[1]);
        }

        return writer.EndWithSdp(sdp);
    }
}
