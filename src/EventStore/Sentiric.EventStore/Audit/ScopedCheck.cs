using Npgsql;
using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>
/// Verifies one stream, or those of one tenant, without reading the others: the events must lead to the head that the signed directory holds. Only when they do
/// not, the lists of all blocks are read to name what differs.
/// </summary>
internal sealed class ScopedCheck(AuditTables tables, DirectoryReader directory, Findings findings)
{
    private const string Events = "mt_events";

    public long Done { get; private set; }

    public long Removed { get; private set; }

    public long Pending { get; private set; }

    public async ValueTask<long> RunAsync(
        VerifySnapshot snapshot, string tenant, string? streamId, LegalRemovals removals, IProgress<VerifyProgress>? progress, CancellationToken ct)
    {
        await using var view = await snapshot.OpenAsync(ct).ConfigureAwait(false);
        await using var reading = await snapshot.OpenAsync(ct).ConfigureAwait(false);
        var ordinals = await OrdinalsAsync(view.Connection, tenant, streamId, ct).ConfigureAwait(false);
        // A stream whose row is gone, or bears another name, is not among them: only the whole directory shows that nothing is missing.
        if (streamId is null || ordinals.Count == 0) await DirectoryAsync(view.Connection, ordinals, ct).ConfigureAwait(false);
        foreach (var ordinal in ordinals)
        {
            if (await directory.FindAsync(view.Connection, ordinal, ct).ConfigureAwait(false) is not { } stream)
            {
                findings.Add(new AuditFinding(AuditFindingKind.TrailChanged, "sx_audit_stream", $"the rows around stream number {ordinal} are not those that were signed")
                { Tenant = tenant, StreamId = streamId });
                continue;
            }
            await StreamAsync(view.Connection, reading.Connection, stream, removals, ct).ConfigureAwait(false);
            progress?.Report(new VerifyProgress("streams", Done, 0));
        }
        await UnknownAsync(view.Connection, tenant, streamId, ct).ConfigureAwait(false);
        return ordinals.Count;
    }

    private async ValueTask<List<long>> OrdinalsAsync(NpgsqlConnection connection, string tenant, string? streamId, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "select ordinal from sx_audit_stream where tenant_id = $1 and ($2::varchar is null or stream_id = $2) order by ordinal", connection)
        {
            Parameters = { new() { Value = tenant }, new() { Value = (object?)streamId ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Varchar } },
        };
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var ordinals = new List<long>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) ordinals.Add(rows.GetInt64(0));
        return ordinals;
    }

    private async ValueTask DirectoryAsync(NpgsqlConnection connection, List<long> ordinals, CancellationToken ct)
    {
        if (!directory.IsGenuine)
        {
            findings.Add(new AuditFinding(AuditFindingKind.TrailChanged, "sx_audit_page", "the pages do not have the signed root"));
            return;
        }
        var told = ordinals.Select(o => o / StreamDirectory.PageSize).ToHashSet();
        foreach (var page in await directory.ChangedPagesAsync(connection, ct).ConfigureAwait(false))
        {
            if (told.Contains(page)) continue;
            findings.Add(new AuditFinding(AuditFindingKind.TrailChanged, "sx_audit_stream", FormattableString.Invariant(
                $"the rows of streams {page * StreamDirectory.PageSize}-{(page + 1) * StreamDirectory.PageSize - 1} are not those that were signed: one of them may have been of this scope; verify the whole store")));
        }
    }

    private async ValueTask StreamAsync(NpgsqlConnection view, NpgsqlConnection reading, DirectoryStream stream, LegalRemovals removals, CancellationToken ct)
    {
        var head = AuditHash.Genesis(stream.Ordinal, stream.Tenant, stream.StreamId);
        var leaf = new byte[AuditHash.Size];
        var (done, pending, tailVersion) = (0L, 0L, 0L);
        await using (var tuples = await EventTuples.OpenAsync(reading, tables, tables.RowsOf(stream.Tenant, stream.StreamId), ct).ConfigureAwait(false))
        {
            while (await tuples.ReadAsync(ct).ConfigureAwait(false))
            {
                if (tuples.Position > directory.Last.To)
                {
                    (pending, tailVersion) = (pending + 1, tuples.Version);
                    continue;
                }
                AuditHash.EventLeaf(tuples.Fields, leaf);
                AuditHash.Link(head, leaf, head);
                done++;
            }
        }
        (Done, Pending) = (Done + done, Pending + pending);
        if (!head.AsSpan().SequenceEqual(stream.Head)) await NameAsync(view, reading, stream, removals, ct).ConfigureAwait(false);
        await RowAsync(view, stream, tailVersion, ct).ConfigureAwait(false);
    }

    /// <summary>The slow way: the stream's own entries out of all blocks, against its rows.</summary>
    private async ValueTask NameAsync(NpgsqlConnection view, NpgsqlConnection reading, DirectoryStream stream, LegalRemovals removals, CancellationToken ct)
    {
        var entries = await EntriesAsync(view, stream, ct).ConfigureAwait(false);
        if (entries is null) return;
        var (found, removed) = (findings.Count, Removed);
        var seen = new HashSet<long>();
        await using (var tuples = await EventTuples.OpenAsync(reading, tables, tables.RowsOf(stream.Tenant, stream.StreamId), ct).ConfigureAwait(false))
        {
            while (await tuples.ReadAsync(ct).ConfigureAwait(false))
            {
                if (tuples.Position > directory.Last.To) continue;
                if (!entries.TryGetValue(tuples.Position, out var entry)) findings.Add(Of(stream, AuditFindingKind.EventInserted, "the event stands where nothing was signed", tuples.Position, tuples.Version));
                else Compare(entry, tuples, stream);
                seen.Add(tuples.Position);
            }
        }
        foreach (var (position, entry) in entries)
        {
            if (seen.Contains(position)) continue;
            if (removals.Covers(stream.Ordinal, AuditEntries.Version(entry))) Removed++;
            else findings.Add(Of(stream, AuditFindingKind.EventRemoved, "the event was signed and is gone", position, AuditEntries.Version(entry)));
        }
        if (Removed == removed && findings.Count == found)
            findings.Add(new AuditFinding(AuditFindingKind.TrailChanged, "sx_audit_block", "the events are those in the lists of the blocks, but do not lead to the signed head") { Tenant = stream.Tenant, StreamId = stream.StreamId });
    }

    private void Compare(byte[] entry, EventTuples tuples, DirectoryStream stream)
    {
        Span<byte> leaf = stackalloc byte[AuditHash.Size];
        AuditHash.EventLeaf(tuples.Fields, leaf);
        if (leaf.SequenceEqual(AuditEntries.Leaf(entry))) return;
        findings.Add(Of(stream, AuditFindingKind.EventChanged, "columns are not what was signed", tuples.Position, AuditEntries.Version(entry)) with { Columns = AuditEntries.Differences(entry, tuples.Fields) });
    }

    /// <summary>Entries of one stream by position; null, and a finding, when they do not lead to the signed head themselves.</summary>
    private async ValueTask<SortedDictionary<long, byte[]>?> EntriesAsync(NpgsqlConnection connection, DirectoryStream stream, CancellationToken ct)
    {
        var found = await BlockRows.EntriesOfAsync(connection, tables, stream.Ordinal, ct).ConfigureAwait(false);
        var head = AuditHash.Genesis(stream.Ordinal, stream.Tenant, stream.StreamId);
        foreach (var entry in found.Values) AuditHash.Link(head, AuditEntries.Leaf(entry), head);
        if (head.AsSpan().SequenceEqual(stream.Head)) return found;
        findings.Add(new AuditFinding(AuditFindingKind.TrailChanged, "sx_audit_block", "events and lists of blocks both differ from the signed head; verify the whole store")
        { Tenant = stream.Tenant, StreamId = stream.StreamId, Columns = ["entries"] });
        return null;
    }

    private async ValueTask RowAsync(NpgsqlConnection connection, DirectoryStream stream, long tailVersion, CancellationToken ct)
    {
        var sql = $"""
            select type, created, timestamp, version::bigint, is_archived,
                   exists (select from mt_events e where e.tenant_id = m.tenant_id and e.stream_id = m.id and e.is_archived is distinct from m.is_archived)
            from mt_streams m where tenant_id = $1 and id = $2::{tables.StreamIdType}
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = stream.Tenant }, new() { Value = stream.StreamId } } };
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        if (!await row.ReadAsync(ct).ConfigureAwait(false))
        {
            findings.Add(new AuditFinding(AuditFindingKind.StreamRemoved, "mt_streams", "the stream has signed events and no row") { Tenant = stream.Tenant, StreamId = stream.StreamId });
            return;
        }
        var columns = new List<string>();
        if (stream.Type != (row.IsDBNull(0) ? null : row.GetString(0))) columns.Add("type");
        if (stream.Created != StreamRows.Microseconds(row, 1)) columns.Add("created");
        if (tailVersion == 0 && stream.Appended != StreamRows.Microseconds(row, 2)) columns.Add("timestamp");
        if ((row.IsDBNull(3) ? (long?)null : row.GetInt64(3)) != Math.Max(stream.Version, tailVersion)) columns.Add("version");
        if (row.IsDBNull(4) || row.GetBoolean(5)) columns.Add("is_archived");
        if (columns.Count > 0)
            findings.Add(Of(stream, AuditFindingKind.StreamChanged, "the row is not as it was when its last event was signed", null, stream.Version) with { Table = "mt_streams", Columns = columns });
    }

    /// <summary>Signed positions whose stream the directory does not know, and rows of streams without events.</summary>
    private async ValueTask UnknownAsync(NpgsqlConnection connection, string tenant, string? streamId, CancellationToken ct)
    {
        const string sql = """
            select e.seq_id, e.stream_id::text, e.version::bigint from mt_events e
            where e.tenant_id = $1 and ($2::varchar is null or e.stream_id::text = $2) and e.seq_id <= $3
              and not exists (select from sx_audit_stream s where s.tenant_id = e.tenant_id and s.stream_id = e.stream_id::text)
            order by e.seq_id limit 1000
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new() { Value = tenant }, new() { Value = (object?)streamId ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Varchar },
                new() { Value = directory.Last.To },
            },
        };
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            findings.Add(new AuditFinding(AuditFindingKind.EventInserted, Events, "the event stands where nothing was signed")
            { Position = rows.GetInt64(0), Tenant = tenant, StreamId = rows.GetString(1), Version = rows.GetInt64(2) });
        }
    }

    private static AuditFinding Of(DirectoryStream stream, AuditFindingKind kind, string what, long? position, long version) =>
        new(kind, Events, what) { Tenant = stream.Tenant, StreamId = stream.StreamId, Position = position, Version = version };
}

/// <summary>Reads single streams out of the directory of the newest checkpoint, each with the path that proves it.</summary>
internal sealed class DirectoryReader
{
    private readonly AuditTables _tables;
    private readonly byte[] _pageRoots;
    private (long Number, List<DirectoryStream> Streams, byte[] Leaves)? _page;

    private DirectoryReader(AuditTables tables, Checkpoint last, SignedCheckpoint signed, byte[] pageRoots) =>
        (_tables, Last, Signed, _pageRoots) = (tables, last, signed, pageRoots);

    public Checkpoint Last { get; }

    public SignedCheckpoint Signed { get; }

    /// <summary>Whether the stored pages have the signed root. Where they have not, no stream is genuine.</summary>
    public bool IsGenuine => AuditHash.Hex(MerkleTree.Root(_pageRoots)) == Last.Directory;

    /// <summary>Null when nothing has been signed yet, or when the newest statement is none.</summary>
    public static async ValueTask<DirectoryReader?> OpenAsync(NpgsqlConnection connection, AuditTables tables, CancellationToken ct)
    {
        var signed = await BlockRows.LastAsync(connection, tables, ct).ConfigureAwait(false);
        if (signed?.Read() is not { } last) return null;
        await using var command = new NpgsqlCommand("select root from sx_audit_page order by page", connection);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var roots = new List<byte>();
        var areHashes = true;
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            var root = rows.GetFieldValue<byte[]>(0);
            areHashes &= root.Length == AuditHash.Size;
            roots.AddRange(root);
        }
        // Nothing that is not as long as a hash can be part of a signed root.
        return new DirectoryReader(tables, last, signed, areHashes ? [.. roots] : []);
    }

    /// <summary>Null when the rows of its page do not have the page's root.</summary>
    public async ValueTask<DirectoryStream?> FindAsync(NpgsqlConnection connection, long ordinal, CancellationToken ct)
    {
        var number = ordinal / StreamDirectory.PageSize;
        if (_page?.Number != number) _page = await PageAsync(connection, number, ct).ConfigureAwait(false);
        if (!IsGenuine || _page is not { } page || !HasRoot(number, MerkleTree.Root(page.Leaves))) return null;
        return page.Streams.FirstOrDefault(s => s.Ordinal == ordinal);
    }

    /// <summary>Pages whose rows do not have the page's root, rows that are missing at the end among them.</summary>
    public async ValueTask<IReadOnlyList<long>> ChangedPagesAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var (changed, page, batch, number) = (new List<long>(), new List<DirectoryStream>(StreamDirectory.PageSize), new HashBatch(), 0L);
        await using var command = new NpgsqlCommand(StreamDirectory.SelectAll, connection);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            var stream = StreamDirectory.Read(rows);
            for (; stream.Ordinal / StreamDirectory.PageSize > number; number++) Close();
            page.Add(stream);
        }
        for (; number * StreamDirectory.PageSize < Last.Streams; number++) Close();
        return changed;

        void Close()
        {
            if (!HasRoot(number, MerkleTree.Root(StreamDirectory.LeavesOf(page, batch), batch))) changed.Add(number);
            page.Clear();
        }
    }

    /// <summary>The path of a stream that <see cref="FindAsync"/> has just found.</summary>
    public IReadOnlyList<byte[]> PathOf(long ordinal)
    {
        if (_page is not { } page || page.Number != ordinal / StreamDirectory.PageSize) throw new InvalidOperationException("Find the stream first.");
        return [.. MerkleTree.Path(page.Leaves, ordinal % StreamDirectory.PageSize), .. MerkleTree.Path(_pageRoots, page.Number)];
    }

    private bool HasRoot(long page, byte[] root) =>
        (page + 1) * AuditHash.Size <= _pageRoots.Length && root.AsSpan().SequenceEqual(_pageRoots.AsSpan((int)page * AuditHash.Size, AuditHash.Size));

    private async ValueTask<(long, List<DirectoryStream>, byte[])> PageAsync(NpgsqlConnection connection, long number, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(StreamDirectory.SelectPage, connection)
        {
            Parameters = { new() { Value = number * StreamDirectory.PageSize }, new() { Value = (number + 1) * StreamDirectory.PageSize } },
        };
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var streams = new List<DirectoryStream>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) streams.Add(StreamDirectory.Read(rows));
        return (number, streams, StreamDirectory.LeavesOf(streams, new HashBatch()));
    }
}
