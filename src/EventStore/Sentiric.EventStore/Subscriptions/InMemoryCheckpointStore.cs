namespace Sentiric.EventStore;

/// <summary>Checkpoints in one process's memory, for tests. Two runners that share an instance behave like two processes.</summary>
public sealed class InMemoryCheckpointStore : ICheckpointStore
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _positions = [];
    private readonly HashSet<string> _owned = [];
    private readonly Dictionary<(string Shard, long Position), ParkedEvent> _parked = [];
    private readonly Dictionary<string, PauseNote> _paused = [];
    private readonly HashSet<(string Shard, long Position, OrderKind Kind)> _orders = [];

    public ValueTask<long?> LoadAsync(string shard, CancellationToken ct = default)
    {
        lock (_gate) return ValueTask.FromResult<long?>(_positions.TryGetValue(shard, out var position) ? position : null);
    }

    public ValueTask<bool> TryAdvanceAsync(string shard, long? from, long to, CancellationToken ct = default)
    {
        lock (_gate)
        {
            long? actual = _positions.TryGetValue(shard, out var position) ? position : null;
            if (actual != from) return ValueTask.FromResult(false);
            _positions[shard] = to;
            return ValueTask.FromResult(true);
        }
    }

    public ValueTask<IShardLease?> TryOwnAsync(string shard, CancellationToken ct = default)
    {
        lock (_gate) return ValueTask.FromResult<IShardLease?>(_owned.Add(shard) ? new Lease(this, shard) : null);
    }

    public ValueTask ParkAsync(ParkedEvent parked, CancellationToken ct = default)
    {
        lock (_gate) _parked.TryAdd((parked.Shard, parked.Position), parked);
        return ValueTask.CompletedTask;
    }

    public ValueTask<IReadOnlyList<ParkedEvent>> ListParkedAsync(string shard, int maxCount = 100, CancellationToken ct = default)
    {
        lock (_gate)
        {
            return ValueTask.FromResult<IReadOnlyList<ParkedEvent>>(
                [.. _parked.Values.Where(p => p.Shard == shard).OrderBy(p => p.Position).Take(maxCount)]);
        }
    }

    public ValueTask<bool> DiscardParkedAsync(string shard, long position, CancellationToken ct = default)
    {
        lock (_gate) return ValueTask.FromResult(_parked.Remove((shard, position)));
    }

    public ValueTask PauseAsync(string shard, PauseNote note, CancellationToken ct = default)
    {
        lock (_gate) _paused.TryAdd(shard, note);
        return ValueTask.CompletedTask;
    }

    public ValueTask ResumeAsync(string shard, CancellationToken ct = default)
    {
        lock (_gate) _paused.Remove(shard);
        return ValueTask.CompletedTask;
    }

    public ValueTask OrderAsync(string shard, long position, OrderKind kind, string? reason = null, string? by = null, CancellationToken ct = default)
    {
        lock (_gate) _orders.Add((shard, position, kind));
        return ValueTask.CompletedTask;
    }

    public ValueTask<ShardOrder> LoadOrdersAsync(string shard, CancellationToken ct = default)
    {
        lock (_gate)
        {
            IReadOnlyList<long> Of(OrderKind kind) => [.. _orders.Where(o => o.Shard == shard && o.Kind == kind).Select(o => o.Position).Order()];
            return ValueTask.FromResult(new ShardOrder(_paused.GetValueOrDefault(shard), Of(OrderKind.Skip), Of(OrderKind.Retry)));
        }
    }

    public ValueTask AnswerAsync(string shard, long position, OrderKind kind, RetryResult? result = null, CancellationToken ct = default)
    {
        lock (_gate) _orders.Remove((shard, position, kind));
        return ValueTask.CompletedTask;
    }

    private sealed class Lease(InMemoryCheckpointStore store, string shard) : IShardLease
    {
        private bool _released;

        public ValueTask<bool> IsHeldAsync(CancellationToken ct = default) => ValueTask.FromResult(!_released);

        public ValueTask DisposeAsync()
        {
            lock (store._gate)
            {
                if (!_released) store._owned.Remove(shard);
                _released = true;
            }
            return ValueTask.CompletedTask;
        }
    }
}
