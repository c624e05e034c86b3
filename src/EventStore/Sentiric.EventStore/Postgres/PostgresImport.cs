using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>
/// One transaction of an import: rows of the streams, then numbers, then the events by binary COPY.
/// <code>
///   rows of the streams, made and locked in one order     the transaction has its id, nobody else appends to them
///   compare what is stored already, drop it from the batch
///   raise the versions, LOCK mt_events, draw the numbers   one round trip; the lock of the writer stands before the first number
///   COPY                                                   the events in the order in which they came
/// </code>
/// The order is the one that <see cref="HighWaterMark"/> builds its proof on. COPY takes the same lock by itself, but only after the numbers are drawn.
/// </summary>
internal sealed class PostgresImport(NpgsqlConnection connection, EventTables tables)
{
    private string MakeRows => $"""
        insert into mt_streams (tenant_id, id, type, version, timestamp, created, is_archived)
        select u.tenant, u.id, u.type, 0, u.at, u.at, false from unnest($1, $2, $3, $4) with ordinality as u(tenant, id, type, at, ord){(tables.MayStart("u.tenant", "u.id") is { Length: > 0 } may ? " where true" + may : "")} order by u.ord
        on conflict do nothing
        """;

    private const string LockRows = """
        select u.ord, coalesce(m.version, 0), coalesce(m.is_archived, false)
        from unnest($1, $2) with ordinality as u(tenant, id, ord) join mt_streams m on m.tenant_id = u.tenant and m.id = u.id
        order by u.ord for update of m
        """;

    private const string StoredIds = """
        select u.ord, e.version, e.id
        from unnest($1, $2, $3, $4) with ordinality as u(tenant, id, first, last, ord)
        join mt_events e on e.tenant_id = u.tenant and e.stream_id = u.id and e.version between u.first and u.last
        """;

    private string RaiseVersions => $"""
        update mt_streams m set version = u.version, timestamp = greatest(m.timestamp, u.at)
        from unnest($1, $2, $3, $4) as u(tenant, id, version, at) where m.tenant_id = u.tenant and m.id = u.id{(tables.IsPartitioned ? " and not m.is_archived" : "")}
        """;

    private string Copy => $"copy mt_events ({tables.InsertColumns}) from stdin (format binary)";

    private const NpgsqlDbType Texts = NpgsqlDbType.Array | NpgsqlDbType.Varchar;
    private const NpgsqlDbType Numbers = NpgsqlDbType.Array | NpgsqlDbType.Bigint;
    private const NpgsqlDbType Moments = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz;

    /// <summary>The caller owns the transaction. Answers what was stored and the numbers of these events, in the order of the batch.</summary>
    /// <param name="sealing">Null where nothing is personal.</param>
    public async ValueTask<(List<ImportedEvent> Stored, long[] Positions)> StoreAsync(IReadOnlyList<ImportedEvent> batch, ImportSealing? sealing, CancellationToken ct)
    {
        var streams = ImportBatches.Streams(batch);
        foreach (var stream in streams) tables.Address(stream.Address.Tenant, stream.Address.StreamId);
        var stored = await LockAsync(streams, ct).ConfigureAwait(false);
        await EnsureSameAsync(streams, stored, ct).ConfigureAwait(false);
        var fresh = batch.Where(e => e.Version > stored[new StreamAddress(e.Tenant, e.StreamId)]).ToList();
        if (fresh.Count == 0) return (fresh, []);
        if (sealing is not null) fresh = await sealing.SealAsync(fresh, ct).ConfigureAwait(false);
        var positions = await DrawAsync(streams.Where(s => s.Last > stored[s.Address]).ToList(), fresh.Count, ct).ConfigureAwait(false);
        await CopyAsync(fresh, positions, ct).ConfigureAwait(false);
        return (fresh, positions);
    }

    public static List<RecordedEvent> Recorded(List<ImportedEvent> stored, long[] positions) => [.. stored.Select((e, i) => new RecordedEvent(
        positions[i], e.Tenant, e.StreamId, e.Version, e.EventId, e.EventType, StoredName.Parse(e.EventType).Version, e.RecordedAt.ToUniversalTime(), e.Json, e.Metadata))];

    /// <summary>The version at which each stream stands; nobody else moves it until the transaction ends.</summary>
    private async ValueTask<Dictionary<StreamAddress, long>> LockAsync(List<ImportedStream> streams, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                Command(MakeRows, Tenants(streams), Ids(streams), (Texts, streams.Select(s => s.AggregateType).ToArray()), (Moments, Array.ConvertAll([.. streams], s => At(s.Events[0])))),
                Command(LockRows, Tenants(streams), Ids(streams)),
            },
        };
        if (tables.IsStrict)
            batch.BatchCommands.Add(Command(tables.RememberIdentity("u.tenant", "u.id", "unnest($1, $2) as u(tenant, id)"), Tenants(streams), Ids(streams)));
        await using var rows = await batch.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var versions = new Dictionary<StreamAddress, long>(streams.Count);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            var stream = streams[(int)rows.GetInt64(0) - 1];
            if (rows.GetBoolean(2) && stream.Last > rows.GetInt64(1)) throw new StreamArchivedException(stream.Address.StreamId);
            stream.EnsureItFollows(rows.GetInt64(1));
            versions[stream.Address] = rows.GetInt64(1);
        }
        if (streams.Find(s => !versions.ContainsKey(s.Address)) is { } used) throw new StreamIdUsedException(used.Address.StreamId);
        return versions;
    }

    private async ValueTask EnsureSameAsync(List<ImportedStream> streams, Dictionary<StreamAddress, long> stored, CancellationToken ct)
    {
        var repeated = streams.Where(s => s.First <= stored[s.Address]).ToList();
        if (repeated.Count == 0) return;
        await using var command = new NpgsqlCommand(StoredIds, connection);
        foreach (var (type, value) in new (NpgsqlDbType, object)[]
                 {
                     Tenants(repeated), Ids(repeated), (Numbers, Array.ConvertAll([.. repeated], s => s.First)),
                     (Numbers, Array.ConvertAll([.. repeated], s => Math.Min(s.Last, stored[s.Address]))),
                 })
        {
            command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = type, Value = value });
        }
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) repeated[(int)rows.GetInt64(0) - 1].EnsureSame(rows.GetInt64(1), rows.GetGuid(2));
    }

    private async ValueTask<long[]> DrawAsync(List<ImportedStream> streams, int count, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                Command(RaiseVersions, Tenants(streams), Ids(streams), (Numbers, Array.ConvertAll([.. streams], s => s.Last)), (Moments, Array.ConvertAll([.. streams], s => At(s.Events[^1])))),
                new NpgsqlBatchCommand("lock table mt_events in row exclusive mode"),
                Command("select array_agg(nextval('mt_events_sequence')) from generate_series(1, $1)", (NpgsqlDbType.Integer, count)),
            },
        };
        await using var rows = await batch.ExecuteReaderAsync(ct).ConfigureAwait(false);
        await rows.ReadAsync(ct).ConfigureAwait(false);
        return rows.GetFieldValue<long[]>(0);
    }

    private async ValueTask CopyAsync(List<ImportedEvent> events, long[] positions, CancellationToken ct)
    {
        await using var rows = await connection.BeginBinaryImportAsync(Copy, ct).ConfigureAwait(false);
        for (var i = 0; i < events.Count; i++) await WriteAsync(rows, events[i], positions[i], ct).ConfigureAwait(false);
        await rows.CompleteAsync(ct).ConfigureAwait(false);
    }

    private async ValueTask WriteAsync(NpgsqlBinaryImporter rows, ImportedEvent imported, long position, CancellationToken ct)
    {
        await rows.StartRowAsync(ct).ConfigureAwait(false);
        await rows.WriteAsync(position, NpgsqlDbType.Bigint, ct).ConfigureAwait(false);
        await rows.WriteAsync(imported.EventId, NpgsqlDbType.Uuid, ct).ConfigureAwait(false);
        await rows.WriteAsync(tables.StreamId(imported.StreamId), tables.StreamIdDbType, ct).ConfigureAwait(false);
        await rows.WriteAsync(imported.Version, NpgsqlDbType.Bigint, ct).ConfigureAwait(false);
        await rows.WriteAsync(imported.Json, NpgsqlDbType.Jsonb, ct).ConfigureAwait(false);
        await rows.WriteAsync(imported.EventType, NpgsqlDbType.Varchar, ct).ConfigureAwait(false);
        await rows.WriteAsync(At(imported), NpgsqlDbType.TimestampTz, ct).ConfigureAwait(false);
        await rows.WriteAsync(imported.Tenant, NpgsqlDbType.Varchar, ct).ConfigureAwait(false);
        await WriteAsync(rows, imported.DotnetType, NpgsqlDbType.Varchar, ct).ConfigureAwait(false);
        tables.EnsureKept(imported.EventType, imported.Metadata);
        if (tables.Has(MetadataColumns.CorrelationId)) await WriteAsync(rows, imported.Metadata.CorrelationId, NpgsqlDbType.Varchar, ct).ConfigureAwait(false);
        if (tables.Has(MetadataColumns.CausationId)) await WriteAsync(rows, imported.Metadata.CausationId, NpgsqlDbType.Varchar, ct).ConfigureAwait(false);
        if (tables.Has(MetadataColumns.Headers)) await WriteAsync(rows, HeaderJson.Of(imported.Metadata), NpgsqlDbType.Jsonb, ct).ConfigureAwait(false);
        if (tables.Has(MetadataColumns.UserName)) await WriteAsync(rows, imported.Metadata.Actor, NpgsqlDbType.Varchar, ct).ConfigureAwait(false);
        await rows.WriteAsync(false, NpgsqlDbType.Boolean, ct).ConfigureAwait(false);
    }

    private static Task WriteAsync<T>(NpgsqlBinaryImporter rows, T? value, NpgsqlDbType type, CancellationToken ct) where T : class =>
        value is null ? rows.WriteNullAsync(ct) : rows.WriteAsync(value, type, ct);

    private static NpgsqlBatchCommand Command(string sql, params (NpgsqlDbType Type, object Value)[] values)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var (type, value) in values) command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = type, Value = value });
        return command;
    }

    private static (NpgsqlDbType, object) Tenants(List<ImportedStream> streams) => (Texts, Array.ConvertAll([.. streams], s => s.Address.Tenant));

    private (NpgsqlDbType, object) Ids(List<ImportedStream> streams) =>
        (NpgsqlDbType.Array | tables.StreamIdDbType, tables.StreamIds([.. streams.Select(s => s.Address.StreamId)]));

    private static DateTime At(ImportedEvent imported) => imported.RecordedAt.UtcDateTime;
}
