using System.Security.Cryptography;
using System.Text;
using Xunit;

namespace Sentiric.EventStore.Proofs.Tests;

/// <summary>Hashes that are made side by side are those of the standard and of the library.</summary>
public sealed class HashBatchTests
{
    // NIST, examples of SHA-256 for FIPS 180-4 (one block, two blocks) and CAVP "SHA Test Vectors for Hashing Byte-Oriented Messages", SHA256ShortMsg.rsp.
    public static TheoryData<string, string> Vectors => new()
    {
        { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
        {
            Hex("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"),
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        },
        { "d3", "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1" },
        { "11af", "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98" },
        { "b4190e", "dff2e73091f6c05e528896c4c831b9448653dc2ff043528f6769437bc7b975c2" },
        { "74ba2521", "b16aa56be3880d18cd41e68384cf1ec8c17680c45a02b1575dc1518923ae8b0e" },
    };

    [Theory]
    [MemberData(nameof(Vectors))]
    public void The_published_examples_come_out_in_every_lane(string message, string hash)
    {
        const int lanes = 8;
        var batch = new HashBatch();
        for (var i = 0; i < lanes; i++) batch.Add(Convert.FromHexString(message), []);
        var hashes = batch.Run().ToArray();
        Assert.All(hashes.Chunk(AuditHash.Size), one => Assert.Equal(hash, AuditHash.Hex(one)));
    }

    [LanesFact]
    public void A_million_times_a_comes_out_as_published()
    {
        // In a lane of its own: a batch would leave a message this long to the library.
        var length = 1_000_000;
        var padded = new byte[(length + 9 + 63) / 64 * 64];
        padded.AsSpan(0, length).Fill((byte)'a');
        padded[length] = 0x80;
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(padded.AsSpan(^8), length * 8L);
        var hash = new byte[AuditHash.Size];
        new Sha256Lanes().Hash(padded, [(0, padded.Length / 64)], hash);
        Assert.Equal("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", AuditHash.Hex(hash));
    }

    [LanesFact]
    public void Every_length_up_to_some_blocks_equals_the_library_in_lanes() => AssertEveryLength(new HashBatch(useLanes: true));

    [Fact]
    public void Every_length_up_to_some_blocks_equals_the_library_without_lanes() => AssertEveryLength(new HashBatch(useLanes: false));

    private static void AssertEveryLength(HashBatch batch)
    {
        for (var length = 0; length <= 700; length++) batch.Add(Bytes(length), []);
        var hashes = batch.Run();
        for (var length = 0; length <= 700; length++) Assert.Equal(SHA256.HashData(Bytes(length)), hashes.Slice(length * AuditHash.Size, AuditHash.Size));
        for (var length = 0; length <= 200; length++)
        {
            batch.Add(Bytes(length), []);
            Assert.Equal(SHA256.HashData(Bytes(length)), batch.Run());
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Random_messages_of_all_sizes_equal_the_library(int seed)
    {
        var random = new Random(seed);
        var batch = new HashBatch();
        for (var run = 0; run < 40; run++)
        {
            var messages = new List<byte[]>();
            while (messages.Count < random.Next(1, HashBatch.MaxMessages) && !batch.IsFull)
            {
                var message = new byte[random.Next(50) == 0 ? random.Next(100_000) : random.Next(600)];
                random.NextBytes(message);
                var (first, second) = (random.Next(message.Length + 1), random.Next(message.Length + 1));
                if (first > second) (first, second) = (second, first);
                messages.Add(message);
                var number = batch.Add(message.AsSpan(0, first), message.AsSpan(first, second - first), message.AsSpan(second));
                Assert.Equal(message, batch.Message(number));
            }
            var hashes = batch.Run();
            Assert.Equal(messages.Count * AuditHash.Size, hashes.Length);
            for (var i = 0; i < messages.Count; i++)
                Assert.True(SHA256.HashData(messages[i]).AsSpan().SequenceEqual(hashes.Slice(i * AuditHash.Size, AuditHash.Size)), $"Seed {seed}, run {run}, message {i} of {messages[i].Length} bytes.");
        }
    }

    [Fact]
    public void A_full_batch_takes_no_more()
    {
        var batch = new HashBatch();
        for (var i = 0; i < HashBatch.MaxMessages; i++) batch.Add([1], []);
        Assert.True(batch.IsFull);
        Assert.Throws<InvalidOperationException>(() => batch.Add([1], []));
        batch.Run();
        batch.Add(new byte[HashBatch.MaxBytes], []);
        Assert.True(batch.IsFull);
        Assert.Equal(SHA256.HashData(new byte[HashBatch.MaxBytes]), batch.Run());
    }

    [Fact]
    public void Kinds_of_hashes_are_the_same_one_by_one_and_together()
    {
        var (batch, one, other, alone) = (new HashBatch(), Bytes(AuditHash.Size), SHA256.HashData(Bytes(5)), new byte[4 * AuditHash.Size]);
        AuditHash.AddEventLeaf(batch, Bytes(300));
        AuditHash.AddStreamLeaf(batch, Bytes(90));
        AuditHash.AddLink(batch, one, other);
        AuditHash.AddNode(batch, one, other);
        AuditHash.EventLeaf(Bytes(300), alone);
        AuditHash.StreamLeaf(Bytes(90), alone.AsSpan(AuditHash.Size));
        AuditHash.Link(one, other, alone.AsSpan(2 * AuditHash.Size));
        AuditHash.Node(one, other, alone.AsSpan(3 * AuditHash.Size));
        Assert.Equal(alone, batch.Run());
    }

    [Fact]
    public void The_root_of_a_tree_is_the_same_one_by_one_and_together()
    {
        var batch = new HashBatch();
        for (var leaves = 0; leaves <= 300; leaves++) AssertSameRoot(leaves, batch);
        AssertSameRoot(5_000, batch);
    }

    private static void AssertSameRoot(int leaves, HashBatch batch)
    {
        var hashes = Enumerable.Range(0, leaves).SelectMany(i => SHA256.HashData(BitConverter.GetBytes(i))).ToArray();
        Assert.Equal(MerkleTree.Root(hashes), MerkleTree.Root(hashes, batch));
    }

    private static byte[] Bytes(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)(i * 7 + length))];

    private static string Hex(string text) => Convert.ToHexStringLower(Encoding.ASCII.GetBytes(text));

    /// <summary>Runs where the processor has the lanes.</summary>
    private sealed class LanesFactAttribute : FactAttribute
    {
        public LanesFactAttribute() => Skip = Sha256Lanes.IsSupported ? null : "This processor has no AVX2; the library hashes alone.";
    }
}
