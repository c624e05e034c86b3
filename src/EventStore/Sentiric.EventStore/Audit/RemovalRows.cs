using Npgsql;
using NpgsqlTypes;
using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>
/// What left the log by right: truncated streams (<c>sx_stream_truncation</c>) and archived ones that lie in files (<c>sx_stream_move</c>).
/// Their leaves stay in the lists of the blocks, so everything around them can still be verified, and events that come back from a file are compared again.
/// Both kinds of records are only ever added to, and are signed (<see cref="RemovalCheck"/>).
/// </summary>
internal static class RemovalRows
{
    private const string Sql = """
        select s.ordinal, r.tenant_id, r.stream_id, r.version, r.reason, r.actor, r.at, r.file, r.move
        from (select tenant_id, stream_id, before_version - 1 as version, reason, actor, truncated_at as at, null::varchar as file, 0::bigint as move from sx_stream_truncation
              union all
              select tenant_id, stream_id, version, 'archived to a file', null, moved_at, file, number
              from (select distinct on (tenant_id, stream_id) * from sx_stream_move order by tenant_id, stream_id, number desc) m where not restored) r
        join sx_audit_stream s on s.tenant_id = r.tenant_id and s.stream_id = r.stream_id order by r.at, s.ordinal, r.version
        """;

    private const string Truncations = """
        select t.tenant_id, t.stream_id, t.before_version, t.events, t.first_seq_id, t.last_seq_id, t.sha256, t.reason, t.actor, t.truncated_at from sx_stream_truncation t
        """;

    private const string Moves = """
        select m.tenant_id, m.stream_id, m.number, m.restored, m.file, m.sha256, m.events, m.version, m.first_seq_id, m.last_seq_id, m.moved_at from sx_stream_move m
        """;

    private delegate RemovalRecord RowReader(NpgsqlDataReader row, TupleImage image);

    public static async ValueTask<LegalRemovals> ListAsync(NpgsqlConnection connection, SignedRemovals signed, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var removals = new List<(long, LegalRemoval)>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            var key = new RemovalKey(rows.GetString(1), rows.GetString(2), rows.GetInt64(3) + 1, rows.GetInt64(8));
            var order = signed.Find(key) ?? TruncationOrder.None;
            removals.Add((rows.GetInt64(0), new LegalRemoval(
                key.Tenant, key.StreamId, rows.GetInt64(3), rows.GetString(4), rows.IsDBNull(5) ? null : rows.GetString(5),
                new DateTimeOffset(rows.GetDateTime(6), TimeSpan.Zero), rows.IsDBNull(7) ? null : rows.GetString(7), order.SignedAt, order.OrderedBy, order.Standing)));
        }
        return new LegalRemovals(removals);
    }

    /// <summary>Records that nobody has signed, at most <paramref name="limit"/>, in the order of their time.</summary>
    public static async ValueTask<List<RemovalRecord>> UnsignedAsync(NpgsqlConnection connection, int limit, CancellationToken ct)
    {
        const string truncations = Truncations + """
             where not exists (select from sx_audit_removal a
                               where a.tenant_id = t.tenant_id and a.stream_id = t.stream_id and a.before_version = t.before_version and a.move = 0)
            order by t.truncated_at, t.tenant_id, t.stream_id, t.before_version limit $1
            """;
        const string moves = Moves + """
             where not exists (select from sx_audit_removal a where a.tenant_id = m.tenant_id and a.stream_id = m.stream_id and a.move = m.number)
            order by m.moved_at, m.tenant_id, m.stream_id, m.number limit $1
            """;
        var records = await ReadAsync(connection, truncations, OfTruncation, [limit], ct).ConfigureAwait(false);
        if (records.Count < limit) records.AddRange(await ReadAsync(connection, moves, OfMove, [limit - records.Count], ct).ConfigureAwait(false));
        return [.. records.OrderBy(r => r.At)];
    }

    /// <summary>One record of a truncation, in a list.</summary>
    public static ValueTask<List<RemovalRecord>> TruncationAsync(NpgsqlConnection connection, string tenant, string streamId, long beforeVersion, CancellationToken ct) =>
        ReadAsync(connection, Truncations + " where t.tenant_id = $1 and t.stream_id = $2 and t.before_version = $3", OfTruncation, [tenant, streamId, beforeVersion], ct);

    /// <summary>The newest move of each stream.</summary>
    public static ValueTask<List<RemovalRecord>> NewestMovesAsync(NpgsqlConnection connection, IReadOnlyCollection<StreamAddress> streams, CancellationToken ct) => ReadAsync(connection, Moves + """
         join unnest($1, $2) as u(tenant, stream) on m.tenant_id = u.tenant and m.stream_id = u.stream
        where m.number = (select max(n.number) from sx_stream_move n where n.tenant_id = m.tenant_id and n.stream_id = m.stream_id)
        """, OfMove, [streams.Select(s => s.Tenant).ToArray(), streams.Select(s => s.StreamId).ToArray()], ct);

    /// <summary>Every record there is.</summary>
    public static async ValueTask<List<RemovalRecord>> AllAsync(NpgsqlConnection connection, CancellationToken ct) =>
    [
        .. await ReadAsync(connection, Truncations, OfTruncation, [], ct).ConfigureAwait(false),
        .. await ReadAsync(connection, Moves, OfMove, [], ct).ConfigureAwait(false),
    ];

    /// <summary>The newest signed statement; null when there is none.</summary>
    public static async ValueTask<SignedCheckpoint?> LastAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select statement, signature from sx_audit_removal order by number desc limit 1", connection);
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? new SignedCheckpoint(row.GetString(0), row.GetFieldValue<byte[]>(1)) : null;
    }

    public static async ValueTask InsertAsync(NpgsqlConnection connection, IReadOnlyList<(RemovalRecord Record, RemovalStatement Statement, byte[] Signature)> signed, CancellationToken ct)
    {
        const string sql = "insert into sx_audit_removal (number, tenant_id, stream_id, before_version, move, statement, signature) select * from unnest($1, $2, $3, $4, $5, $6, $7)";
        await using var command = new NpgsqlCommand(sql, connection);
        Add(command, NpgsqlDbType.Bigint, signed.Select(s => s.Statement.Number).ToArray());
        Add(command, NpgsqlDbType.Varchar, signed.Select(s => s.Record.Key.Tenant).ToArray());
        Add(command, NpgsqlDbType.Varchar, signed.Select(s => s.Record.Key.StreamId).ToArray());
        Add(command, NpgsqlDbType.Bigint, signed.Select(s => s.Record.Key.BeforeVersion).ToArray());
        Add(command, NpgsqlDbType.Bigint, signed.Select(s => s.Record.Key.Move).ToArray());
        Add(command, NpgsqlDbType.Text, signed.Select(s => s.Statement.Text).ToArray());
        Add(command, NpgsqlDbType.Bytea, signed.Select(s => s.Signature).ToArray());
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private static void Add(NpgsqlCommand command, NpgsqlDbType element, Array values) =>
        command.Parameters.Add(new() { Value = values, NpgsqlDbType = NpgsqlDbType.Array | element });

    private static async ValueTask<List<RemovalRecord>> ReadAsync(NpgsqlConnection connection, string sql, RowReader read, object[] values, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var (records, image) = (new List<RemovalRecord>(), new TupleImage());
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) records.Add(read(rows, image.Clear()));
        return records;
    }

    private static RemovalRecord OfTruncation(NpgsqlDataReader row, TupleImage image)
    {
        image.Text(row.GetString(0)).Text(row.GetString(1)).Int64(row.GetInt64(2)).Int64(row.GetInt64(3)).Int64(row.GetInt64(4)).Int64(row.GetInt64(5))
            .Bytes(row.GetFieldValue<byte[]>(6)).Text(row.GetString(7)).Text(row.IsDBNull(8) ? null : row.GetString(8)).Int64(StreamRows.Microseconds(row, 9));
        var leaf = new byte[AuditHash.Size];
        AuditHash.RemovalLeaf(image.Written, leaf);
        return new RemovalRecord(new RemovalKey(row.GetString(0), row.GetString(1), row.GetInt64(2)), AuditHash.Hex(leaf), row.GetDateTime(9));
    }

    private static RemovalRecord OfMove(NpgsqlDataReader row, TupleImage image)
    {
        image.Text(row.GetString(0)).Text(row.GetString(1)).Int64(row.GetInt64(2)).Int64(row.GetBoolean(3) ? 1L : 0L).Text(row.GetString(4))
            .Bytes(row.GetFieldValue<byte[]>(5)).Int64(row.GetInt64(6)).Int64(row.GetInt64(7)).Int64(row.GetInt64(8)).Int64(row.GetInt64(9)).Int64(StreamRows.Microseconds(row, 10));
        var leaf = new byte[AuditHash.Size];
        AuditHash.MoveLeaf(image.Written, leaf);
        return new RemovalRecord(new RemovalKey(row.GetString(0), row.GetString(1), row.GetInt64(7) + 1, row.GetInt64(2)), AuditHash.Hex(leaf), row.GetDateTime(10));
    }
}

/// <summary>Which truncation; or, where <paramref name="Move"/> is not 0, which move of the stream into a file or back.</summary>
internal readonly record struct RemovalKey(string Tenant, string StreamId, long BeforeVersion, long Move = 0)
{
    public string Table => Move == 0 ? "sx_stream_truncation" : "sx_stream_move";
}

/// <summary>A record of a truncation or a move as it stands in its table.</summary>
internal sealed record RemovalRecord(RemovalKey Key, string Leaf, DateTime At);

/// <summary>Which records are signed, when each was, and by whose key it was ordered.</summary>
internal sealed class SignedRemovals
{
    private readonly Dictionary<RemovalKey, TruncationOrder> _known = [];

    public TruncationOrder? Find(RemovalKey key) => _known.GetValueOrDefault(key);

    public void Add(RemovalKey key, TruncationOrder order) => _known[key] = order;
}

/// <summary>Which signed events may be missing: of some streams everything up to a version.</summary>
internal sealed class LegalRemovals
{
    private readonly Dictionary<long, long> _upTo = [];

    public LegalRemovals(IReadOnlyList<(long Ordinal, LegalRemoval Removal)> removals)
    {
        Records = [.. removals.Select(r => r.Removal).Take(AuditReport.MaxFindings)];
        foreach (var (ordinal, removal) in removals) _upTo[ordinal] = Math.Max(_upTo.GetValueOrDefault(ordinal), removal.UpToVersion);
    }

    public IReadOnlyList<LegalRemoval> Records { get; }

    public bool Covers(long ordinal, long version) => _upTo.TryGetValue(ordinal, out var upTo) && version <= upTo;
}
