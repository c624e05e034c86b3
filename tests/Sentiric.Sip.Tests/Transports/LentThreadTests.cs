using System.Collections.Concurrent;
using Sentiric.Sip.Tests.Kit;
using Sentiric.Sip.Tests.UserAgent;

namespace Sentiric.Sip.Tests.Transports;

/// <summary>The thread that receives runs the application, on real sockets.</summary>
public sealed class LentThreadTests
{
    [Fact]
    public async Task The_application_hears_of_a_call_on_the_thread_that_received_it()
    {
        string? told = null;
        var answered = new TaskCompletionSource<SipAnswerResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        var application = new TestApplication
        {
            Answering = async invite =>
            {
                told = Thread.CurrentThread.Name;
                await invite.RingingAsync();
                answered.SetResult(await invite.AnswerAsync(ScriptedPhone.Sdp));
            },
        };
        await using SipEndpoint server = await SipEndpoint.StartAsync(Udp(), application);
        await using SipEndpoint client = await SipEndpoint.StartAsync(Udp(), new TestApplication());
        await CallAsync(client, server);
        Assert.True((await TestApplication.Within(answered.Task, "the ACK")).IsEstablished);
        Assert.Equal($"sip-udp-{server.Binding(SipTransportKind.Udp).Address.Port}", told);
    }

    [Fact]
    public async Task While_the_application_keeps_the_thread_another_receives_and_gets_no_loan()
    {
        using var release = new ManualResetEventSlim();
        var threads = new ConcurrentQueue<string?>();
        int calls = 0;
        var application = new TestApplication
        {
            Answering = async invite =>
            {
                if (Interlocked.Increment(ref calls) == 1)
                {
                    release.Wait();
                }

                threads.Enqueue(Thread.CurrentThread.Name ?? "");
                await invite.AnswerAsync(ScriptedPhone.Sdp);
            },
        };
        await using SipEndpoint server = await SipEndpoint.StartAsync(Udp(), application);
        await using SipEndpoint client = await SipEndpoint.StartAsync(Udp(), new TestApplication());
        Task<OutgoingCallResult> kept = CallAsync(client, server);
        await TestApplication.Within(application.NextInviteAsync(), "the call that keeps the thread");
        await CallAsync(client, server);
        Assert.False(Assert.Single(threads)!.StartsWith("sip-udp", StringComparison.Ordinal));
        release.Set();
        Assert.True((await kept).IsAnswered);
        await CallAsync(client, server);
        Assert.False(threads.Last()!.StartsWith("sip-udp", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_call_that_waits_for_the_network_on_the_lent_thread_gets_its_answer()
    {
        await using SipEndpoint client = await SipEndpoint.StartAsync(Udp(), new TestApplication());
        var answered = new TaskCompletionSource<SipAnswerResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        var application = new TestApplication
        {
            // Whoever blocks on what only the next message brings would wait for himself.
            Answering = invite =>
            {
                Task<SipAnswerResult> answer = invite.AnswerAsync(ScriptedPhone.Sdp);
                Assert.True(answer.Wait(ScriptedPhone.Patience), "The ACK did not come.");
                answered.SetResult(answer.Result);
                return Task.CompletedTask;
            },
        };
        await using SipEndpoint server = await SipEndpoint.StartAsync(Udp(), application);
        await CallAsync(client, server);
        Assert.True((await TestApplication.Within(answered.Task, "the ACK")).IsEstablished);
    }

    private static async Task<OutgoingCallResult> CallAsync(SipEndpoint client, SipEndpoint server)
    {
        OutgoingCall call = await client.InviteAsync(OutgoingCallTests.Invite($"sip:9000@{server.Binding(SipTransportKind.Udp).Address}"));
        OutgoingCallResult result = await TestApplication.Within(call.Completed, "the answer");
        Assert.True(result.IsAnswered);
        return result;
    }

    private static SipEndpointOptions Udp() => new() { Listen = [SipListen.Udp()] };
}
