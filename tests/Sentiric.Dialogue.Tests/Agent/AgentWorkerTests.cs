using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Xunit;

namespace Sentiric.Dialogue.Tests;

public sealed class AgentWorkerTests
{
    private readonly AgentBench _bench = new();

    // D26
    [Fact]
    public async Task A_duplicate_call_started_makes_one_agent()
    {
        using var worker = Worker();
        var started = Envelope(AgentBench.Call());
        await Task.WhenAll(worker.HandleAsync(started, default), worker.HandleAsync(started, default));
        Assert.Equal(1, worker.Running);
        await _bench.World.FactAsync<AgentTookOver>("the agent to take over");
        await worker.HandleAsync(started, default);
        _bench.Media.HangUp();
        await EmptyAsync(worker);
        await worker.HandleAsync(started, default);
        Assert.Equal(0, worker.Running);
        Assert.Single(_bench.World.Facts.OfType<AgentTookOver>());
    }

    [Fact]
    public async Task Call_ended_stops_the_agent_and_forgets_its_state()
    {
        using var worker = Worker();
        await worker.HandleAsync(Envelope(AgentBench.Call()), default);
        await _bench.World.FactAsync<PlaybackFinished>("the greeting");
        await worker.HandleAsync(Envelope(new CallEnded(Clinic.Start, CallEndReason.Normal, HungUpBy.Caller, 200, 16, true, 0, 0, 0)), default);
        await EmptyAsync(worker);
        Assert.Null(await _bench.State.GetAsync(Clinic.CallId, default));
    }

    [Fact]
    public async Task An_agent_announces_a_transfer_comes_back_when_it_fails_and_leaves_when_it_is_done()
    {
        using var worker = Worker();
        await worker.HandleAsync(Envelope(AgentBench.Call()), default);
        await _bench.World.FactAsync<PlaybackFinished>("the greeting");
        await worker.HandleAsync(Envelope(new TransferRequested(Clinic.Start, "+902129998877")), default);
        await SaidAsync("Sizi bağlıyorum");
        await worker.HandleAsync(Envelope(new TransferFailed(Clinic.Start, "+902129998877", CallEndReason.Busy, 486)), default);
        await SaidAsync("bağlayamadım");
        Assert.Equal(1, worker.Running);
        await worker.HandleAsync(Envelope(new TransferCompleted(Clinic.Start, "+902129998877", TransferWay.Bridge, "carrier", 200)), default);
        await EmptyAsync(worker);
        Assert.Null(await _bench.State.GetAsync(Clinic.CallId, default));

        async Task SaidAsync(string words)
        {
            while (!(await _bench.World.FactAsync<TranscriptFinal>($"the agent to say \"{words}\"")).Text.Contains(words, StringComparison.Ordinal))
            {
            }
        }
    }

    // D27
    [Fact]
    public async Task A_call_whose_process_is_gone_is_taken_up_where_it_was()
    {
        var call = new ScriptedCall().Caller("salı günü randevu almak istiyorum").Agent("Saat kaçta");
        await _bench.State.PutAsync(Clinic.CallId, DialogueJson.Write(new AgentSnapshot(Clinic.Tenant, Clinic.CallId, AgentBench.Call(), call.State)), TimeSpan.FromHours(1), default);
        await _bench.State.TakeLeaseAsync(Clinic.CallId, "dead", TimeSpan.FromSeconds(15), default);
        using var worker = Worker();
        Assert.Equal(0, await worker.AdoptAsync(default));
        _bench.Time.Advance(TimeSpan.FromSeconds(16));
        Assert.Equal(1, await worker.AdoptAsync(default));
        TranscriptFinal line;
        do
        {
            line = await _bench.World.FactAsync<TranscriptFinal>("the open question to be asked again");
        }
        while (!line.Text.Contains("Saat kaçta", StringComparison.Ordinal));
        Assert.Equal(1, line.Turn);
        _bench.Media.HangUp();
        await EmptyAsync(worker);
    }

    [Fact]
    public async Task A_chat_is_not_taken_for_a_call()
    {
        var chats = new Chats(_bench.Ports, _bench.World, new DialogueOptions());
        await chats.StartAsync(new(Clinic.Tenant, "klinik", null), default);
        using var worker = Worker();
        Assert.Equal(0, await worker.AdoptAsync(default));
    }

    [Fact]
    public async Task One_call_too_many_hears_that_all_lines_are_busy()
    {
        using var worker = new AgentWorker(_bench.Ports, new DialogueOptions { MaxCalls = 1 }, NullLogger<AgentWorker>.Instance);
        await worker.HandleAsync(Envelope(AgentBench.Call(), Guid.NewGuid()), default);
        await worker.HandleAsync(Envelope(AgentBench.Call()), default);
        var end = await _bench.TerminatedAsync();
        Assert.Equal((Clinic.CallId, CallEndReason.Capacity), (end.CallId, end.Reason));
        Assert.Contains(_bench.World.Facts, f => f is TranscriptFinal t && t.Text.Contains("hatlarımız dolu", StringComparison.Ordinal));
        _bench.Media.HangUp();
        await EmptyAsync(worker);
    }

    [Fact]
    public void Wrong_settings_stop_the_start_with_every_fault_named()
    {
        var wrong = new DialogueOptions { MaxCalls = 0, TimeZone = "Mars/Olympus", Llm = new() { BaseUrl = "ftp://x", Model = "" }, Turns = new(BargeInMs: 5) };
        var error = Assert.Throws<ArgumentException>(() => new ServiceCollection().AddAgentSide(wrong));
        Assert.All(["MaxCalls", "Mars/Olympus", "ftp://x", "Llm.Model", "BargeInMs"], name => Assert.Contains(name, error.Message, StringComparison.Ordinal));
        Assert.Empty(new DialogueOptions().Faults());
    }

    private AgentWorker Worker() => new(_bench.Ports, new DialogueOptions(), NullLogger<AgentWorker>.Instance);

    private static EventEnvelope Envelope(object @event, Guid? callId = null) =>
        EventEnvelope.Of(@event, Guid.NewGuid(), Streams.Call(callId ?? Clinic.CallId), 1, Clinic.Start, Clinic.Tenant);

    private static async Task EmptyAsync(AgentWorker worker)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (worker.Running > 0)
        {
            await Task.Yield();
            Assert.False(patience.IsCancellationRequested, "waited for the worker to have no call");
        }
    }
}
