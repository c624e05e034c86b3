using System.Buffers;
using System.Text;
using Npgsql;
using NpgsqlTypes;
using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>One stream in the directory. Owned by the notary.</summary>
internal sealed class DirectoryStream(long ordinal, string tenant, string streamId)
{
    public long Ordinal { get; } = ordinal;
    public string Tenant { get; } = tenant;
    public string StreamId { get; } = streamId;
    public long Version { get; set; }
    public byte[] Head { get; set; } = AuditHash.Genesis(ordinal, tenant, streamId);

    // What the stream's own row said when it was last looked at.
    public string? Type { get; set; }
    public long? Created { get; set; }
    public long? Appended { get; set; }

    /// <summary>Number of the last block with an event of this stream.</summary>
    public long InBlock { get; set; }

    public byte[] Leaf()
    {
        var leaf = new byte[AuditHash.Size];
        AuditHash.StreamLeaf(StreamFields.Image(Ordinal, Tenant, StreamId, Version, Head, Type, Created, Appended).Written, leaf);
        return leaf;
    }
}

/// <summary>
/// All streams as one Merkle tree (RFC 6962) in the order of their first events. A page is 256 of them, a complete subtree: in memory are the roots of
/// all pages (32 bytes for 256 streams) and the pages that were used lately. A page that is read must have the root that is remembered.
/// </summary>
internal sealed class StreamDirectory
{
    public const int PageSize = 256;
    public const string SelectPage =
        "select ordinal, tenant_id, stream_id, version, head, type, created, appended from sx_audit_stream where ordinal >= $1 and ordinal < $2 order by ordinal";

    private const int MaxPages = 512;

    private readonly AuditTables _tables;
    private readonly MutableMerkleTree _top = new();
    private readonly Dictionary<long, Page> _pages = [];
    private readonly Dictionary<string, DirectoryStream> _streams = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DirectoryStream>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private long _clock;

    private StreamDirectory(AuditTables tables)
    {
        _tables = tables;
        _lookup = _streams.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public long Count { get; private set; }

    /// <summary>Roots of the pages that changed since <see cref="Saved"/>.</summary>
    public IEnumerable<(long Page, byte[] Root)> ChangedPages => _pages.Where(p => p.Value.IsUnsaved).Select(p => (p.Key, p.Value.Tree.Root()));

    public static async ValueTask<StreamDirectory> LoadAsync(NpgsqlConnection connection, AuditTables tables, long streams, CancellationToken ct)
    {
        var directory = new StreamDirectory(tables) { Count = streams };
        await using var command = new NpgsqlCommand("select page, root from sx_audit_page order by page", connection);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        for (var expected = 0L; await rows.ReadAsync(ct).ConfigureAwait(false); expected++)
        {
            if (rows.GetInt64(0) != expected) throw new AuditTamperedException($"row {expected} of sx_audit_page is missing");
            directory._top.Set((int)expected, rows.GetFieldValue<byte[]>(1));
        }
        return directory;
    }

    /// <summary>The root over all streams, after <see cref="Touch"/> was told what changed.</summary>
    public byte[] Root()
    {
        foreach (var (number, page) in _pages)
        {
            if (!page.IsDirty) continue;
            _top.Set((int)number, page.Tree.Root());
            page.IsDirty = false;
        }
        return _top.Root();
    }

    /// <summary>Tenant and stream, with a zero between, which no name holds.</summary>
    public static string KeyOf(string tenant, string streamId) => $"{tenant}\0{streamId}";

    public DirectoryStream? Find(ReadOnlySpan<byte> tenant, ReadOnlySpan<byte> streamId)
    {
        var size = tenant.Length + streamId.Length + 1;
        var rented = ArrayPool<char>.Shared.Rent(size);
        var length = Encoding.UTF8.GetChars(tenant, rented);
        rented[length++] = '\0';
        length += Encoding.UTF8.GetChars(streamId, rented.AsSpan(length));
        var found = _lookup.TryGetValue(rented.AsSpan(0, length), out var stream) ? stream : null;
        ArrayPool<char>.Shared.Return(rented);
        return found;
    }

    public DirectoryStream? Find(string tenant, string streamId) => _streams.GetValueOrDefault(KeyOf(tenant, streamId));

    /// <summary>Reads the pages of streams that are known to the database but not in memory, and the page that new ones go to.</summary>
    public async ValueTask EnsureAsync(NpgsqlConnection connection, IReadOnlyCollection<(string Tenant, string StreamId)> streams, CancellationToken ct)
    {
        const string sql = """
            select distinct s.ordinal / 256 from sx_audit_stream s
            join unnest($1::varchar[], $2::varchar[]) as w(tenant_id, stream_id) on s.tenant_id = w.tenant_id and s.stream_id = w.stream_id
            """;
        var missing = new HashSet<long>();
        await using (var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new() { Value = streams.Select(s => s.Tenant).ToArray() }, new() { Value = streams.Select(s => s.StreamId).ToArray() } },
        })
        {
            await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
            while (await rows.ReadAsync(ct).ConfigureAwait(false)) missing.Add(rows.GetInt64(0));
        }
        if (Count % PageSize != 0) missing.Add(Count / PageSize);
        missing.ExceptWith(_pages.Keys);
        if (missing.Count > 0) await LoadPagesAsync(connection, missing, ct).ConfigureAwait(false);
    }

    public DirectoryStream Add(string tenant, string streamId)
    {
        var stream = new DirectoryStream(Count++, tenant, streamId);
        _streams.Add(KeyOf(tenant, streamId), stream);
        if (!_pages.TryGetValue(stream.Ordinal / PageSize, out var page)) _pages.Add(stream.Ordinal / PageSize, page = new Page());
        page.Streams.Add(stream);
        return stream;
    }

    /// <summary>The stream changed.</summary>
    public void Touch(DirectoryStream stream)
    {
        var page = _pages[stream.Ordinal / PageSize];
        page.Tree.Set((int)(stream.Ordinal % PageSize), stream.Leaf());
        (page.IsDirty, page.IsUnsaved, page.Used) = (true, true, ++_clock);
    }

    /// <summary>What changed has been written down; pages that were not used for long are let go.</summary>
    public void Saved()
    {
        foreach (var page in _pages.Values) page.IsUnsaved = false;
        if (_pages.Count <= MaxPages) return;
        foreach (var (number, page) in _pages.OrderBy(p => p.Value.Used).Take(_pages.Count - MaxPages / 2).ToList())
        {
            foreach (var stream in page.Streams) _streams.Remove(KeyOf(stream.Tenant, stream.StreamId));
            _pages.Remove(number);
        }
    }

    private async ValueTask LoadPagesAsync(NpgsqlConnection connection, HashSet<long> numbers, CancellationToken ct)
    {
        foreach (var number in numbers)
        {
            await using var command = new NpgsqlCommand(SelectPage, connection)
            {
                Parameters = { new() { Value = number * PageSize }, new() { Value = (number + 1) * PageSize } },
            };
            var page = new Page { Used = ++_clock };
            await using (var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false))
            {
                while (await rows.ReadAsync(ct).ConfigureAwait(false)) page.Add(Read(rows));
            }
            if (number >= _top.Count || !page.Tree.Root().AsSpan().SequenceEqual(_top.Leaf((int)number)))
                throw new AuditTamperedException($"streams {number * PageSize} to {(number + 1) * PageSize - 1} of sx_audit_stream are not those that were signed");
            _pages.Add(number, page);
            foreach (var stream in page.Streams) _streams.Add(KeyOf(stream.Tenant, stream.StreamId), stream);
        }
    }

    /// <summary>A row with all columns, in their order.</summary>
    public static DirectoryStream Read(NpgsqlDataReader row) => new(row.GetInt64(0), row.GetString(1), row.GetString(2))
    {
        Version = row.GetInt64(3),
        Head = row.GetFieldValue<byte[]>(4),
        Type = row.IsDBNull(5) ? null : row.GetString(5),
        Created = row.IsDBNull(6) ? null : row.GetInt64(6),
        Appended = row.IsDBNull(7) ? null : row.GetInt64(7),
    };

    private sealed class Page
    {
        public List<DirectoryStream> Streams { get; } = [];
        public MutableMerkleTree Tree { get; } = new();
        public bool IsDirty { get; set; }
        public bool IsUnsaved { get; set; }
        public long Used { get; set; }

        public void Add(DirectoryStream stream)
        {
            Tree.Set(Streams.Count, stream.Leaf());
            Streams.Add(stream);
        }
    }
}

/// <summary>A Merkle tree in memory whose leaves change and grow; what hangs on changed leaves is hashed once, when the root is asked for.</summary>
internal sealed class MutableMerkleTree
{
    private readonly List<List<byte[]>> _levels = [[]];
    private readonly SortedSet<int> _changed = [];

    public int Count => _levels[0].Count;

    public byte[] Leaf(int index) => _levels[0][index];

    /// <summary>Replaces a leaf, or adds one behind the last.</summary>
    public void Set(int index, byte[] leaf)
    {
        Put(_levels[0], index, leaf);
        _changed.Add(index);
    }

    public byte[] Root()
    {
        if (Count == 0) return MerkleTree.Root([]);
        var changed = _changed.ToList();
        var level = 0;
        for (; _levels[level].Count > 1; level++)
        {
            if (_levels.Count == level + 1) _levels.Add([]);
            changed = Rise(_levels[level], _levels[level + 1], changed);
        }
        _changed.Clear();
        return _levels[level][0];
    }

    private static List<int> Rise(List<byte[]> from, List<byte[]> to, List<int> changed)
    {
        var parents = new List<int>(changed.Count);
        foreach (var index in changed)
        {
            var parent = index / 2;
            if (parents.Count > 0 && parents[^1] == parent) continue;
            parents.Add(parent);
            var node = from[parent * 2];
            if (parent * 2 + 1 < from.Count)
            {
                node = new byte[AuditHash.Size];
                AuditHash.Node(from[parent * 2], from[parent * 2 + 1], node);
            }
            Put(to, parent, node);
        }
        return parents;
    }

    private static void Put(List<byte[]> level, int index, byte[] hash)
    {
        if (index == level.Count) level.Add(hash);
        else level[index] = hash;
    }
}
