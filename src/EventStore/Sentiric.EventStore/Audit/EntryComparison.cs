using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>Events of one block against its list, their leaves hashed side by side. Owned by one thread.</summary>
internal sealed class EntryComparison(HashBatch batch)
{
    private readonly int[] _entryOf = new int[HashBatch.MaxMessages];

    /// <summary>The event at this place of the list; true when <see cref="Run"/> has to come first, before the next.</summary>
    public bool Add(int entry, ReadOnlySpan<byte> fields)
    {
        _entryOf[AuditHash.AddEventLeaf(batch, fields)] = entry;
        return batch.IsFull;
    }

    /// <summary>Those that are not as they were signed, with the names of the columns that differ as far as the list can tell.</summary>
    public List<(int Entry, IReadOnlyList<string> Columns)> Run(ReadOnlySpan<byte> entries)
    {
        var different = new List<(int, IReadOnlyList<string>)>();
        var leaves = batch.Run();
        for (var i = 0; i * AuditHash.Size < leaves.Length; i++)
        {
            var entry = entries.Slice(_entryOf[i] * AuditEntries.Bytes, AuditEntries.Bytes);
            if (leaves.Slice(i * AuditHash.Size, AuditHash.Size).SequenceEqual(AuditEntries.Leaf(entry))) continue;
            different.Add((_entryOf[i], AuditEntries.Differences(entry, AuditHash.EventFields(batch, i))));
        }
        return different;
    }
}
