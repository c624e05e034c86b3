namespace Sentiric.EventStore;

/// <summary>The full name of a document. Two tenants may use the same id.</summary>
internal readonly record struct DocumentKey(string Tenant, string Id);

/// <summary>
/// The documents that the owner of a shard wrote last, so that hot ones are not read again. Nobody else writes them while the lock is held;
/// after a failure, a switch of tables or a lost lock it is emptied. Least recently used ones leave first.
/// </summary>
internal sealed class DocumentCache
{
    private const int MaxDocuments = 10_000;
    private const long MaxCharacters = 16 * 1024 * 1024;

    private readonly Dictionary<DocumentKey, LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _byUse = [];
    private long _characters;

    /// <summary>What is known of the document: <see cref="CachedDocument.Document"/> is null when there is none.</summary>
    public bool TryGet(DocumentKey key, out CachedDocument document)
    {
        if (!_entries.TryGetValue(key, out var node))
        {
            document = default;
            return false;
        }
        _byUse.Remove(node);
        _byUse.AddLast(node);
        document = node.Value.Document;
        return true;
    }

    /// <param name="characters">Length of the document as JSON: what it is assumed to take.</param>
    public void Put(DocumentKey key, CachedDocument document, int characters)
    {
        if (_entries.TryGetValue(key, out var old)) Remove(old);
        // One that would drive most of the others out is read again instead.
        if (characters > MaxCharacters / 4) return;
        _entries[key] = _byUse.AddLast(new Entry(key, document, characters));
        _characters += characters;
        while (_entries.Count > MaxDocuments || (_characters > MaxCharacters && _entries.Count > 0))
        {
            if (_byUse.First is { } first) Remove(first);
        }
    }

    public void Clear()
    {
        _entries.Clear();
        _byUse.Clear();
        _characters = 0;
    }

    private void Remove(LinkedListNode<Entry> node)
    {
        _entries.Remove(node.Value.Key);
        _byUse.Remove(node);
        _characters -= node.Value.Characters;
    }

    private sealed record Entry(DocumentKey Key, CachedDocument Document, int Characters);
}

/// <summary>A document and the version or position it was folded to.</summary>
internal readonly record struct CachedDocument(object? Document, long Version);
