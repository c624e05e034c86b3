using System.Diagnostics;
using System.Net;
using Sentiric.Sip;
using Sentiric.Testing;

namespace Sentiric.Sip.Tests.Kit;

/// <summary>An endpoint on virtual time in a network in memory, with a scripted phone before it.</summary>
internal sealed class Stage : IAsyncDisposable
{
    private Stage(ManualTime time, MemoryNetwork network, TestApplication application, SipEndpoint endpoint, ScriptedPhone phone)
    {
        Time = time;
        Network = network;
        Application = application;
        Endpoint = endpoint;
        Phone = phone;
    }

    public ManualTime Time { get; }

    public MemoryNetwork Network { get; }

    public TestApplication Application { get; }

    public SipEndpoint Endpoint { get; }

    public ScriptedPhone Phone { get; }

    public IPEndPoint Server => Endpoint.Bindings[0].Address;

    public static async Task<Stage> OpenAsync(Func<SipEndpointOptions, SipEndpointOptions>? adjust = null, ManualTime? time = null)
    {
        time ??= new ManualTime();
        var network = new MemoryNetwork(time);
        var application = new TestApplication();
        var options = new SipEndpointOptions { Listen = [SipListen.Udp()], Network = network, TimeProvider = time, Callbacks = SipCallbacks.ThreadPool };
        SipEndpoint endpoint = await SipEndpoint.StartAsync(adjust?.Invoke(options) ?? options, application);
        network.Parties.Add(endpoint);
        return new Stage(time, network, application, endpoint, new ScriptedPhone(network, endpoint.Bindings[0].Address));
    }

    /// <summary>The phone calls and the application answers; the 200 has arrived, the ACK has not been sent.</summary>
    public async Task<(SipResponse Ok, Task<SipAnswerResult> Answer)> AnswerAsync(string callId = "call-1", string extra = "", string? vias = null)
    {
        Phone.Say(Phone.Request("INVITE", callId, "z9hG4bK-inv-" + callId, 1, sdp: ScriptedPhone.Sdp, extra: extra, vias: vias));
        IncomingInvite invite = await Application.NextInviteAsync();
        Task<SipAnswerResult> answer = invite.AnswerAsync(ScriptedPhone.Sdp);
        return (await Phone.HearResponseAsync(200), answer);
    }

    public void Ack(SipResponse ok, string branch = "z9hG4bK-ack") => Phone.Say(Phone.Request("ACK", ok.CallId, branch, ok.CSeq.Number, ok.To.Tag));

    public async Task<(SipDialog Dialog, string Tag)> EstablishAsync(string callId = "call-1", string extra = "")
    {
        var (ok, answer) = await AnswerAsync(callId, extra);
        Ack(ok);
        SipAnswerResult result = await TestApplication.Within(answer, "the answer to be acknowledged");
        Assert.True(result.IsEstablished);
        return (result.Dialog, ok.To.Tag!);
    }

    /// <summary>Lets everybody finish, then moves time, until the task is done or the virtual limit is reached.</summary>
    public static async Task<T> RunAsync<T>(ManualTime time, Task<T> task, TimeSpan step, TimeSpan limit, string what, params SipEndpoint[] parties)
    {
        DateTimeOffset end = time.GetUtcNow() + limit;
        while (!task.IsCompleted && time.GetUtcNow() < end)
        {
            await SettleAsync(parties);
            time.Advance(step);
        }

        await SettleAsync(parties);
        Assert.True(task.IsCompleted, $"Waited {limit} of virtual time for {what}.");
        return await task;
    }

    /// <summary>
    /// Lets the thread pool finish what it holds: each hop goes through its global queue, behind every local one. A thread that the machine
    /// has put aside meanwhile is in no queue: the endpoints say whether one still works for them.
    /// </summary>
    public static async Task SettleAsync(params SipEndpoint[] parties)
    {
        const int mostHops = 10_000;
        for (int hops = 0; hops < 4 || (ThreadPool.PendingWorkItemCount > 0 && hops < mostHops); hops++)
        {
            await HopAsync();
        }

        await FinishAsync(parties);
    }

    /// <summary>Until no thread works for these endpoints.</summary>
    public static async Task FinishAsync(IReadOnlyCollection<SipEndpoint> parties)
    {
        long since = Stopwatch.GetTimestamp();
        while (!parties.All(party => party.IsIdle))
        {
            Assert.True(Stopwatch.GetElapsedTime(since) < ScriptedPhone.Patience, "An endpoint still works on something that should take no time.");
            await HopAsync();
        }
    }

    private static Task HopAsync()
    {
        var hop = new TaskCompletionSource();
        ThreadPool.QueueUserWorkItem(static done => done.SetResult(), hop, preferLocal: false);
        return hop.Task;
    }

    public ValueTask DisposeAsync() => Endpoint.DisposeAsync();
}
