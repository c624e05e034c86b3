using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>
/// Moves the heads of streams over the events of a block. The links of one stream follow each other; those of different streams are hashed side by side:
/// first the first event of every stream, then the second of those that have one, and so on.
/// <code>
///   block   a1 b1 a2 c1 a3 b2      rounds   a1 b1 c1 | a2 b2 | a3
/// </code>
/// Owned by one thread.
/// </summary>
internal sealed class ChainFold(HashBatch batch)
{
    private readonly Dictionary<byte[], int> _rounds = new(ReferenceEqualityComparer.Instance);
    private readonly List<List<(byte[] Head, int Entry)>> _links = [];
    private int _used;

    /// <summary>The event at this place of the block's list belongs to the stream with this head. Events come in their order.</summary>
    public void Add(byte[] head, int entry)
    {
        var round = _rounds.GetValueOrDefault(head);
        _rounds[head] = round + 1;
        if (round == _links.Count) _links.Add([]);
        _links[round].Add((head, entry));
        _used = Math.Max(_used, round + 1);
    }

    /// <summary>Moves all heads; <paramref name="entries"/> is the block's list (<see cref="AuditEntries"/>).</summary>
    public void Run(ReadOnlySpan<byte> entries)
    {
        for (var round = 0; round < _used; round++)
        {
            foreach (var chunk in _links[round].Chunk(HashBatch.MaxMessages)) Link(chunk, entries);
            _links[round].Clear();
        }
        _rounds.Clear();
        _used = 0;
    }

    private void Link((byte[] Head, int Entry)[] links, ReadOnlySpan<byte> entries)
    {
        foreach (var (head, entry) in links) AuditHash.AddLink(batch, head, AuditEntries.Leaf(entries.Slice(entry * AuditEntries.Bytes, AuditEntries.Bytes)));
        var moved = batch.Run();
        for (var i = 0; i < links.Length; i++) moved.Slice(i * AuditHash.Size, AuditHash.Size).CopyTo(links[i].Head);
    }
}
