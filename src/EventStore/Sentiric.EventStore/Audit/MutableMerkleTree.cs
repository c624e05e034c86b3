using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>A Merkle tree in memory whose leaves change and grow; what hangs on changed leaves is hashed once, side by side, when the root is asked for.</summary>
internal sealed class MutableMerkleTree
{
    private readonly List<Level> _levels = [new()];
    private readonly SortedSet<int> _changed = [];

    public int Count => _levels[0].Count;

    public ReadOnlySpan<byte> Leaf(int index) => _levels[0][index];

    /// <summary>Replaces a leaf, or adds one behind the last.</summary>
    public void Set(int index, ReadOnlySpan<byte> leaf)
    {
        _levels[0].Put(index, leaf);
        _changed.Add(index);
    }

    /// <summary>Sets the leaves that stand one behind the other here, from the first on.</summary>
    public void SetAll(ReadOnlySpan<byte> leaves)
    {
        for (var index = 0; index < leaves.Length / AuditHash.Size; index++) Set(index, leaves.Slice(index * AuditHash.Size, AuditHash.Size));
    }

    public byte[] Root(HashBatch batch)
    {
        if (Count == 0) return MerkleTree.Root([]);
        var changed = _changed.ToList();
        var level = 0;
        for (; _levels[level].Count > 1; level++)
        {
            if (_levels.Count == level + 1) _levels.Add(new Level());
            changed = Rise(_levels[level], _levels[level + 1], changed, batch);
        }
        _changed.Clear();
        return _levels[level][0].ToArray();
    }

    private static List<int> Rise(Level from, Level to, List<int> changed, HashBatch batch)
    {
        var parents = new List<int>(changed.Count);
        var hashed = new List<int>(changed.Count);
        foreach (var index in changed)
        {
            var parent = index / 2;
            if (parents.Count > 0 && parents[^1] == parent) continue;
            parents.Add(parent);
            if (parent * 2 + 1 >= from.Count)
            {
                // The last one without a neighbour rises as it is, behind all others.
                Store(to, hashed, batch);
                to.Put(parent, from[parent * 2]);
                continue;
            }
            AuditHash.AddNode(batch, from[parent * 2], from[parent * 2 + 1]);
            hashed.Add(parent);
            if (batch.IsFull) Store(to, hashed, batch);
        }
        Store(to, hashed, batch);
        return parents;
    }

    private static void Store(Level to, List<int> parents, HashBatch batch)
    {
        var nodes = batch.Run();
        for (var i = 0; i < parents.Count; i++) to.Put(parents[i], nodes.Slice(i * AuditHash.Size, AuditHash.Size));
        parents.Clear();
    }

    /// <summary>Hashes one behind the other.</summary>
    private sealed class Level
    {
        private const int FirstCapacity = 4;
        private byte[] _hashes = new byte[FirstCapacity * AuditHash.Size];

        public int Count { get; private set; }

        public ReadOnlySpan<byte> this[int index] => _hashes.AsSpan(0, Count * AuditHash.Size).Slice(index * AuditHash.Size, AuditHash.Size);

        public void Put(int index, ReadOnlySpan<byte> hash)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(index, Count);
            if (index == Count) Count++;
            if (Count * AuditHash.Size > _hashes.Length) Array.Resize(ref _hashes, _hashes.Length * 2);
            hash.CopyTo(_hashes.AsSpan(index * AuditHash.Size));
        }
    }
}
