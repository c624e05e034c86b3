using Npgsql;
using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>
/// Third part of a verification: every stream of the directory against the chains, the signed root and the stream's own row; and rows that the
/// directory does not know. Where two rows disagree, the signed root tells which of them was changed.
/// </summary>
internal sealed class StreamCheck(AuditTables tables, BlockCheck blocks, ArchivedMarks marks, Findings findings)
{
    private const string Trail = "sx_audit_stream";
    private const string Rows = "mt_streams";
    private const int MaxListed = 50;
    private readonly HashBatch _batch = new();
    private readonly List<byte[]> _pageRoots = [];
    private readonly List<DirectoryStream> _page = [];
    private long _rows;
    private readonly List<(AuditFinding IfTrail, AuditFinding IfRow, int Page)> _undecided = [];
    private readonly List<AuditFinding> _trail = [];
    private int _ahead;

    /// <summary>Names of streams that findings need.</summary>
    public Dictionary<long, (string Tenant, string StreamId)> Names { get; } = [];

    public async ValueTask RunAsync(VerifySnapshot snapshot, IReadOnlySet<long> wanted, IProgress<VerifyProgress>? progress, CancellationToken ct)
    {
        await using var view = await snapshot.OpenAsync(ct).ConfigureAwait(false);
        var tail = await TailAsync(view.Connection, ct).ConfigureAwait(false);
        var stored = await PagesAsync(view.Connection, ct).ConfigureAwait(false);
        await DirectoryAsync(view.Connection, tail, wanted, progress, ct).ConfigureAwait(false);
        Judge(stored);
        await UnknownRowsAsync(view.Connection, tail, ct).ConfigureAwait(false);
    }

    /// <summary>Versions that events behind the newest checkpoint brought.</summary>
    private async ValueTask<Dictionary<(string, string), (long Version, long Count)>> TailAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "select tenant_id, stream_id::text, max(version)::bigint, count(*) from mt_events where seq_id > $1 group by 1, 2", connection)
        {
            Parameters = { new() { Value = blocks.Last?.To ?? 0 } },
        };
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var tail = new Dictionary<(string, string), (long, long)>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) tail[(rows.GetString(0), rows.GetString(1))] = (rows.GetInt64(2), rows.GetInt64(3));
        return tail;
    }

    private async ValueTask<SortedDictionary<long, byte[]>> PagesAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select page, root from sx_audit_page order by page", connection);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var pages = new SortedDictionary<long, byte[]>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) pages[rows.GetInt64(0)] = rows.GetFieldValue<byte[]>(1);
        return pages;
    }

    private async ValueTask DirectoryAsync(
        NpgsqlConnection connection, Dictionary<(string, string), (long Version, long Count)> tail, IReadOnlySet<long> wanted,
        IProgress<VerifyProgress>? progress, CancellationToken ct)
    {
        var sql = $"""
            select s.ordinal, s.tenant_id, s.stream_id, s.version, s.head, s.type, s.created, s.appended,
                   m.id is not null, m.type, m.created, m.timestamp, m.version::bigint, m.is_archived
            from sx_audit_stream s left join mt_streams m on m.tenant_id = s.tenant_id and m.id = s.stream_id::{tables.StreamIdType} order by s.ordinal
            """;
        await using var command = new NpgsqlCommand(sql, connection);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var expected = 0L;
        for (; await rows.ReadAsync(ct).ConfigureAwait(false); expected++)
        {
            var stream = StreamDirectory.Read(rows);
            for (; expected < stream.Ordinal; expected++) _trail.Add(new AuditFinding(AuditFindingKind.TrailRemoved, Trail, $"the row of stream number {expected} is missing"));
            if (wanted.Contains(stream.Ordinal)) Names[stream.Ordinal] = (stream.Tenant, stream.StreamId);
            AddLeaf(stream);
            CheckChain(stream);
            CheckRow(stream, rows, tail.GetValueOrDefault((stream.Tenant, stream.StreamId)).Version);
            if (expected % 10_000 == 0) progress?.Report(new VerifyProgress("streams", expected, blocks.Streams));
        }
        ClosePage();
        for (; blocks.KnowsChains && expected < blocks.Streams; expected++)
            _trail.Add(new AuditFinding(AuditFindingKind.TrailRemoved, Trail, $"the row of stream number {expected} is missing"));
    }

    private void AddLeaf(DirectoryStream stream)
    {
        _rows++;
        _page.Add(stream);
        if (_page.Count == StreamDirectory.PageSize) ClosePage();
    }

    private void ClosePage()
    {
        if (_page.Count == 0) return;
        _pageRoots.Add(MerkleTree.Root(StreamDirectory.LeavesOf(_page, _batch), _batch));
        _page.Clear();
    }

    private void CheckChain(DirectoryStream stream)
    {
        if (!blocks.KnowsChains) return;
        if (stream.Ordinal >= blocks.Streams)
        {
            _ahead++;
            _trail.Add(Of(stream, AuditFindingKind.TrailInserted, Trail, "no signed event belongs to this stream"));
            return;
        }
        var columns = new List<string>();
        if (stream.Version != blocks.Version((int)stream.Ordinal)) columns.Add("version");
        if (stream.Version > blocks.Version((int)stream.Ordinal)) _ahead++;
        if (!blocks.Head((int)stream.Ordinal).SequenceEqual(stream.Head)) columns.Add("head");
        if (columns.Count == 0) return;
        // The head also holds the names and the place of the stream.
        if (columns is ["head"]) columns = ["head", "tenant_id", "stream_id", "ordinal"];
        _trail.Add(Of(stream, AuditFindingKind.TrailChanged, Trail, "head and version are not those of the signed events") with { Columns = columns });
    }

    private void CheckRow(DirectoryStream stream, NpgsqlDataReader row, long tailVersion)
    {
        if (!row.GetBoolean(8))
        {
            findings.Add(Of(stream, AuditFindingKind.StreamRemoved, Rows, "the stream has signed events and no row"));
            return;
        }
        var version = row.IsDBNull(12) ? (long?)null : row.GetInt64(12);
        var expected = Math.Max(stream.Version, tailVersion);
        if (version != expected && stream.StreamId != "mt_tombstone")
            findings.Add(Of(stream, AuditFindingKind.StreamChanged, Rows, FormattableString.Invariant($"the row says version {version}, the events end at {expected}")) with { Columns = ["version"] });
        var columns = new List<string>();
        if (stream.Type != (row.IsDBNull(9) ? null : row.GetString(9))) columns.Add("type");
        if (stream.Created != StreamRows.Microseconds(row, 10)) columns.Add("created");
        if (tailVersion == 0 && stream.Appended != StreamRows.Microseconds(row, 11)) columns.Add("timestamp");
        if (columns.Count > 0)
        {
            _undecided.Add((
                Of(stream, AuditFindingKind.TrailChanged, Trail, "what was taken from the stream's row is not what was signed") with { Columns = [.. columns.Select(c => c == "timestamp" ? "appended" : c)] },
                Of(stream, AuditFindingKind.StreamChanged, Rows, "the row is not as it was when its last event was signed") with { Columns = columns },
                (int)(stream.Ordinal / StreamDirectory.PageSize)));
        }
        CheckArchived(stream, row.IsDBNull(13) ? null : row.GetBoolean(13));
    }

    private void CheckArchived(DirectoryStream stream, bool? isArchived)
    {
        var fits = isArchived switch { true => !marks.HasLive(stream.Ordinal), false => !marks.HasArchived(stream.Ordinal), null => false };
        if (!fits)
            findings.Add(Of(stream, AuditFindingKind.StreamChanged, Rows, "the row and the events disagree whether the stream is archived") with { Columns = ["is_archived"] });
    }

    /// <summary>The signed root decides who is right: the directory as it stands, or what it is compared with.</summary>
    private void Judge(SortedDictionary<long, byte[]> stored)
    {
        var signed = blocks.Last?.Directory;
        var isGenuine = blocks.Last is null ? _rows == 0 : AuditHash.Hex(RootOf(_pageRoots)) == signed && _rows == blocks.Last.Streams;
        var pagesAreGenuine = stored.Keys.SequenceEqual(Enumerable.Range(0, stored.Count).Select(i => (long)i))
            && (blocks.Last is null ? stored.Count == 0 : AuditHash.Hex(RootOf(stored.Values)) == signed);
        foreach (var found in _trail) findings.Add(found);
        if (_ahead > 0)
            findings.Add(new AuditFinding(AuditFindingKind.TrailRemoved, "sx_audit_block", $"{_ahead} streams stand further than the blocks: the newest blocks are missing") { Block = (blocks.Last?.Number ?? 0) + 1 });
        foreach (var (ifTrail, ifRow, page) in _undecided)
        {
            var pageIsGenuine = isGenuine || (pagesAreGenuine && stored.TryGetValue(page, out var root) && page < _pageRoots.Count && root.AsSpan().SequenceEqual(_pageRoots[page]));
            findings.Add(pageIsGenuine ? ifRow : ifTrail);
        }
        if (!isGenuine && _trail.Count == 0 && _undecided.Count == 0)
            findings.Add(new AuditFinding(AuditFindingKind.TrailChanged, Trail, $"the rows do not have the signed root; {WherePages(stored)}"));
        if (!pagesAreGenuine) JudgePages(stored, isGenuine);
    }

    // Pages are complete subtrees but for the last, so the root over their roots is the one over all streams. A stored root may have any length.
    private byte[] RootOf(IEnumerable<byte[]> pageRoots)
    {
        var roots = pageRoots.ToList();
        return roots.TrueForAll(r => r.Length == AuditHash.Size) ? MerkleTree.Root([.. roots.SelectMany(r => r)], _batch) : [];
    }

    private void JudgePages(SortedDictionary<long, byte[]> stored, bool rowsAreGenuine)
    {
        if (!rowsAreGenuine)
        {
            findings.Add(new AuditFinding(AuditFindingKind.TrailChanged, "sx_audit_page", "the pages do not have the signed root"));
            return;
        }
        foreach (var (page, root) in stored)
        {
            if (page < 0 || page >= _pageRoots.Count) findings.Add(new AuditFinding(AuditFindingKind.TrailInserted, "sx_audit_page", $"page {page} belongs to no streams"));
            else if (!root.AsSpan().SequenceEqual(_pageRoots[(int)page]))
                findings.Add(new AuditFinding(AuditFindingKind.TrailChanged, "sx_audit_page", $"page {page} is not the root of its streams") { Columns = ["root"] });
        }
        for (var page = 0; page < _pageRoots.Count; page++)
        {
            if (!stored.ContainsKey(page)) findings.Add(new AuditFinding(AuditFindingKind.TrailRemoved, "sx_audit_page", $"page {page} is missing"));
        }
    }

    private string WherePages(SortedDictionary<long, byte[]> stored)
    {
        var pages = Enumerable.Range(0, _pageRoots.Count).Where(p => !stored.TryGetValue(p, out var root) || !root.AsSpan().SequenceEqual(_pageRoots[p])).Take(MaxListed).ToList();
        return pages.Count == 0 ? "no page says where" : $"look at streams {string.Join(", ", pages.Select(p => $"{p * StreamDirectory.PageSize}-{(p + 1) * StreamDirectory.PageSize - 1}"))}";
    }

    /// <summary>A stream that went into a file before anything was signed has a row and no events; that it did is signed, and compared elsewhere.</summary>
    private async ValueTask UnknownRowsAsync(NpgsqlConnection connection, Dictionary<(string, string), (long Version, long Count)> tail, CancellationToken ct)
    {
        const string sql = """
            select m.tenant_id, m.id::text, m.version::bigint from mt_streams m
            where not exists (select from sx_audit_stream s where s.tenant_id = m.tenant_id and s.stream_id = m.id::text)
              and not exists (select from sx_archived_stream a where a.tenant_id = m.tenant_id and a.stream_id = m.id::text)
            """;
        await using var command = new NpgsqlCommand(sql, connection);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            var (tenant, streamId, version) = (rows.GetString(0), rows.GetString(1), rows.IsDBNull(2) ? 0 : rows.GetInt64(2));
            if (streamId == "mt_tombstone" || (tail.TryGetValue((tenant, streamId), out var pending) && pending.Version == version)) continue;
            findings.Add(new AuditFinding(AuditFindingKind.StreamInserted, Rows, "a row of a stream that has no such events") { Tenant = tenant, StreamId = streamId, Version = version });
        }
    }

    private static AuditFinding Of(DirectoryStream stream, AuditFindingKind kind, string table, string what) =>
        new(kind, table, what) { Tenant = stream.Tenant, StreamId = stream.StreamId, Version = stream.Version };
}
