using System.Buffers.Binary;
using System.Numerics;
using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>
/// The list of a block's events, one entry behind the other, big-endian:
/// <code>
///   | position 8 | ordinal of the stream 8 | version 8 | leaf 32 | prints 14 x 2 |     84 bytes
/// </code>
/// The block's statement covers the whole list, so it says who is missing after a row is gone. The prints are no proof: sixteen bits of each column,
/// which tell which one differs when the leaf does not fit any more.
/// </summary>
internal static class AuditEntries
{
    public const int LeafAt = 24;
    public const int Bytes = LeafAt + AuditHash.Size + PrintBytes;

    private const int OrdinalAt = 8;
    private const int VersionAt = 16;
    private const int PrintsAt = LeafAt + AuditHash.Size;
    private const int PrintBytes = EventTuples.LeafFields * sizeof(ushort);
    private const int IdField = 4;

    public static long Position(ReadOnlySpan<byte> entry) => BinaryPrimitives.ReadInt64BigEndian(entry);

    public static long Ordinal(ReadOnlySpan<byte> entry) => BinaryPrimitives.ReadInt64BigEndian(entry[OrdinalAt..]);

    public static long Version(ReadOnlySpan<byte> entry) => BinaryPrimitives.ReadInt64BigEndian(entry[VersionAt..]);

    public static ReadOnlySpan<byte> Leaf(ReadOnlySpan<byte> entry) => entry.Slice(LeafAt, AuditHash.Size);

    public static void SetOrdinal(Span<byte> entry, long ordinal) => BinaryPrimitives.WriteInt64BigEndian(entry[OrdinalAt..], ordinal);

    public static void SetLeaf(Span<byte> entry, ReadOnlySpan<byte> leaf) => leaf.CopyTo(entry.Slice(LeafAt, AuditHash.Size));

    /// <summary>Everything but the ordinal and the leaf.</summary>
    public static void Write(Span<byte> entry, EventTuples tuple)
    {
        BinaryPrimitives.WriteInt64BigEndian(entry, tuple.Position);
        BinaryPrimitives.WriteInt64BigEndian(entry[VersionAt..], tuple.Version);
        WritePrints(entry.Slice(PrintsAt, PrintBytes), tuple.Fields);
    }

    /// <summary>Names of the columns that differ from what was signed; empty when the prints cannot tell.</summary>
    public static IReadOnlyList<string> Differences(ReadOnlySpan<byte> entry, ReadOnlySpan<byte> fields)
    {
        Span<byte> now = stackalloc byte[PrintBytes];
        WritePrints(now, fields);
        var then = entry.Slice(PrintsAt, PrintBytes);
        // The other prints are keyed with the event's id: with another id they say nothing.
        if (!Print(then, IdField).SequenceEqual(Print(now, IdField))) return [AuditTables.LeafColumns[IdField]];
        var columns = new List<string>();
        for (var field = 0; field < EventTuples.LeafFields; field++)
        {
            if (!Print(then, field).SequenceEqual(Print(now, field))) columns.Add(AuditTables.LeafColumns[field]);
        }
        return columns;
    }

    private static ReadOnlySpan<byte> Print(ReadOnlySpan<byte> prints, int field) => prints.Slice(field * sizeof(ushort), sizeof(ushort));

    // Keyed with the random event id: when an event has been removed by right, nobody can try out what its short fields held.
    private static void WritePrints(Span<byte> prints, ReadOnlySpan<byte> fields)
    {
        var id = fields;
        for (var field = 0; field < IdField; field++) _ = Take(ref id, out _);
        var key = Mix(0, Take(ref id, out _), 0);
        for (var field = 0; field < EventTuples.LeafFields; field++)
        {
            var bytes = Take(ref fields, out var isNull);
            var mixed = Mix(field == IdField ? 0 : key + (ulong)field, bytes, isNull ? ulong.MaxValue : (ulong)bytes.Length);
            BinaryPrimitives.WriteUInt16BigEndian(prints[(field * sizeof(ushort))..], (ushort)(mixed >> 48));
        }
    }

    private static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> fields, out bool isNull)
    {
        var length = BinaryPrimitives.ReadInt32BigEndian(fields);
        isNull = length < 0;
        var bytes = fields.Slice(sizeof(int), Math.Max(length, 0));
        fields = fields[(sizeof(int) + bytes.Length)..];
        return bytes;
    }

    /// <summary>Multiply and rotate, eight bytes at a time. It only has to tell unlike from like; the leaf is what nobody can forge.</summary>
    private static ulong Mix(ulong seed, ReadOnlySpan<byte> bytes, ulong length)
    {
        const ulong odd = 0x9E37_79B9_7F4A_7C15, other = 0xC2B2_AE3D_27D4_EB4F;
        var mixed = (seed ^ length) * odd;
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
            mixed = (BitOperations.RotateLeft(mixed, 29) ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes)) * other;
        foreach (var left in bytes) mixed = (BitOperations.RotateLeft(mixed, 29) ^ left) * other;
        mixed = (mixed ^ (mixed >> 32)) * odd;
        return (mixed ^ (mixed >> 29)) * other;
    }
}
