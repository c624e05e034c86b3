using Sentiric.Sip.Tests.Kit;
using Sentiric.Sip.Tests.UserAgent;
using Sentiric.Testing;

namespace Sentiric.Sip.Tests.Dialogs;

/// <summary>Two endpoints with everything on, over a network that loses and reorders.</summary>
public sealed class LossySessionTests
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    /// <summary>
    /// Between the refresh and the BYE of RFC 4028 10 lie 58 s, in which an UPDATE is sent eleven times. Of the 90 s that the RFC allows as the
    /// least only 15 are left: of a hundred calls in this weather two end there, and rightly so.
    /// </summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(180);
    private static readonly TimeSpan Talk = TimeSpan.FromMinutes(10);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task A_session_with_reliable_progress_changes_and_refreshes_survives_bad_weather(int seed)
    {
        var time = new ManualTime();
        var network = new MemoryNetwork(time) { Weather = MemoryNetwork.Bad(seed, lostPercent: 20) };
        var established = new TaskCompletionSource<SipDialog?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var callee = new TestApplication();
        callee.Answering = async invite =>
        {
            await invite.RingingAsync();
            await invite.RingingAsync("v=0\r\ns=early\r\n");
            SipAnswerResult result = await invite.AnswerAsync("v=0\r\ns=never\r\n");
            if (result.Dialog is { } up)
            {
                up.ReinviteHandler = offered => Task.FromResult(SipReinviteAnswer.Accept("answer to " + offered.Offer));
            }

            established.SetResult(result.Dialog);
        };
        await using SipEndpoint server = await SipEndpoint.StartAsync(Options("127.0.0.1"), callee);
        await using SipEndpoint client = await SipEndpoint.StartAsync(Options("127.0.0.2"), new TestApplication());

        OutgoingCall call = await client.InviteAsync(OutgoingCallTests.Invite($"sip:callee@{server.Bindings[0].Address}") with
        {
            OfferHandler = offered => Task.FromResult(SipReinviteAnswer.Accept("answer to " + offered.Offer)),
        });
        OutgoingCallResult result = await Stage.RunAsync(time, call.Completed, Step, Limit, "the call", client, server);
        Assert.True(result.IsAnswered, $"{result.StatusCode} {result.Reason}");
        Assert.Equal("v=0\r\ns=early\r\n", result.Sdp);
        SipDialog? theirs = await Stage.RunAsync(time, established.Task, Step, Limit, "the ACK", client, server);
        Assert.NotNull(theirs);

        foreach (Func<Task<SipReinviteResult>> change in (Func<Task<SipReinviteResult>>[])
            [() => result.Dialog.ReinviteAsync("a"), () => theirs.UpdateAsync("b"), () => theirs.ReinviteAsync("c"), () => result.Dialog.UpdateAsync("d")])
        {
            SipReinviteResult changed = await Stage.RunAsync(time, change(), Step, Limit, "a change", client, server);
            Assert.StartsWith("200 answer to ", $"{changed.StatusCode} {changed.Sdp}");
        }

        // Both at once: glare is settled by waiting, and one may have to give way.
        Task<SipReinviteResult[]> both = Task.WhenAll(result.Dialog.ReinviteAsync("x"), theirs.ReinviteAsync("y"));
        Assert.Contains(await Stage.RunAsync(time, both, Step, Limit, "both changes", client, server), one => one.IsAccepted);
        Assert.Equal(result.Dialog.SessionInterval?.Interval, theirs.SessionInterval?.Interval);
        Assert.NotEqual(result.Dialog.SessionInterval?.WeRefresh, theirs.SessionInterval?.WeRefresh);

        Task<SipDialogEnd> ended = theirs.Ended;
        for (int i = 0; i < Talk / Step; i++)
        {
            await Stage.SettleAsync(client, server);
            time.Advance(Step);
        }

        Assert.False(ended.IsCompleted, $"The call ended within {Talk} of refreshes: {ended.Status}.");
        _ = result.Dialog.ByeAsync();
        await Stage.RunAsync(time, ended, Step, Limit, "the end", client, server);
        time.Advance(TimeSpan.FromMinutes(3));
        foreach (SipStatistics left in new[] { server.Statistics, client.Statistics })
        {
            Assert.Equal((0, 0, 0), (left.ServerTransactions, left.ClientTransactions, left.Dialogs));
        }

        SipEndpointOptions Options(string address) => new()
        {
            Listen = [SipListen.Udp(address)],
            Network = network,
            TimeProvider = time,
            Callbacks = SipCallbacks.ThreadPool,
            Sessions = new SipSessionOptions { Reliability = SipReliability.WhenSupported, Interval = Interval, Transfers = true },
        };
    }
}
