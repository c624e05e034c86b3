using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Sentiric.EventStore.Proofs;

/// <summary>
/// Every hash of the audit trail, SHA-256. The first byte keeps the kinds apart (RFC 6962 section 2.1: 0x00 a leaf, 0x01 a node; 0x02 is a link of
/// a stream's chain), a versioned name behind it keeps the leaves of different trees apart.
/// <code>
///   event leaf    = SHA-256( 00 | "sentiric.audit.event.1\n"   | fields )                 fields as in <see cref="TupleImage"/>
///   stream leaf   = SHA-256( 00 | "sentiric.audit.stream.1\n"  | fields )
///   removal leaf  = SHA-256( 00 | "sentiric.audit.truncation.1\n" | fields )
///   move leaf     = SHA-256( 00 | "sentiric.audit.move.1\n"    | fields )
///   node          = SHA-256( 01 | left | right )
///   chain, start  = SHA-256( 02 | "sentiric.audit.genesis.1\n" | ordinal, tenant, stream as fields )
///   chain, link   = SHA-256( 02 | "sentiric.audit.chain.1\n"   | head before | event leaf )
/// </code>
/// </summary>
public static class AuditHash
{
    /// <summary>Bytes of every hash.</summary>
    public const int Size = SHA256.HashSizeInBytes;

    private const int OnStack = 2_048;

    private static readonly byte[] NodeTag = [0x01];
    private static readonly byte[] EventTag = Tag(0x00, "sentiric.audit.event.1\n");
    private static readonly byte[] StreamTag = Tag(0x00, "sentiric.audit.stream.1\n");
    private static readonly byte[] RemovalTag = Tag(0x00, "sentiric.audit.truncation.1\n");
    private static readonly byte[] MoveTag = Tag(0x00, "sentiric.audit.move.1\n");
    private static readonly byte[] GenesisTag = Tag(0x02, "sentiric.audit.genesis.1\n");
    private static readonly byte[] ChainTag = Tag(0x02, "sentiric.audit.chain.1\n");

    /// <summary>The leaf of an event, over its fields as <see cref="TupleImage"/> lays them out.</summary>
    public static void EventLeaf(ReadOnlySpan<byte> fields, Span<byte> leaf) => Tagged(EventTag, fields, leaf);

    /// <summary>The leaf of a stream in the directory.</summary>
    public static void StreamLeaf(ReadOnlySpan<byte> fields, Span<byte> leaf) => Tagged(StreamTag, fields, leaf);

    /// <summary>
    /// The leaf of a record of a truncation; fields: tenant, stream, before_version, events, first and last position, SHA-256 of what was deleted, reason, actor,
    /// truncated_at in microseconds since 2000-01-01 UTC.
    /// </summary>
    public static void RemovalLeaf(ReadOnlySpan<byte> fields, Span<byte> leaf) => Tagged(RemovalTag, fields, leaf);

    /// <summary>
    /// The leaf of a record of a move into a file or back; fields: tenant, stream, number, restored (0 or 1), file, SHA-256 of the stream's lines, events, version,
    /// first and last position, moved_at in microseconds since 2000-01-01 UTC.
    /// </summary>
    public static void MoveLeaf(ReadOnlySpan<byte> fields, Span<byte> leaf) => Tagged(MoveTag, fields, leaf);

    /// <summary>The head of a stream's chain before its first event.</summary>
    public static byte[] Genesis(long ordinal, string tenant, string stream)
    {
        var fields = new TupleImage().Int64(ordinal).Text(tenant).Text(stream);
        var head = new byte[Size];
        Tagged(GenesisTag, fields.Written, head);
        return head;
    }

    /// <summary>Moves a head over one event; <paramref name="head"/> may be where the result goes.</summary>
    public static void Link(ReadOnlySpan<byte> head, ReadOnlySpan<byte> eventLeaf, Span<byte> next)
    {
        Span<byte> input = stackalloc byte[ChainTag.Length + 2 * Size];
        ChainTag.CopyTo(input);
        head.CopyTo(input[ChainTag.Length..]);
        eventLeaf.CopyTo(input[(ChainTag.Length + Size)..]);
        SHA256.HashData(input, next);
    }

    /// <summary>An inner node of a Merkle tree.</summary>
    public static void Node(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, Span<byte> node)
    {
        Span<byte> input = stackalloc byte[1 + 2 * Size];
        NodeTag.CopyTo(input);
        left.CopyTo(input[1..]);
        right.CopyTo(input[(1 + Size)..]);
        SHA256.HashData(input, node);
    }

    /// <summary>The same as <see cref="EventLeaf"/>, with many others.</summary>
    public static int AddEventLeaf(HashBatch batch, ReadOnlySpan<byte> fields) => batch.Add(EventTag, fields);

    /// <summary>The fields of a leaf that was gathered with <see cref="AddEventLeaf"/>.</summary>
    public static ReadOnlySpan<byte> EventFields(HashBatch batch, int number) => batch.Message(number)[EventTag.Length..];

    /// <summary>The same as <see cref="StreamLeaf"/>, with many others.</summary>
    public static int AddStreamLeaf(HashBatch batch, ReadOnlySpan<byte> fields) => batch.Add(StreamTag, fields);

    /// <summary>The same as <see cref="Link"/>, with many others.</summary>
    public static int AddLink(HashBatch batch, ReadOnlySpan<byte> head, ReadOnlySpan<byte> eventLeaf) => batch.Add(ChainTag, head, eventLeaf);

    /// <summary>The same as <see cref="Node"/>, with many others.</summary>
    public static int AddNode(HashBatch batch, ReadOnlySpan<byte> left, ReadOnlySpan<byte> right) => batch.Add(NodeTag, left, right);

    /// <summary>Lower-case hexadecimal, as statements and proofs print hashes.</summary>
    public static string Hex(ReadOnlySpan<byte> hash) => Convert.ToHexStringLower(hash);

    private static void Tagged(byte[] tag, ReadOnlySpan<byte> fields, Span<byte> hash)
    {
        var size = tag.Length + fields.Length;
        var input = size <= OnStack ? stackalloc byte[OnStack] : new byte[size];
        tag.CopyTo(input);
        fields.CopyTo(input[tag.Length..]);
        SHA256.HashData(input[..size], hash);
    }

    private static byte[] Tag(byte kind, string name) => [kind, .. Encoding.ASCII.GetBytes(name)];
}

/// <summary>
/// Fields one behind the other, each with its length in front, as PostgreSQL's binary COPY writes a row behind its field count: nothing can slide
/// from one field into the next, and anybody can make the same bytes with <c>psql</c>.
/// <code>
///   | length, 4 bytes big-endian; -1: null | bytes |    bigint: 8 bytes big-endian, text: UTF-8, uuid: 16 bytes in the order of its text
/// </code>
/// </summary>
public sealed class TupleImage
{
    private const int NullLength = -1;
    private readonly System.Buffers.ArrayBufferWriter<byte> _buffer = new(256);

    public ReadOnlySpan<byte> Written => _buffer.WrittenSpan;

    /// <summary>Empty again, for the next row.</summary>
    public TupleImage Clear()
    {
        _buffer.ResetWrittenCount();
        return this;
    }

    public TupleImage Int64(long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(Next(sizeof(long)), value);
        return this;
    }

    public TupleImage Int64(long? value) => value is { } known ? Int64(known) : Null();

    public TupleImage Text(string? value)
    {
        if (value is null) return Null();
        Encoding.UTF8.GetBytes(value, Next(Encoding.UTF8.GetByteCount(value)));
        return this;
    }

    public TupleImage Bytes(byte[]? value)
    {
        if (value is null) return Null();
        value.CopyTo(Next(value.Length));
        return this;
    }

    public TupleImage Uuid(Guid value)
    {
        value.TryWriteBytes(Next(16), bigEndian: true, out _);
        return this;
    }

    public TupleImage Null()
    {
        BinaryPrimitives.WriteInt32BigEndian(_buffer.GetSpan(sizeof(int)), NullLength);
        _buffer.Advance(sizeof(int));
        return this;
    }

    private Span<byte> Next(int length)
    {
        var span = _buffer.GetSpan(sizeof(int) + length);
        BinaryPrimitives.WriteInt32BigEndian(span, length);
        _buffer.Advance(sizeof(int) + length);
        return span.Slice(sizeof(int), length);
    }
}
