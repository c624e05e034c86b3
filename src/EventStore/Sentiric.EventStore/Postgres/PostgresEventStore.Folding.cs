using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>
/// Streams folded where they are read: one round trip, three columns, no event object. The row of the stream comes first, so that a stream
/// that begins in between is seen by its events at the latest.
/// </summary>
public sealed partial class PostgresEventStore : IStreamFolder
{
    private string VersionSql => $"select version from mt_streams where tenant_id = $1 and id = $2 and $3 >= 0 and $4 >= 0{_tables.LivingFirst}";

    private string SnapshotSql => $"""
        select s.version, n.version, n.data from mt_streams s
        left join sx_snapshot n on n.tenant_id = s.tenant_id and n.stream_id = $2::text and n.name = $3 and n.shape = $4
        where s.tenant_id = $1 and s.id = $2{_tables.LivingFirst}
        """;

    private const string SaveSnapshotSql = """
        insert into sx_snapshot as n (tenant_id, stream_id, name, shape, version, data) values ($1, $2, $3, $4, $5, $6)
        on conflict (tenant_id, stream_id, name) do update
        set shape = excluded.shape, version = excluded.version, data = excluded.data, taken_at = transaction_timestamp()
        where n.shape <> excluded.shape or n.version < excluded.version
        """;

    // One text and one list for the life of the store: connections find their prepared statements by them.
    private string EventsSql => field ??= $"""
        select version, type, {JsonColumn} from mt_events
        where tenant_id = $1 and stream_id = $2 and version > $3 and version <= $4{_tables.Living("$1", "$2")} order by version
        """;

    private string[] ForWriting => field ??= [VersionSql, EventsSql];

    private string[] FromSnapshot => field ??=
    [
        SnapshotSql,
        $"""
        select version, type, {JsonColumn} from mt_events
        where tenant_id = $1 and stream_id = $2
          and version > coalesce((select n.version from sx_snapshot n where n.tenant_id = $1 and n.stream_id = $2::text and n.name = $3 and n.shape = $4), 0){_tables.Living("$1", "$2")}
        order by version
        """,
    ];

    /// <summary>Null for a payload in binary.</summary>
    private string JsonColumn => _tables.HasBinaryData ? "case when bdata is null then data end" : "data";

    ValueTask<bool> IStreamFolder.IsCurrentAsync<TState>(Folded<TState> kept, CancellationToken ct) => _options.Protection switch
    {
        null => ValueTask.FromResult(true),
        { } protection => kept.Keys is { } keys ? Failures.GuardAsync(() => protection.AreLivingAsync(keys, ct)) : ValueTask.FromResult(false),
    };

    ValueTask<Folded<TState>> IStreamFolder.FoldAsync<TState>(
        string tenant, string streamId, Folded<TState> start, Evolve<TState> evolve, long upToVersion, bool forWriting, CancellationToken ct)
    {
        var address = AddressOf(tenant, streamId);
        return FoldCheckedAsync(address, start, evolve, upToVersion, forWriting, ct);
    }

    /// <summary>A stream that should have events and shows none lies in a file, or was truncated behind the bound.</summary>
    private async ValueTask<Folded<TState>> FoldCheckedAsync<TState>(
        StreamAddress address, Folded<TState> start, Evolve<TState> evolve, long upToVersion, bool forWriting, CancellationToken ct)
    {
        var folded = _options.Protection is { } protection
            ? await FoldSealedAsync(protection, address, start, evolve, upToVersion, ct).ConfigureAwait(false)
            : await Failures.GuardAsync(() => _readers.ReadAsync(
                connection => forWriting
                    ? FoldForWritingAsync(connection, address, start, evolve, ct)
                    : FoldOnlyAsync(connection, address, start, evolve, upToVersion, ct), ct)).ConfigureAwait(false);
        if (folded.Events > 0 || start.Version > 0) return folded;
        await foreach (var recorded in ReadFileAsync(address, 1, int.MaxValue, ct).ConfigureAwait(false))
        {
            if (folded.Events == 0 && recorded.Version != 1) throw new StreamTruncatedException(address.StreamId, recorded.Version, 0);
            if (recorded.Version > upToVersion) break;
            // Whose words these were is not known here, so the state is not kept.
            folded = new Folded<TState>(evolve(folded.State, recorded.Data(Serializer)), recorded.Version, folded.Events + 1, folded.Bytes + recorded.Json.Length);
        }
        if (folded.Events == 0 && upToVersion is > 0 and < long.MaxValue) await EnsureNotTruncatedAsync(address, ct).ConfigureAwait(false);
        return folded;
    }

    private async ValueTask EnsureNotTruncatedAsync(StreamAddress address, CancellationToken ct)
    {
        var state = await Failures.GuardAsync(() => StateAsync(address, ct)).ConfigureAwait(false);
        if (state is { TruncatedBefore: > 0 }) throw new StreamTruncatedException(address.StreamId, state.TruncatedBefore, 0);
    }

    ValueTask<Folded<TState>?> IStreamFolder.FoldSnapshotAsync<TState>(
        string tenant, string streamId, Aggregate<TState> aggregate, JsonTypeInfo<TState> json, CancellationToken ct)
    {
        var address = AddressOf(tenant, streamId);
        return _options.Protection is { } protection
            ? FoldSealedSnapshotAsync(protection, address, aggregate, json, ct)
            : Failures.GuardAsync(() => _readers.ReadAsync(connection => FoldSnapshotAsync(connection, address, aggregate, json, ct), ct));
    }

    ValueTask IStreamFolder.SaveSnapshotAsync<TState>(
        string tenant, string streamId, Aggregate<TState> aggregate, JsonTypeInfo<TState> json, Folded<TState> folded, CancellationToken ct) => Failures.GuardAsync(async () =>
    {
        var address = AddressOf(tenant, streamId);
        if (_options.Protection is { } protection) return await SaveSealedAsync(protection, address, aggregate, json, folded, ct).ConfigureAwait(false);
        await using var command = _source.CreateCommand(SaveSnapshotSql);
        foreach (var value in new object[] { address.Tenant, address.StreamId, aggregate.Name, ShapeOf(aggregate), folded.Version }) command.Parameters.Add(new() { Value = value });
        command.Parameters.Add(new() { Value = JsonSerializer.SerializeToUtf8Bytes(folded.State, json), NpgsqlDbType = NpgsqlDbType.Jsonb });
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        return true;
    }).AsVoid();

    ValueTask IStreamFolder.DeleteSnapshotsAsync(string tenant, string streamId, CancellationToken ct) => Failures.GuardAsync(async () =>
    {
        var address = AddressOf(tenant, streamId);
        await using var command = _source.CreateCommand(
            "with clear as (delete from sx_snapshot where tenant_id = $1 and stream_id = $2) delete from sx_sealed_snapshot where tenant_id = $1 and stream_id = $2");
        command.Parameters.Add(new() { Value = address.Tenant });
        command.Parameters.Add(new() { Value = address.StreamId });
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        return true;
    }).AsVoid();

    private async ValueTask<Folded<TState>> FoldOnlyAsync<TState>(
        ReadConnection connection, StreamAddress address, Folded<TState> start, Evolve<TState> evolve, long upToVersion, CancellationToken ct)
    {
        var command = await connection.CommandAsync(EventsSql, ct, address.Tenant, _tables.StreamId(address.StreamId), start.Version, upToVersion).ConfigureAwait(false);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await FoldRowsAsync(rows, address, start, evolve, ct).ConfigureAwait(false);
    }

    private async ValueTask<Folded<TState>> FoldForWritingAsync<TState>(
        ReadConnection connection, StreamAddress address, Folded<TState> start, Evolve<TState> evolve, CancellationToken ct)
    {
        var batch = await connection.BatchAsync(ForWriting, ct, address.Tenant, _tables.StreamId(address.StreamId), start.Version, long.MaxValue).ConfigureAwait(false);
        await using var rows = await batch.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var stream = await rows.ReadAsync(ct).ConfigureAwait(false) && !rows.IsDBNull(0) ? rows.GetInt64(0) : 0;
        await rows.NextResultAsync(ct).ConfigureAwait(false);
        var folded = await FoldRowsAsync(rows, address, start, evolve, ct).ConfigureAwait(false);
        // Without an event the stream's own row knows: its events may have been truncated.
        return folded.Events > 0 ? folded : folded with { Version = stream };
    }

    private async ValueTask<Folded<TState>?> FoldSnapshotAsync<TState>(
        ReadConnection connection, StreamAddress address, Aggregate<TState> aggregate, JsonTypeInfo<TState> json, CancellationToken ct)
    {
        var batch = await connection.BatchAsync(FromSnapshot, ct, address.Tenant, _tables.StreamId(address.StreamId), aggregate.Name, ShapeOf(aggregate)).ConfigureAwait(false);
        await using var rows = await batch.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var (stream, start) = (0L, new Folded<TState>(aggregate.Initial, 0));
        if (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            stream = rows.IsDBNull(0) ? 0 : rows.GetInt64(0);
            if (!rows.IsDBNull(1) && TryRead(rows.GetFieldValue<byte[]>(2), json, out var state)) start = new Folded<TState>(state, rows.GetInt64(1));
        }
        await rows.NextResultAsync(ct).ConfigureAwait(false);
        Folded<TState> folded;
        try
        {
            folded = await FoldRowsAsync(rows, address, start, aggregate.Evolve, ct).ConfigureAwait(false);
        }
        catch (StreamTruncatedException)
        {
            // Either so, or the snapshot was saved in between (see below): the whole fold tells.
            return null;
        }
        // The two statements see two moments: a snapshot saved in between would leave a gap. Then the whole stream is folded.
        var fits = folded.Version == start.Version + folded.Events && folded.Version >= stream && (folded.Events > 0 || folded.Version == stream);
        return fits ? folded : null;
    }

    private async ValueTask<Folded<TState>> FoldRowsAsync<TState>(
        NpgsqlDataReader rows, StreamAddress address, Folded<TState> start, Evolve<TState> evolve, CancellationToken ct)
    {
        var (state, version, events, bytes) = (start.State, start.Version, 0, 0L);
        var (columns, type) = (new RowBytes(rows), default(RepeatedText));
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            var number = rows.GetInt64(0);
            if (rows.IsDBNull(2)) throw await BinaryAsync(address, number, ct).ConfigureAwait(false);
            // Only the start of a stream can be gone. From a later start the caller sees by the count that something is missing.
            if (version == 0 && number != 1) throw new StreamTruncatedException(address.StreamId, number, 0);
            var name = columns.Text(1, ref type, out _);
            var json = columns.Json(2);
            object data;
            try
            {
                data = Serializer.Deserialize(name, json);
            }
            catch (EventUnreadableException broken)
            {
                throw await UnreadableAsync(address, number, broken, ct).ConfigureAwait(false);
            }
            state = evolve(state, data);
            (version, events, bytes) = (number, events + 1, bytes + json.Length);
        }
        return new Folded<TState>(state, version, events, bytes);
    }

    private async ValueTask<Exception> BinaryAsync(StreamAddress address, long version, CancellationToken ct)
    {
        var one = await ReadStreamAsync(address.Tenant, address.StreamId, version, 1, ct).FirstAsync(ct).ConfigureAwait(false);
        return new BinaryEventException(one.EventType, one.Position);
    }

    /// <summary>The fold reads no positions; whoever has to find the event needs one.</summary>
    private async ValueTask<Exception> UnreadableAsync(StreamAddress address, long version, EventUnreadableException broken, CancellationToken ct) =>
        broken.At(await ReadStreamAsync(address.Tenant, address.StreamId, version, 1, ct).FirstAsync(ct).ConfigureAwait(false));

    /// <summary>False when it cannot be read: a snapshot is only a help.</summary>
    private static bool TryRead<TState>(byte[] data, JsonTypeInfo<TState> json, [MaybeNullWhen(false)] out TState state)
    {
        try
        {
            state = JsonSerializer.Deserialize(data, json);
            return state is not null;
        }
        catch (Exception broken) when (broken is JsonException or NotSupportedException or InvalidOperationException)
        {
            state = default;
            return false;
        }
    }

    private static int ShapeOf<TState>(Aggregate<TState> aggregate) => aggregate.Snapshots?.Shape ?? 0;
}

/// <summary>Where snapshots for writing are kept; they may be deleted at any time.</summary>
internal static class SnapshotTable
{
    public const string Sql = """
        create table if not exists sx_snapshot (
            tenant_id varchar                  not null,
            stream_id varchar                  not null,
            name      varchar                  not null,
            shape     integer                  not null,
            version   bigint                   not null,
            data      jsonb                    not null,
            taken_at  timestamp with time zone not null default (transaction_timestamp()),
            constraint pkey_sx_snapshot primary key (tenant_id, stream_id, name)
        );

        """;

    /// <summary>
    /// A table of its own: a program without keys never meets what it could take for a state. <c>key_ids</c> are those of the persons, in the order of their ids;
    /// <c>data</c> is a <see cref="SealedState"/>.
    /// </summary>
    public const string SealedSql = """
        create table if not exists sx_sealed_snapshot (
            tenant_id varchar                  not null,
            stream_id varchar                  not null,
            name      varchar                  not null,
            shape     integer                  not null,
            version   bigint                   not null,
            key_ids   varchar[]                not null,
            data      bytea                    not null,
            taken_at  timestamp with time zone not null default (transaction_timestamp()),
            constraint pkey_sx_sealed_snapshot primary key (tenant_id, stream_id, name)
        );

        """;
}
