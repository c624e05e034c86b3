namespace Sentiric.Sip;

/// <summary>A table with a bound: beyond it the entry that was used longest ago goes. Not thread-safe.</summary>
internal sealed class BoundedTable<TKey, TValue>(int capacity, Func<TKey, TValue> create)
    where TKey : notnull
{
    private readonly Dictionary<TKey, LinkedListNode<(TKey Key, TValue Value)>> entries = [];
    private readonly LinkedList<(TKey Key, TValue Value)> byUse = new();

    public int Count => entries.Count;

    /// <summary>The entry, made when there is none.</summary>
    public TValue Get(TKey key)
    {
        if (entries.TryGetValue(key, out LinkedListNode<(TKey Key, TValue Value)>? known))
        {
            byUse.Remove(known);
            byUse.AddLast(known);
            return known.Value.Value;
        }

        if (entries.Count >= capacity && byUse.First is { } oldest)
        {
            byUse.RemoveFirst();
            entries.Remove(oldest.Value.Key);
        }

        TValue made = create(key);
        entries[key] = byUse.AddLast((key, made));
        return made;
    }

    /// <summary>Without making or moving it.</summary>
    public bool TryPeek(TKey key, out TValue? value)
    {
        bool found = entries.TryGetValue(key, out LinkedListNode<(TKey Key, TValue Value)>? known);
        value = found ? known!.Value.Value : default;
        return found;
    }

    public void Remove(TKey key)
    {
        if (entries.Remove(key, out LinkedListNode<(TKey Key, TValue Value)>? known))
        {
            byUse.Remove(known);
        }
    }
}
