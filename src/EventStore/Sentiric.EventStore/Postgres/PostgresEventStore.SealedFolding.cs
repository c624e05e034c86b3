using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>
/// Folding where personal members are sealed. Snapshot and first page of events come in one round trip; keys are asked for when the connection is back.
/// <code>
///   stream's row, snapshot, events behind it ─► keys of all persons, mostly remembered ─► open the snapshot ─► open the page ─► fold
///                                                                                          │ a key is gone, or it was changed
///                                                                                          └► thrown away; the whole stream is folded
/// </code>
/// A state remembers the keys of the persons that it was made of, and is stored only so that it takes all of them to read it (<see cref="SealedState"/>).
/// </summary>
public sealed partial class PostgresEventStore
{
    private const string SaveSealedSql = """
        insert into sx_sealed_snapshot as n (tenant_id, stream_id, name, shape, version, key_ids, data) values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (tenant_id, stream_id, name) do update
        set shape = excluded.shape, version = excluded.version, key_ids = excluded.key_ids, data = excluded.data, taken_at = transaction_timestamp()
        where n.shape <> excluded.shape or n.version < excluded.version
        """;

    // This very one: a newer one that somebody saved meanwhile stays.
    private const string DropSealedSql = """
        delete from sx_sealed_snapshot where tenant_id = $1 and stream_id = $2 and name = $3 and shape = $4 and version = $5 and data = $6
        """;

    private string SealedSnapshotSql => $"""
        select s.version, n.version, n.key_ids, n.data from mt_streams s
        left join sx_sealed_snapshot n on n.tenant_id = s.tenant_id and n.stream_id = $2::text and n.name = $3 and n.shape = $4
        where s.tenant_id = $1 and s.id = $2{_tables.LivingFirst}
        """;

    private string SealedEventsSql => field ??= $"""
        select {_tables.EventColumns} from mt_events
        where tenant_id = $1 and stream_id = $2 and version > $3 and version <= $4{_tables.Living("$1", "$2")} order by version limit {PageSize}
        """;

    private string[] SealedForWriting => field ??= [VersionSql, SealedEventsSql];

    private string[] FromSealedSnapshot => field ??=
    [
        SealedSnapshotSql,
        $"""
        select {_tables.EventColumns} from mt_events
        where tenant_id = $1 and stream_id = $2
          and version > coalesce((select n.version from sx_sealed_snapshot n where n.tenant_id = $1 and n.stream_id = $2::text and n.name = $3 and n.shape = $4), 0){_tables.Living("$1", "$2")}
        order by version limit {PageSize}
        """,
    ];

    private async ValueTask<Folded<TState>> FoldSealedAsync<TState>(
        IPayloadProtection protection, StreamAddress address, Folded<TState> start, Evolve<TState> evolve, long upToVersion, CancellationToken ct)
    {
        var (stream, page) = await Failures.GuardAsync(() => _readers.ReadAsync(async connection =>
        {
            var batch = await connection.BatchAsync(SealedForWriting, ct, address.Tenant, _tables.StreamId(address.StreamId), start.Version, upToVersion).ConfigureAwait(false);
            await using var rows = await batch.ExecuteReaderAsync(ct).ConfigureAwait(false);
            var version = await rows.ReadAsync(ct).ConfigureAwait(false) && !rows.IsDBNull(0) ? rows.GetInt64(0) : 0;
            return (version, await NextPageAsync(rows, ct).ConfigureAwait(false));
        }, ct)).ConfigureAwait(false);
        var folded = await FoldPagesAsync(protection, address, start, page, evolve, upToVersion, ct).ConfigureAwait(false);
        // Without an event the stream's own row knows: its events may have been truncated.
        return folded.Events > 0 ? folded : folded with { Version = stream };
    }

    /// <summary>Null when there is a snapshot that does not fit, or cannot be opened any more: the whole fold tells.</summary>
    private async ValueTask<Folded<TState>?> FoldSealedSnapshotAsync<TState>(
        IPayloadProtection protection, StreamAddress address, Aggregate<TState> aggregate, JsonTypeInfo<TState> json, CancellationToken ct)
    {
        var (stream, stored, page) = await Failures.GuardAsync(() => _readers.ReadAsync(connection => ReadSealedAsync(connection, address, aggregate, ct), ct)).ConfigureAwait(false);
        var start = new Folded<TState>(aggregate.Initial, 0, Keys: []);
        if (stored is not null)
        {
            if (await OpenedAsync(protection, stored, json, ct).ConfigureAwait(false) is not { } kept)
            {
                await Failures.GuardAsync(() => DropAsync(stored, ct)).ConfigureAwait(false);
                return null;
            }
            start = kept;
        }
        try
        {
            var folded = await FoldPagesAsync(protection, address, start, page, aggregate.Evolve, long.MaxValue, ct).ConfigureAwait(false);
            // The two statements see two moments: a snapshot saved in between would leave a gap. Then the whole stream is folded.
            var fits = folded.Version == start.Version + folded.Events && folded.Version >= stream && (folded.Events > 0 || folded.Version == stream);
            return fits ? folded : null;
        }
        catch (StreamTruncatedException)
        {
            // Either so, or the snapshot was saved in between: the whole fold tells.
            return null;
        }
    }

    private async ValueTask<(long Stream, StoredState? Stored, List<RecordedEvent> Page)> ReadSealedAsync<TState>(
        ReadConnection connection, StreamAddress address, Aggregate<TState> aggregate, CancellationToken ct)
    {
        var shape = ShapeOf(aggregate);
        var batch = await connection.BatchAsync(FromSealedSnapshot, ct, address.Tenant, _tables.StreamId(address.StreamId), aggregate.Name, shape).ConfigureAwait(false);
        await using var rows = await batch.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var (stream, stored) = (0L, default(StoredState));
        if (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            stream = rows.IsDBNull(0) ? 0 : rows.GetInt64(0);
            if (!rows.IsDBNull(1)) stored = new StoredState(new SnapshotPlace(address, aggregate.Name, shape, rows.GetInt64(1)), rows.GetFieldValue<string[]>(2), rows.GetFieldValue<byte[]>(3));
        }
        return (stream, stored, await NextPageAsync(rows, ct).ConfigureAwait(false));
    }

    private static async ValueTask<List<RecordedEvent>> NextPageAsync(NpgsqlDataReader rows, CancellationToken ct)
    {
        await rows.NextResultAsync(ct).ConfigureAwait(false);
        var page = await EventRows.ReadPageAsync(rows, null, ct).ConfigureAwait(false);
        StoreTelemetry.Read(page.Count);
        return page;
    }

    /// <summary>Null when a key is gone, when the row was changed or belongs somewhere else, or when the state is not what the program knows.</summary>
    private static async ValueTask<Folded<TState>?> OpenedAsync<TState>(IPayloadProtection protection, StoredState stored, JsonTypeInfo<TState> json, CancellationToken ct)
    {
        if (await protection.OpenStateAsync(stored.Data, stored.Place, stored.KeyIds, ct).ConfigureAwait(false) is not { } plain) return null;
        var isState = TryRead(plain, json, out var state);
        CryptographicOperations.ZeroMemory(plain);
        return isState && state is not null ? new Folded<TState>(state, stored.Place.Version, Keys: stored.KeyIds) : null;
    }

    private async ValueTask<Folded<TState>> FoldPagesAsync<TState>(
        IPayloadProtection protection, StreamAddress address, Folded<TState> start, List<RecordedEvent> page, Evolve<TState> evolve, long upToVersion, CancellationToken ct)
    {
        var (state, version, events, bytes) = (start.State, start.Version, 0, 0L);
        var keys = new SortedSet<string>(start.Keys ?? [], StringComparer.Ordinal);
        while (true)
        {
            await protection.OpenAsync(page, keys, ct).ConfigureAwait(false);
            foreach (var recorded in page)
            {
                // Only the start of a stream can be gone. From a later start the caller sees by the count that something is missing.
                if (version == 0 && recorded.Version != 1) throw new StreamTruncatedException(address.StreamId, recorded.Version, 0);
                state = evolve(state, recorded.Decode(Serializer));
                (version, events, bytes) = (recorded.Version, events + 1, bytes + recorded.Json.Length);
            }
            if (page.Count < PageSize) return new Folded<TState>(state, version, events, bytes, [.. keys]);
            var behind = version;
            page = await Failures.GuardAsync(() => StoredPageAsync(SealedEventsSql, null, ct, [address.Tenant, _tables.StreamId(address.StreamId), behind, upToVersion])).ConfigureAwait(false);
        }
    }

    private async ValueTask<bool> SaveSealedAsync<TState>(
        IPayloadProtection protection, StreamAddress address, Aggregate<TState> aggregate, JsonTypeInfo<TState> json, Folded<TState> folded, CancellationToken ct)
    {
        if (folded.Keys is not { } keys) return false;
        var place = new SnapshotPlace(address, aggregate.Name, ShapeOf(aggregate), folded.Version);
        var plain = JsonSerializer.SerializeToUtf8Bytes(folded.State, json);
        var whole = await protection.SealStateAsync(plain, place, keys, ct).ConfigureAwait(false);
        CryptographicOperations.ZeroMemory(plain);
        if (whole is null) return false;
        await using var command = PlaceCommand(SaveSealedSql, place);
        command.Parameters.Add(new() { Value = keys.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Varchar });
        command.Parameters.Add(new() { Value = whole });
        return await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false) > 0;
    }

    private async ValueTask<bool> DropAsync(StoredState stored, CancellationToken ct)
    {
        await using var command = PlaceCommand(DropSealedSql, stored.Place);
        command.Parameters.Add(new() { Value = stored.Data });
        return await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false) > 0;
    }

    private NpgsqlCommand PlaceCommand(string sql, SnapshotPlace place)
    {
        var command = _source.CreateCommand(sql);
        foreach (var value in new object[] { place.Address.Tenant, place.Address.StreamId, place.Name, place.Shape, place.Version }) command.Parameters.Add(new() { Value = value });
        return command;
    }

    /// <summary>What lies in clear from before the protection is not used any more. Who may not delete leaves it to who may.</summary>
    private async ValueTask DropClearSnapshotsAsync(CancellationToken ct)
    {
        await using var may = _source.CreateCommand("select coalesce(has_table_privilege(to_regclass('sx_snapshot'), 'delete'), false)");
        if (await may.ExecuteScalarAsync(ct).ConfigureAwait(false) is not true) return;
        await using var drop = _source.CreateCommand("delete from sx_snapshot");
        await drop.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private sealed record StoredState(SnapshotPlace Place, string[] KeyIds, byte[] Data);
}
