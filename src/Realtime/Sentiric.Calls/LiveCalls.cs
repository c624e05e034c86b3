using System.Collections.Concurrent;
using System.Threading.Channels;
using Sentiric.Contracts.Events;

namespace Sentiric.Calls;

/// <summary>The calls of this process, by their id and by the SIP Call-ID.</summary>
public sealed class LiveCalls(int maxCalls)
{
    private readonly ConcurrentDictionary<Guid, LiveCall> _calls = new();

    public int Count => _calls.Count;

    /// <summary>False when the process holds as many calls as it may.</summary>
    public bool TryAdd(LiveCall call)
    {
        if (_calls.Count >= maxCalls)
        {
            return false;
        }

        return _calls.TryAdd(call.Id, call);
    }

    public void Remove(LiveCall call) => _calls.TryRemove(call.Id, out _);

    public LiveCall? Find(Guid callId) => _calls.GetValueOrDefault(callId);

    public IEnumerable<LiveCall> All => _calls.Values;
}

/// <summary>
/// One call while it is up. Whoever wants it to end says so here; the call's own task does the rest. The first end counts.
/// </summary>
public sealed class LiveCall(Guid id, CallLog log)
{
    private readonly TaskCompletionSource<CallEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _takenOver = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly Channel<string> _transfers = Channel.CreateBounded<string>(new BoundedChannelOptions(MaxTransfers) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>One is carried out at a time; the call's stream lets no second one in, so another waits here only for a moment.</summary>
    private const int MaxTransfers = 2;

    public Guid Id { get; } = id;

    /// <summary>The trunk that the call came over, or was placed through; null for a phone's.</summary>
    public string? Trunk { get; set; }

    /// <summary>Numbers that the other party is to be connected with.</summary>
    public ChannelReader<string> Transfers => _transfers.Reader;

    public CallLog Log { get; } = log;

    /// <summary>Completes when somebody wants the call to end.</summary>
    public Task<CallEnd> EndAsked => _end.Task;

    /// <summary>Completes when an agent has taken the call over.</summary>
    public Task TakenOver => _takenOver.Task;

    public void End(CallEndReason reason, HungUpBy by) => _end.TrySetResult(new(reason, by));

    public void Transfer(string to) => _transfers.Writer.TryWrite(to);

    public void AgentIsThere() => _takenOver.TrySetResult();
}
