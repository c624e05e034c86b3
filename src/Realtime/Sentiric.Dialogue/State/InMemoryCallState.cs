namespace Sentiric.Dialogue;

/// <summary>The state of one process. Bounded: at <see cref="MaxCalls"/> the state that expires first goes.</summary>
public sealed class InMemoryCallState(TimeProvider time) : ICallState
{
    public const int MaxCalls = 50_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<Guid, (byte[] State, DateTimeOffset Until)> _states = [];
    private readonly Dictionary<Guid, (string Owner, DateTimeOffset Until)> _leases = [];

    public ValueTask<byte[]?> GetAsync(Guid callId, CancellationToken ct)
    {
        lock (_gate)
        {
            return new(_states.TryGetValue(callId, out var kept) && kept.Until > time.GetUtcNow() ? kept.State.ToArray() : null);
        }
    }

    public ValueTask PutAsync(Guid callId, ReadOnlyMemory<byte> state, TimeSpan expiry, CancellationToken ct)
    {
        lock (_gate)
        {
            MakeRoom();
            _states[callId] = (state.ToArray(), time.GetUtcNow() + expiry);
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask RemoveAsync(Guid callId, CancellationToken ct)
    {
        lock (_gate)
        {
            _states.Remove(callId);
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask<IReadOnlyList<Guid>> CallsAsync(int max, CancellationToken ct)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            return new(_states.Where(s => s.Value.Until > now).Select(s => s.Key).Take(max).ToArray());
        }
    }

    public ValueTask<bool> TakeLeaseAsync(Guid callId, string owner, TimeSpan duration, CancellationToken ct)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            if (_leases.TryGetValue(callId, out var lease) && lease.Until > now && lease.Owner != owner)
            {
                return new(false);
            }

            MakeRoom();
            _leases[callId] = (owner, now + duration);
            return new(true);
        }
    }

    public ValueTask ReleaseLeaseAsync(Guid callId, string owner, CancellationToken ct)
    {
        lock (_gate)
        {
            if (_leases.TryGetValue(callId, out var lease) && lease.Owner == owner)
            {
                _leases.Remove(callId);
            }
        }

        return ValueTask.CompletedTask;
    }

    // Called under the gate.
    private void MakeRoom()
    {
        if (_states.Count < MaxCalls && _leases.Count < MaxCalls)
        {
            return;
        }

        var now = time.GetUtcNow();
        foreach (var (id, _) in _states.Where(s => s.Value.Until <= now).ToArray())
        {
            _states.Remove(id);
        }

        foreach (var (id, _) in _leases.Where(l => l.Value.Until <= now).ToArray())
        {
            _leases.Remove(id);
        }

        if (_states.Count >= MaxCalls)
        {
            _states.Remove(_states.MinBy(s => s.Value.Until).Key);
        }

        if (_leases.Count >= MaxCalls)
        {
            _leases.Remove(_leases.MinBy(l => l.Value.Until).Key);
        }
    }
}
