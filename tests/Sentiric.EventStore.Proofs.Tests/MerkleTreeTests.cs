using System.Security.Cryptography;
using System.Text;

namespace Sentiric.EventStore.Proofs.Tests;

/// <summary>Trees against a second, recursive implementation that follows the words of RFC 6962 section 2.1, and every way to cheat with a path.</summary>
public sealed class MerkleTreeTests
{
    private const int LargestTree = 200;

    [Fact]
    public void Every_root_is_the_one_of_the_recursive_definition()
    {
        for (var size = 0; size <= LargestTree; size++)
        {
            var leaves = Leaves(size);
            Assert.Equal(Hex(Definition(leaves, 0, size)), Hex(MerkleTree.Root(leaves)));
        }
    }

    [Fact]
    public void A_tree_that_grows_leaf_by_leaf_has_the_same_roots()
    {
        var frontier = new MerkleFrontier();
        for (var size = 0; size <= LargestTree; size++)
        {
            Assert.Equal(Hex(MerkleTree.Root(Leaves(size))), Hex(frontier.Root()));
            Assert.Equal(size, frontier.Count);
            frontier.Add(Leaf(size));
        }
    }

    [Trait("Category", "Slow")]
    [Fact]
    public void Every_path_of_every_leaf_leads_to_the_root_and_no_other_place_fits_it()
    {
        for (var size = 1; size <= LargestTree; size++)
        {
            var leaves = Leaves(size);
            var root = MerkleTree.Root(leaves);
            for (var index = 0; index < size; index++)
            {
                var path = MerkleTree.Path(leaves, index);
                Assert.True(LeadsToRoot(index, Leaf(index), path), $"leaf {index} of {size} has no way to the root");
                Assert.False(LeadsToRoot(index, Leaf(index + 1), path), $"another leaf fits at {index} of {size}");
                if (index > 0) Assert.False(LeadsToRoot(index - 1, Leaf(index), path), $"leaf {index} of {size} fits at {index - 1}");
            }

            // Compared as bytes: 60,000 comparisons element by element take most of a minute on a busy machine.
            bool LeadsToRoot(int index, byte[] leaf, IReadOnlyList<byte[]> path) => MerkleTree.RootFromPath(index, size, leaf, path).AsSpan().SequenceEqual(root);
        }
    }

    [Fact]
    public void A_path_that_was_cut_lengthened_or_bent_leads_nowhere()
    {
        for (var size = 2; size <= LargestTree; size += 7)
        {
            var leaves = Leaves(size);
            var root = MerkleTree.Root(leaves);
            var path = MerkleTree.Path(leaves, size / 2).ToList();
            Assert.NotEqual(root, MerkleTree.RootFromPath(size / 2, size, Leaf(size / 2), path[..^1]));
            Assert.Null(MerkleTree.RootFromPath(size / 2, size, Leaf(size / 2), [.. path, new byte[32]]));
            for (var at = 0; at < path.Count; at++)
            {
                var bent = path.ToList();
                bent[at] = [.. path[at]];
                bent[at][size % 32] ^= 1;
                Assert.NotEqual(root, MerkleTree.RootFromPath(size / 2, size, Leaf(size / 2), bent));
            }
        }
    }

    [Fact]
    public void A_leaf_never_hashes_like_a_node()
    {
        // The second-preimage attack on trees without prefixes: two leaves offered as one whose content is their hashes.
        byte[] pair = [.. Leaf(0), .. Leaf(1)];
        var asLeaf = new byte[32];
        AuditHash.EventLeaf(pair, asLeaf);
        Assert.NotEqual(MerkleTree.Root(pair), asLeaf);
        AuditHash.StreamLeaf(pair, asLeaf);
        Assert.NotEqual(MerkleTree.Root(pair), asLeaf);
        Assert.NotEqual(SHA256.HashData(pair), MerkleTree.Root(pair));
    }

    [Fact]
    public void A_leaf_at_a_place_outside_the_tree_proves_nothing()
    {
        Assert.Null(MerkleTree.RootFromPath(-1, 1, Leaf(0), []));
        Assert.Null(MerkleTree.RootFromPath(1, 1, Leaf(0), []));
        Assert.Equal(Leaf(0), MerkleTree.RootFromPath(0, 1, Leaf(0), []));
    }

    [Fact]
    public void Fields_cannot_slide_into_their_neighbours()
    {
        Assert.NotEqual(Image("ab", "c"), Image("a", "bc"));
        Assert.NotEqual(Image("", null), Image(null, ""));
        Assert.NotEqual(Image("a", null), Image("a", ""));
    }

    private static string Image(string? first, string? second) => Hex(new TupleImage().Text(first).Text(second).Written.ToArray());

    // MTH(D[n]) = SHA-256(0x01 || MTH(D[0:k]) || MTH(D[k:n])), k the largest power of two smaller than n.
    private static byte[] Definition(byte[] leaves, int from, int to)
    {
        if (to == from) return SHA256.HashData([]);
        if (to - from == 1) return leaves[(from * 32)..(to * 32)];
        var k = 1;
        while (k * 2 < to - from) k *= 2;
        return SHA256.HashData([1, .. Definition(leaves, from, from + k), .. Definition(leaves, from + k, to)]);
    }

    private static byte[] Leaves(int count) => [.. Enumerable.Range(0, count).SelectMany(Leaf)];

    private static byte[] Leaf(int index) => SHA256.HashData([0, .. Encoding.ASCII.GetBytes($"leaf {index}")]);

    private static string Hex(byte[] hash) => Convert.ToHexString(hash);
}
