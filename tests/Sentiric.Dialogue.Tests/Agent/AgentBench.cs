using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Speech;
using Sentiric.Testing;

namespace Sentiric.Dialogue.Tests;

/// <summary>One agent on one call with everything around it in memory.</summary>
internal sealed class AgentBench : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;
    private CallAgent? _agent;

    public AgentBench()
    {
        State = new InMemoryCallState(Time);
        Ports = new(Media, World, World, World, World, State, Recognizer, Synthesizer, new FakeVoices(), new RuleTurnDetector(), null, Time);
    }

    public ManualTime Time { get; } = new();

    public FakeMedia Media { get; } = new();

    public FakeWorld World { get; } = new();

    public FakeRecognizer Recognizer { get; } = new();

    public FakeSynthesizer Synthesizer { get; } = new();

    public ICallState State { get; }

    public AgentPorts Ports { get; init; }

    public static CallStarted Call(DialplanAction action = DialplanAction.StartAiConversation, string why = "normal") => new(
        Clinic.Start, "+905321112233", "100", CallDirection.Inbound,
        new(Clinic.Tenant, "ana", 1, action, new(), "100", null, "tr", why, [], Clinic.Turkish, null), "Ayşe Yılmaz", new("m1", "", "", "PCMA"));

    public AgentBench Run(CallStarted? call = null, DialogueState? resumed = null)
    {
        _agent = new CallAgent(new(Clinic.Tenant, Clinic.CallId, call ?? Call(), resumed), Ports, new DialogueOptions(), NullLogger.Instance);
        _running = _agent.RunAsync(_stop.Token);
        return this;
    }

    /// <summary>A second of voice and enough silence behind it.</summary>
    public void Caller(string text, string? partial = null, int silentFrames = 80)
    {
        Recognizer.Texts.Enqueue(text);
        Recognizer.Partial = partial;
        Media.Speak(1_000, 50);
        Media.Speak(0, silentFrames);
    }

    public async Task<string> PlayedAsync(string what) => await Within(Media.Played.Reader.ReadAsync().AsTask(), what);

    /// <summary>Until the conversation itself, not only the journal, knows that this utterance has begun to be heard.</summary>
    public Task AskingAsync(UtteranceKind kind) => Within(
        Task.Run(async () =>
        {
            while (await State.GetAsync(Clinic.CallId, CancellationToken.None) is not { } json
                || DialogueJson.ReadAgent(json)?.State is not { SpeakingSince: not null } state || state.Speaking.FirstOrDefault()?.Kind != kind)
            {
                await Task.Yield();
            }
        }), $"the {kind} to begin");

    public async Task<TerminateCall> TerminatedAsync() => await Within(World.Terminated.Reader.ReadAsync().AsTask(), "the call to be terminated");

    /// <summary>Somebody has hung up, as the bus says.</summary>
    public void CallOver() => _agent!.CallOver();

    public async Task DoneAsync() => await Within(_running, "the agent to be done");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(TimeSpan.FromSeconds(20));
        _stop.Dispose();
    }

    public static async Task<T> Within<T>(Task<T> task, string what)
    {
        await Within((Task)task, what);
        return await task;
    }

    public static async Task Within(Task task, string what)
    {
        try
        {
            await task.WaitAsync(TimeSpan.FromSeconds(20));
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"waited for {what}");
        }
    }
}
