namespace Sentiric.EventStore.Proofs;

/// <summary>
/// Merkle trees of RFC 6962 section 2.1 (RFC 9162 section 2.1.1): the left side of a node is the largest power of two of leaves that is smaller than all of them.
/// Bottom up that is: pair neighbours, and let a last one without a neighbour rise as it is.
/// <code>
///          root                path of leaf 2 in a tree of 5: [leaf 3, node 01, leaf 4]
///        /      \
///      /  \      \
///    01    23     4
///   /  \  /  \    |
///   0  1  2  3    4
/// </code>
/// Leaves are given as hashes (with prefix 0x00), one behind the other, <see cref="AuditHash.Size"/> bytes each.
/// </summary>
public static class MerkleTree
{
    /// <summary>The root over the leaves; that of no leaves is the hash of nothing.</summary>
    public static byte[] Root(ReadOnlySpan<byte> leaves)
    {
        if (leaves.IsEmpty) return System.Security.Cryptography.SHA256.HashData([]);
        var level = leaves.ToArray();
        for (var count = level.Length / AuditHash.Size; count > 1; count = (count + 1) / 2) Pair(level, count);
        return level[..AuditHash.Size];
    }

    /// <summary>The same root, its nodes hashed side by side.</summary>
    public static byte[] Root(ReadOnlySpan<byte> leaves, HashBatch batch)
    {
        if (leaves.IsEmpty) return Root([]);
        var level = leaves.ToArray();
        for (var count = level.Length / AuditHash.Size; count > 1; count = (count + 1) / 2) Pair(level, count, batch);
        return level[..AuditHash.Size];
    }

    /// <summary>The hashes that lead from leaf <paramref name="index"/> to the root, the nearest first (RFC 6962 section 2.1.1).</summary>
    public static IReadOnlyList<byte[]> Path(ReadOnlySpan<byte> leaves, long index)
    {
        var level = leaves.ToArray();
        var count = level.Length / AuditHash.Size;
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, count);
        var path = new List<byte[]>();
        for (var at = (int)index; count > 1; at /= 2, count = (count + 1) / 2)
        {
            var neighbour = at ^ 1;
            if (neighbour < count) path.Add(level.AsSpan(neighbour * AuditHash.Size, AuditHash.Size).ToArray());
            Pair(level, count);
        }
        return path;
    }

    /// <summary>The root that a path leads to (RFC 9162 section 2.1.3.2); null when the path has the wrong length for this place in a tree of this size.</summary>
    public static byte[]? RootFromPath(long index, long size, ReadOnlySpan<byte> leaf, IReadOnlyList<byte[]> path)
    {
        if (index < 0 || index >= size) return null;
        var (at, last, node) = (index, size - 1, leaf.ToArray());
        foreach (var neighbour in path)
        {
            if (last == 0 || neighbour.Length != AuditHash.Size) return null;
            if ((at & 1) == 1 || at == last)
            {
                AuditHash.Node(neighbour, node, node);
                // A node that rose without a neighbour has none on these levels either.
                while ((at & 1) == 0 && at != 0) (at, last) = (at >> 1, last >> 1);
            }
            else
            {
                AuditHash.Node(node, neighbour, node);
            }
            (at, last) = (at >> 1, last >> 1);
        }
        return last == 0 ? node : null;
    }

    private static void Pair(byte[] level, int count)
    {
        for (var pair = 0; pair < count / 2; pair++)
        {
            var from = level.AsSpan(pair * 2 * AuditHash.Size, 2 * AuditHash.Size);
            AuditHash.Node(from[..AuditHash.Size], from[AuditHash.Size..], level.AsSpan(pair * AuditHash.Size, AuditHash.Size));
        }
        Rise(level, count);
    }

    // A run's results go where nodes below were that it has already taken: those of a pair are behind its own place.
    private static void Pair(byte[] level, int count, HashBatch batch)
    {
        var done = 0;
        for (var pair = 0; pair < count / 2; pair++)
        {
            var from = level.AsSpan(pair * 2 * AuditHash.Size, 2 * AuditHash.Size);
            AuditHash.AddNode(batch, from[..AuditHash.Size], from[AuditHash.Size..]);
            if (!batch.IsFull && pair < count / 2 - 1) continue;
            batch.Run().CopyTo(level.AsSpan(done * AuditHash.Size));
            done = pair + 1;
        }
        Rise(level, count);
    }

    private static void Rise(byte[] level, int count)
    {
        if (count % 2 == 1) level.AsSpan((count - 1) * AuditHash.Size, AuditHash.Size).CopyTo(level.AsSpan(count / 2 * AuditHash.Size));
    }
}

/// <summary>The root of a tree whose leaves come one after the other; it remembers one hash per level.</summary>
public sealed class MerkleFrontier
{
    // Roots of complete subtrees, the largest first; their sizes are the ones in the binary digits of Count.
    private readonly List<byte[]> _roots = [];

    public long Count { get; private set; }

    public void Add(ReadOnlySpan<byte> leaf)
    {
        var node = leaf.ToArray();
        for (var size = Count; (size & 1) == 1; size >>= 1)
        {
            AuditHash.Node(_roots[^1], node, node);
            _roots.RemoveAt(_roots.Count - 1);
        }
        _roots.Add(node);
        Count++;
    }

    public byte[] Root()
    {
        if (_roots.Count == 0) return MerkleTree.Root([]);
        var node = _roots[^1].AsSpan().ToArray();
        for (var at = _roots.Count - 2; at >= 0; at--) AuditHash.Node(_roots[at], node, node);
        return node;
    }
}
