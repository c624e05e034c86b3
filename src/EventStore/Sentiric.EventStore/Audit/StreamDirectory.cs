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

    /// <summary>Gathers the stream's leaf; <paramref name="image"/> is room to write in.</summary>
    public void AddLeaf(HashBatch batch, TupleImage image) =>
        AuditHash.AddStreamLeaf(batch, StreamFields.Write(image, Ordinal, Tenant, StreamId, Version, Head, Type, Created, Appended).Written);
}

/// <summary>
/// All streams as one Merkle tree (RFC 6962) in the order of their first events. A page is 256 of them, a complete subtree: in memory are the roots of
/// all pages (32 bytes for 256 streams) and the pages that were used lately. A page that is read must have the root that is remembered.
/// </summary>
internal sealed class StreamDirectory
{
    public const int PageSize = 256;
    public const string SelectAll = $"{Columns} order by ordinal";
    public const string SelectPage = $"{Columns} where ordinal >= $1 and ordinal < $2 order by ordinal";
    private const string Columns = "select ordinal, tenant_id, stream_id, version, head, type, created, appended from sx_audit_stream";

    private const int MaxPages = 512;

    private readonly MutableMerkleTree _top = new();
    private readonly Dictionary<long, Page> _pages = [];
    private readonly Dictionary<string, DirectoryStream> _streams = new(StringComparer.Ordinal);
    private readonly HashBatch _batch;
    private readonly TupleImage _image = new();
    private readonly List<DirectoryStream> _touched = [];
    private long _clock;

    private StreamDirectory(HashBatch batch) => _batch = batch;

    public long Count { get; private set; }

    /// <summary>Roots of the pages that changed since <see cref="Saved"/>.</summary>
    public IEnumerable<(long Page, byte[] Root)> ChangedPages => _pages.Where(p => p.Value.IsUnsaved).Select(p => (p.Key, p.Value.Tree.Root(_batch)));

    public static async ValueTask<StreamDirectory> LoadAsync(NpgsqlConnection connection, HashBatch batch, long streams, CancellationToken ct)
    {
        var directory = new StreamDirectory(batch) { Count = streams };
        await using var command = new NpgsqlCommand("select page, root from sx_audit_page order by page", connection);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        for (var expected = 0L; await rows.ReadAsync(ct).ConfigureAwait(false); expected++)
        {
            if (rows.GetInt64(0) != expected) throw new AuditTamperedException($"row {expected} of sx_audit_page is missing");
            if (rows.GetFieldValue<byte[]>(1) is not { Length: AuditHash.Size } root) throw new AuditTamperedException($"row {expected} of sx_audit_page holds no hash");
            directory._top.Set((int)expected, root);
        }
        return directory;
    }

    /// <summary>The root over all streams, after <see cref="Touch"/> was told what changed.</summary>
    public byte[] Root()
    {
        foreach (var streams in _touched.Chunk(HashBatch.MaxMessages)) SetLeaves(streams);
        _touched.Clear();
        foreach (var (number, page) in _pages)
        {
            if (!page.IsDirty) continue;
            _top.Set((int)number, page.Tree.Root(_batch));
            page.IsDirty = false;
        }
        return _top.Root(_batch);
    }

    /// <summary>Tenant and stream, with a zero between, which no name holds.</summary>
    public static string KeyOf(string tenant, string streamId) => $"{tenant}\0{streamId}";

    public DirectoryStream? Find(string tenant, string streamId) => _streams.GetValueOrDefault(KeyOf(tenant, streamId));

    /// <summary>Reads the pages of streams that are known to the database but not in memory, and the page that new ones go to.</summary>
    public async ValueTask EnsureAsync(NpgsqlConnection connection, IEnumerable<(string Tenant, string StreamId)> streams, CancellationToken ct)
    {
        var unknown = streams.Where(s => Find(s.Tenant, s.StreamId) is null).ToList();
        var missing = Count > 0 && unknown.Count > 0 ? await PagesOfAsync(connection, unknown, ct).ConfigureAwait(false) : [];
        if (Count % PageSize != 0) missing.Add(Count / PageSize);
        missing.ExceptWith(_pages.Keys);
        if (missing.Count > 0) await LoadPagesAsync(connection, missing, ct).ConfigureAwait(false);
    }

    private static async ValueTask<HashSet<long>> PagesOfAsync(NpgsqlConnection connection, List<(string Tenant, string StreamId)> streams, CancellationToken ct)
    {
        const string sql = """
            select distinct s.ordinal / 256 from sx_audit_stream s
            join unnest($1::varchar[], $2::varchar[]) as w(tenant_id, stream_id) on s.tenant_id = w.tenant_id and s.stream_id = w.stream_id
            """;
        var pages = new HashSet<long>();
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new() { Value = streams.Select(s => s.Tenant).ToArray() }, new() { Value = streams.Select(s => s.StreamId).ToArray() } },
        };
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) pages.Add(rows.GetInt64(0));
        return pages;
    }

    public DirectoryStream Add(string tenant, string streamId)
    {
        var stream = new DirectoryStream(Count++, tenant, streamId);
        _streams.Add(KeyOf(tenant, streamId), stream);
        if (!_pages.TryGetValue(stream.Ordinal / PageSize, out var page)) _pages.Add(stream.Ordinal / PageSize, page = new Page());
        page.Streams.Add(stream);
        return stream;
    }

    /// <summary>The stream changed; told once before the next <see cref="Root"/>.</summary>
    public void Touch(DirectoryStream stream)
    {
        var page = _pages[stream.Ordinal / PageSize];
        _touched.Add(stream);
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

    private void SetLeaves(DirectoryStream[] streams)
    {
        foreach (var stream in streams) stream.AddLeaf(_batch, _image);
        var leaves = _batch.Run();
        for (var i = 0; i < streams.Length; i++)
            _pages[streams[i].Ordinal / PageSize].Tree.Set((int)(streams[i].Ordinal % PageSize), leaves.Slice(i * AuditHash.Size, AuditHash.Size));
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
                while (await rows.ReadAsync(ct).ConfigureAwait(false)) page.Streams.Add(Read(rows));
            }
            page.Tree.SetAll(LeavesOf(page.Streams, _batch));
            if (number >= _top.Count || !page.Tree.Root(_batch).AsSpan().SequenceEqual(_top.Leaf((int)number)))
                throw new AuditTamperedException($"streams {number * PageSize} to {(number + 1) * PageSize - 1} of sx_audit_stream are not those that were signed");
            _pages.Add(number, page);
            foreach (var stream in page.Streams) _streams.Add(KeyOf(stream.Tenant, stream.StreamId), stream);
        }
    }

    /// <summary>The leaves of these streams, one behind the other.</summary>
    public static byte[] LeavesOf(IReadOnlyList<DirectoryStream> streams, HashBatch batch)
    {
        var (leaves, image, done) = (new byte[streams.Count * AuditHash.Size], new TupleImage(), 0);
        for (var i = 0; i < streams.Count; i++)
        {
            streams[i].AddLeaf(batch, image);
            if (!batch.IsFull && i < streams.Count - 1) continue;
            batch.Run().CopyTo(leaves.AsSpan(done * AuditHash.Size));
            done = i + 1;
        }
        return leaves;
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
    }
}
