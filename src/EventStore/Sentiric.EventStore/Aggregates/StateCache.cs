namespace Sentiric.EventStore;

/// <summary>
/// The states of the streams used last, each with its version, in this process. Never trusted alone: every fetch asks the store for the events behind it.
/// At most <paramref name="capacity"/> states; the one not used for the longest time goes. Safe for many threads.
/// </summary>
public sealed class StateCache<TState>(int capacity = 1_000)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<StreamAddress, LinkedListNode<Entry>> _byStream = [];

    // Used last first.
    private readonly LinkedList<Entry> _order = [];

    public int Count
    {
        get
        {
            lock (_gate) return _byStream.Count;
        }
    }

    /// <summary>Forgets everything, after events were changed behind the store's back (an erasure).</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _byStream.Clear();
            _order.Clear();
        }
    }

    internal Folded<TState>? Find(StreamAddress address)
    {
        lock (_gate)
        {
            if (!_byStream.TryGetValue(address, out var node)) return null;
            _order.Remove(node);
            _order.AddFirst(node);
            return node.Value.Folded;
        }
    }

    internal void Keep(StreamAddress address, Folded<TState> folded)
    {
        lock (_gate)
        {
            if (_byStream.Remove(address, out var old)) _order.Remove(old);
            // Of two that finish at once the older result may come last.
            if (old is not null && old.Value.Folded.Version > folded.Version) folded = old.Value.Folded;
            _byStream[address] = _order.AddFirst(new Entry(address, folded with { Events = 0, Bytes = 0 }));
            if (_byStream.Count <= capacity || _order.Last is not { } last) return;
            _order.RemoveLast();
            _byStream.Remove(last.Value.Address);
        }
    }

    internal void Forget(StreamAddress address)
    {
        lock (_gate)
        {
            if (_byStream.Remove(address, out var old)) _order.Remove(old);
        }
    }

    private sealed record Entry(StreamAddress Address, Folded<TState> Folded);
}
