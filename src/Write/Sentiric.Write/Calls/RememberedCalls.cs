namespace Sentiric.Write.Calls;

/// <summary>The states of the calls that spoke last, so that a report does not read the whole call again. One lock owns it all.</summary>
internal sealed class RememberedCalls(int capacity)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Tenant, string Stream), LinkedListNode<Remembered>> _nodes = [];
    private readonly LinkedList<Remembered> _byAge = [];

    public (Call State, long Version)? Find(string tenant, string stream)
    {
        lock (_gate)
        {
            return _nodes.TryGetValue((tenant, stream), out var node) ? (node.Value.State, node.Value.Version) : null;
        }
    }

    public void Keep(string tenant, string stream, Call state, long version)
    {
        lock (_gate)
        {
            Remove((tenant, stream));
            if (_nodes.Count == capacity && _byAge.First is { } oldest)
            {
                Remove(oldest.Value.Key);
            }

            _nodes[(tenant, stream)] = _byAge.AddLast(new Remembered((tenant, stream), state, version));
        }
    }

    public void Forget(string tenant, string stream)
    {
        lock (_gate)
        {
            Remove((tenant, stream));
        }
    }

    private void Remove((string Tenant, string Stream) key)
    {
        if (_nodes.Remove(key, out var node))
        {
            _byAge.Remove(node);
        }
    }

    private sealed record Remembered((string Tenant, string Stream) Key, Call State, long Version);
}
