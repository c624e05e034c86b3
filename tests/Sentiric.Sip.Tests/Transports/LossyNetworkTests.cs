using System.Net;
using Sentiric.Sip.Tests.Kit;
using Sentiric.Sip.Tests.UserAgent;
using Sentiric.Testing;

namespace Sentiric.Sip.Tests.Transports;

public sealed class LossyNetworkTests
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Calls_are_made_and_ended_over_a_network_that_loses_and_reorders(int seed)
    {
        var time = new ManualTime();
        var network = new MemoryNetwork(time) { Weather = MemoryNetwork.Bad(seed, lostPercent: 25) };
        var established = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var callee = new TestApplication();
        callee.Answering = async invite =>
        {
            await invite.RingingAsync();
            established.SetResult((await invite.AnswerAsync(ScriptedPhone.Sdp)).IsEstablished);
        };
        await using SipEndpoint server = await SipEndpoint.StartAsync(Options("127.0.0.1"), callee);
        await using SipEndpoint client = await SipEndpoint.StartAsync(Options("127.0.0.2"), new TestApplication());

        OutgoingCall call = await client.InviteAsync(OutgoingCallTests.Invite($"sip:callee@{server.Bindings[0].Address}"));
        OutgoingCallResult result = await Stage.RunAsync(time, call.Completed, Step, Limit, "the call", server, client);
        Assert.True(result.IsAnswered, $"{result.StatusCode} {result.Reason}");
        Assert.True(await Stage.RunAsync(time, established.Task, Step, Limit, "the ACK", server, client));
        Task<bool> bye = ByeAsync(result.Dialog);
        await Stage.RunAsync(time, bye, Step, Limit, "the BYE", server, client);
        time.Advance(TimeSpan.FromMinutes(2));
        await Stage.SettleAsync(server, client);
        Assert.Equal(1, callee.Calls);
        foreach (SipStatistics left in new[] { server.Statistics, client.Statistics })
        {
            Assert.Equal((0, 0, 0), (left.ServerTransactions, left.ClientTransactions, left.Dialogs));
        }

        SipEndpointOptions Options(string address) => new() { Listen = [SipListen.Udp(address)], Network = network, TimeProvider = time, Callbacks = SipCallbacks.ThreadPool };
    }

    [Fact]
    public async Task After_many_calls_every_table_is_empty()
    {
        await using Stage stage = await Stage.OpenAsync(options => options with { SourceLimits = new SourceLimits { Burst = 10_000 } });
        for (int i = 0; i < 200; i++)
        {
            var (dialog, tag) = await stage.EstablishAsync("many-" + i);
            stage.Phone.Say(stage.Phone.Request("BYE", "many-" + i, "z9hG4bKbye" + i, 2, tag));
            await TestApplication.Within(dialog.Ended, "the end");
        }

        stage.Time.Advance(TimeSpan.FromSeconds(35));
        SipStatistics left = stage.Endpoint.Statistics;
        Assert.Equal((0, 0, 0), (left.ServerTransactions, left.ClientTransactions, left.Dialogs));
    }

    private static async Task<bool> ByeAsync(SipDialog dialog)
    {
        await dialog.ByeAsync();
        return true;
    }
}
