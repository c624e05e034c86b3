using System.Diagnostics.CodeAnalysis;
using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>
/// Events that are signed in one transaction, up to 16 blocks of them: their entries, without ordinals yet, and whose they are. It knows nothing of the
/// directory, so that a page is read while the one before is written.
/// </summary>
internal sealed class NotaryPage
{
    public const int BlockSize = 1_024;
    private const int MaxBlocks = 16;

    private const int FirstCapacity = 64;

    private readonly Dictionary<byte[], int> _owners = new(OwnerBytes.Instance);
    private readonly Dictionary<byte[], int>.AlternateLookup<ReadOnlySpan<byte>> _lookup;
    private readonly List<(string Tenant, string StreamId)> _names = [];
    private DirectoryStream[] _placed = [];
    private byte[] _entries = new byte[FirstCapacity * AuditEntries.Bytes];
    private int[] _ownerOf = new int[FirstCapacity];
    private int _hashed;

    private NotaryPage() => _lookup = _owners.GetAlternateLookup<ReadOnlySpan<byte>>();

    public int Count { get; private set; }

    /// <summary>Every stream that has an event here, once.</summary>
    public IReadOnlyList<(string Tenant, string StreamId)> Names => _names;

    /// <summary>The streams of <see cref="Names"/>, after <see cref="Place"/>.</summary>
    public IReadOnlyList<DirectoryStream> Streams => _placed;

    /// <summary>Null when there are no more events.</summary>
    public static async ValueTask<NotaryPage?> ReadAsync(EventTuples tuples, HashBatch batch, CancellationToken ct)
    {
        NotaryPage? page = null;
        while ((page is null || page.Count < MaxBlocks * BlockSize) && await tuples.ReadAsync(ct).ConfigureAwait(false))
        {
            page ??= new NotaryPage();
            page.Add(tuples, batch);
        }
        page?.Hash(batch);
        return page;
    }

    public Span<byte> Entry(int index) => _entries.AsSpan(index * AuditEntries.Bytes, AuditEntries.Bytes);

    public ReadOnlySpan<byte> Entries(int from, int count) => _entries.AsSpan(from * AuditEntries.Bytes, count * AuditEntries.Bytes);

    public DirectoryStream Stream(int index) => _placed[_ownerOf[index]];

    /// <summary>Gives every event its stream; a stream that the directory does not have yet gets the next place.</summary>
    public void Place(StreamDirectory directory)
    {
        _placed = [.. _names.Select(n => directory.Find(n.Tenant, n.StreamId) ?? directory.Add(n.Tenant, n.StreamId))];
        for (var i = 0; i < Count; i++) AuditEntries.SetOrdinal(Entry(i), Stream(i).Ordinal);
    }

    private void Add(EventTuples tuples, HashBatch batch)
    {
        if (Count == _ownerOf.Length)
        {
            Array.Resize(ref _entries, _entries.Length * 2);
            Array.Resize(ref _ownerOf, _ownerOf.Length * 2);
        }
        AuditEntries.Write(Entry(Count), tuples);
        AuditHash.AddEventLeaf(batch, tuples.Fields);
        _ownerOf[Count++] = OwnerOf(tuples);
        if (batch.IsFull) Hash(batch);
    }

    private int OwnerOf(EventTuples tuples)
    {
        if (_lookup.TryGetValue(tuples.Owner, out var known)) return known;
        _owners.Add(tuples.Owner.ToArray(), _names.Count);
        _names.Add((tuples.Text(1) ?? "", tuples.Text(2) ?? ""));
        return _names.Count - 1;
    }

    private void Hash(HashBatch batch)
    {
        var leaves = batch.Run();
        for (var at = 0; at < leaves.Length; at += AuditHash.Size) AuditEntries.SetLeaf(Entry(_hashed++), leaves.Slice(at, AuditHash.Size));
    }

    /// <summary>Names as they come from the wire, compared byte by byte.</summary>
    private sealed class OwnerBytes : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static OwnerBytes Instance { get; } = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode([DisallowNull] byte[] obj) => GetHashCode(obj.AsSpan());

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = new HashCode();
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
