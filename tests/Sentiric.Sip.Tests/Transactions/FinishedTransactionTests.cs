using System.Diagnostics;
using Sentiric.Sip.Tests.Dialogs;
using Sentiric.Sip.Tests.Kit;

namespace Sentiric.Sip.Tests.Transactions;

public sealed class FinishedTransactionTests
{
    /// <summary>64*T1, and the most that forgetting may be late.</summary>
    private static readonly TimeSpan Gone = TimeSpan.FromSeconds(32) + TimeSpan.FromMilliseconds(64 + 10);

    [Fact]
    public async Task A_copy_of_a_bye_gets_the_same_200_again_until_timer_j()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (_, tag) = await stage.EstablishAsync();
        string bye = stage.Phone.Request("BYE", "call-1", "z9hG4bKbye", 2, tag);
        stage.Phone.Say(bye);
        stage.Time.Advance(TimeSpan.FromSeconds(31));
        stage.Phone.Say(bye);
        IReadOnlyList<SipResponse> answers = stage.Phone.Responses(200, "BYE");
        Assert.Equal(2, answers.Count);
        Assert.Equal(answers[0].ToString(), answers[1].ToString());
        stage.Time.Advance(Gone - TimeSpan.FromSeconds(31));
        Assert.Equal(0, stage.Endpoint.Statistics.ServerTransactions);
        stage.Phone.Say(bye);
        Assert.Single(stage.Phone.Responses(481, "BYE"));
    }

    [Fact]
    public async Task Copies_of_an_acknowledged_invite_and_of_its_ack_are_absorbed_until_timer_l()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (ok, answer) = await stage.AnswerAsync();
        stage.Ack(ok);
        await TestApplication.Within(answer, "the ACK");
        int heard = stage.Phone.Log.Count;
        stage.Phone.Say(stage.Phone.Request("INVITE", "call-1", "z9hG4bK-inv-call-1", 1, sdp: ScriptedPhone.Sdp));
        // An ACK with the branch of its INVITE, as old phones send it.
        stage.Ack(ok, "z9hG4bK-inv-call-1");
        Assert.Equal(heard, stage.Phone.Log.Count);
        Assert.Equal(1, stage.Endpoint.Statistics.ServerTransactions);
        stage.Time.Advance(Gone);
        Assert.Equal(0, stage.Endpoint.Statistics.ServerTransactions);
        Assert.Equal(1, stage.Endpoint.Statistics.Dialogs);
    }

    [Fact]
    public async Task A_late_cancel_of_an_acknowledged_invite_is_answered_with_the_tag_of_the_call()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (_, tag) = await stage.EstablishAsync();
        stage.Phone.Say(stage.Phone.Request("CANCEL", "call-1", "z9hG4bK-inv-call-1", 1));
        Assert.Equal(tag, Assert.Single(stage.Phone.Responses(200, "CANCEL")).To.Tag);
        Assert.Equal(1, stage.Endpoint.Statistics.Dialogs);
    }

    [Fact]
    public async Task The_same_request_over_another_path_is_merged_while_the_finished_one_is_remembered()
    {
        await using Stage stage = await Stage.OpenAsync();
        await stage.EstablishAsync();
        stage.Phone.Say(stage.Phone.Request("INVITE", "call-1", "z9hG4bKother", 1, sdp: ScriptedPhone.Sdp));
        Assert.Single(stage.Phone.Responses(482, "INVITE"));
        stage.Time.Advance(Gone + Gone);
        stage.Phone.Say(stage.Phone.Request("INVITE", "call-1", "z9hG4bKthird", 1, sdp: ScriptedPhone.Sdp));
        Assert.DoesNotContain(stage.Phone.Responses(482, "INVITE"), refusal => refusal.TopVia.Branch == "z9hG4bKthird");
        await TestApplication.Within(stage.Application.NextInviteAsync(), "the first call");
        Assert.Equal(2, stage.Application.Calls);
    }

    [Fact]
    public async Task A_refused_invite_is_answered_again_until_its_ack_and_its_call_is_let_go()
    {
        await using Stage stage = await Stage.OpenAsync();
        WeakReference call = await RefuseAsync(stage);
        await IsLetGoAsync(call);
        Assert.Equal(1, stage.Endpoint.Statistics.ServerTransactions);
        string invite = stage.Phone.Request("INVITE", "call-1", "z9hG4bK-inv-call-1", 1, sdp: ScriptedPhone.Sdp);
        stage.Phone.Say(invite);
        stage.Time.Advance(TimeSpan.FromMilliseconds(500));
        IReadOnlyList<SipResponse> refusals = stage.Phone.Responses(486, "INVITE");
        Assert.Equal(3, refusals.Count);
        Assert.Single(refusals.Select(one => one.ToString()).Distinct());
        stage.Phone.Say(stage.Phone.Request("ACK", "call-1", "z9hG4bK-inv-call-1", 1, refusals[0].To.Tag));
        stage.Time.Advance(TimeSpan.FromSeconds(4));
        stage.Phone.Say(invite);
        Assert.Equal(3, stage.Phone.Responses(486, "INVITE").Count);
        stage.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, stage.Endpoint.Statistics.ServerTransactions);
    }

    [Fact]
    public async Task A_refusal_without_an_ack_is_sent_eleven_times_in_32_s()
    {
        await using Stage stage = await Stage.OpenAsync();
        await RefuseAsync(stage);
        stage.Time.Advance(TimeSpan.FromSeconds(32));
        // At once, by timer G after 0.5, 1 and 2 s more, and then each 4 s.
        Assert.Equal(11, stage.Phone.Responses(486, "INVITE").Count);
        Assert.Equal(0, stage.Endpoint.Statistics.ServerTransactions);
    }

    [Fact]
    public async Task A_call_of_ours_that_was_refused_is_let_go_and_copies_of_the_refusal_are_acknowledged()
    {
        await using Stage stage = await Stage.OpenAsync();
        var (call, refusal) = await CallInVainAsync(stage);
        await IsLetGoAsync(call);
        Assert.Equal(1, stage.Endpoint.Statistics.ClientTransactions);
        stage.Time.Advance(TimeSpan.FromSeconds(31));
        stage.Phone.Say(refusal);
        IReadOnlyList<SipRequest> acks = stage.Phone.Requests("ACK");
        Assert.Equal(2, acks.Count);
        Assert.Equal(acks[0].ToString(), acks[1].ToString());
        stage.Time.Advance(Gone - TimeSpan.FromSeconds(31));
        Assert.Equal(0, stage.Endpoint.Statistics.ClientTransactions);
        stage.Phone.Say(refusal);
        Assert.Equal(2, stage.Phone.Requests("ACK").Count);
    }

    private static async Task<WeakReference> RefuseAsync(Stage stage)
    {
        stage.Phone.Say(stage.Phone.Request("INVITE", "call-1", "z9hG4bK-inv-call-1", 1, sdp: ScriptedPhone.Sdp));
        IncomingInvite invite = await stage.Application.NextInviteAsync();
        Assert.True(await invite.RejectAsync(486));
        return new WeakReference(invite);
    }

    private static async Task<(WeakReference Call, byte[] Refusal)> CallInVainAsync(Stage stage)
    {
        OutgoingCall call = await stage.Endpoint.InviteAsync(new OutgoingInvite
        {
            Target = SipUri.Parse($"sip:9000@{stage.Phone.Address}"), From = NameAddr.Create(null, SipUri.Parse("sip:us@here.example")), Offer = ScriptedPhone.Sdp,
        });
        byte[] refusal = IncomingCallTests.Response(await stage.Phone.HearRequestAsync("INVITE"), 486, "t1");
        stage.Phone.Say(refusal);
        Assert.Equal(486, (await TestApplication.Within(call.Completed, "the refusal")).StatusCode);
        return (new WeakReference(call), refusal);
    }

    /// <summary>
    /// The test goes on inside of the call that told it of the invite, whose frames hold it until they return: so it steps off that stack first, and looks
    /// again while another thread is still on its way down.
    /// </summary>
    private static async Task IsLetGoAsync(WeakReference one)
    {
        long since = Stopwatch.GetTimestamp();
        do
        {
            Assert.True(Stopwatch.GetElapsedTime(since) < ScriptedPhone.Patience, "Waited for the call to be let go.");
            await Stage.SettleAsync();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
        }
        while (one.IsAlive);
    }

    [Fact]
    public void The_hash_of_keys_is_siphash_2_4_with_128_bits()
    {
        // From the test vectors of its authors: the key is 00 01 .. 0f, the texts are nothing and 00.
        const ulong key0 = 0x0706050403020100, key1 = 0x0F0E0D0C0B0A0908;
        Assert.Equal((0xE6A825BA047F81A3ul, 0x930255C71472F66Dul), SipHash.Of([], key0, key1));
        Assert.Equal((0x44AF996BD8C187DAul, 0x45FC229B11597634ul), SipHash.Of([0], key0, key1));
    }
}
