using System.Threading.Tasks.Sources;

namespace Sentiric.EventStore;

/// <summary>Where the events of one append went, and when they were recorded.</summary>
internal readonly record struct Placed(long Version, long[] Positions, DateTime RecordedAt);

/// <summary>
/// One append on its way. Whoever waits for it awaits <see cref="Answer"/>; the lane that takes it answers once.
/// The fields of the queue belong to the lock of <see cref="AppendQueue"/>.
/// </summary>
internal sealed class AppendRequest(StreamAddress address, StreamPlan? plan, bool remember) : IValueTaskSource<Placed?>
{
    // Continuations run on the pool: the lane must not run its callers' code.
    private ManualResetValueTaskSourceCore<Placed?> _answer = new() { RunContinuationsAsynchronously = true };
    private int _answered;

    public AppendRequest(StreamPlan plan, bool remember) : this(plan.Address, plan, remember)
    {
    }

    public StreamAddress Address { get; } = address;

    public StreamPlan Plan => plan ?? throw new InvalidOperationException("A hold has nothing to append.");

    /// <summary>It appends nothing: it waits until nobody writes the stream, and then keeps it.</summary>
    public bool IsHold => plan is null;

    public bool Remember { get; } = remember;
    public int Events => plan?.Payloads.Length ?? 0;
    public long Bytes { get; } = BytesOf(plan?.Payloads ?? []);

    /// <summary>Set while it waits in the queue.</summary>
    public LinkedListNode<AppendRequest>? Place { get; set; }

    /// <summary>It takes one of the places that <see cref="PostgresEventStoreOptions.MaxWaitingAppends"/> counts.</summary>
    public bool HasRoom { get; set; }

    /// <summary>When it began to wait, by the queue's clock.</summary>
    public long WaitsSince { get; set; }

    public CancellationTokenRegistration Cancelling { get; set; }

    /// <summary>Null when the row of the stream refused: wrong version, archived, or remembered already. May be awaited once.</summary>
    public ValueTask<Placed?> Answer => new(this, _answer.Version);

    public static AppendRequest Hold(StreamAddress address) => new(address, null, remember: false);

    public void Complete(Placed? placed)
    {
        if (Interlocked.Exchange(ref _answered, 1) == 0) _answer.SetResult(placed);
    }

    public void Fail(Exception failure)
    {
        if (Interlocked.Exchange(ref _answered, 1) == 0) _answer.SetException(failure);
    }

    Placed? IValueTaskSource<Placed?>.GetResult(short token) => _answer.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<Placed?>.GetStatus(short token) => _answer.GetStatus(token);

    void IValueTaskSource<Placed?>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _answer.OnCompleted(continuation, state, token, flags);

    private static long BytesOf(Payload[] payloads)
    {
        var bytes = 0L;
        foreach (var payload in payloads) bytes += payload.Json.Length;
        return bytes;
    }
}
