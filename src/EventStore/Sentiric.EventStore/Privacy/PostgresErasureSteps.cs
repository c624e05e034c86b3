using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>What lies in clear beside the sealed log, in one PostgreSQL database: each step clears or checks one kind of it.</summary>
public static class PostgresErasureSteps
{
    /// <param name="projections">Every read model of the database.</param>
    public static IReadOnlyList<IErasureStep> All(NpgsqlDataSource source, PersonalDataMap map, IReadOnlyList<ITableProjection> projections, TimeProvider clock) =>
    [
        new ReadModels(source, projections, clock), new PreviousTables(source, projections), new ParkedMessages(source), new StoredStates(source),
        new ClearEvents(source, map), new TableSearch(source),
    ];

    /// <summary>Waits until every read model has read of the erasure, which is when its rows are blank.</summary>
    private sealed class ReadModels(NpgsqlDataSource source, IReadOnlyList<ITableProjection> projections, TimeProvider clock) : IErasureStep
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
        private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

        public string Name => "read_models";

        public async ValueTask<ErasureOutcome> EraseAsync(ErasureContext context, CancellationToken ct)
        {
            var shards = projections.ToDictionary(p => ShardName.Of(p.Name, p.Version), p => p.Name);
            var started = clock.GetTimestamp();
            var behind = await BehindAsync([.. shards.Keys], context.Position, ct).ConfigureAwait(false);
            while (behind.Count > 0 && clock.GetElapsedTime(started) < Patience)
            {
                await Task.Delay(Pause, clock, ct).ConfigureAwait(false);
                behind = await BehindAsync([.. shards.Keys], context.Position, ct).ConfigureAwait(false);
            }
            var parked = await ParkedAsync([.. shards.Values], context.Record, ct).ConfigureAwait(false);
            var findings = parked.Select(p => $"read model {p} could not blank its rows and parked the erasure; retry it there")
                .Concat(behind.Select(s => $"read model {shards[s]} has not read of the erasure yet; it will be blank when it has"))
                .Concat(projections.Where(p => p is not IStreamRows).Select(p => $"read model {p.Name} does not know which rows come from which stream; rebuild it"));
            return new ErasureOutcome(shards.Count - behind.Count, [.. findings]);
        }

        private async ValueTask<List<string>> ParkedAsync(string[] names, ErasureRecord record, CancellationToken ct)
        {
            await using var command = source.CreateCommand("""
                select distinct d.data ->> 'ProjectionName' from mt_doc_deadletterevent d join mt_events e on e.seq_id = (d.data ->> 'EventSequence')::bigint
                where e.tenant_id = $1 and e.stream_id::text = $2 and d.data ->> 'ProjectionName' = any($3)
                """);
            command.Parameters.Add(new() { Value = record.Tenant });
            command.Parameters.Add(new() { Value = Eraser.StreamOf(record.Id) });
            command.Parameters.Add(new() { Value = names, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
            await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
            var parked = new List<string>();
            while (await rows.ReadAsync(ct).ConfigureAwait(false)) parked.Add(rows.GetString(0));
            return parked;
        }

        private async ValueTask<List<string>> BehindAsync(string[] shards, long position, CancellationToken ct)
        {
            await using var command = source.CreateCommand(
                "select s.name from unnest($1) as s(name) left join mt_event_progression p on p.name = s.name where coalesce(p.last_seq_id, 0) < $2");
            command.Parameters.Add(new() { Value = shards, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
            command.Parameters.Add(new() { Value = position });
            await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
            var behind = new List<string>();
            while (await rows.ReadAsync(ct).ConfigureAwait(false)) behind.Add(rows.GetString(0));
            return behind;
        }
    }

    /// <summary>
    /// Tables that a rebuild put aside hold the rows of before; there is no going back to them. Nor to those that a rebuild filled and did not switch to:
    /// only one that is under way reads of the erasure by itself.
    /// </summary>
    private sealed class PreviousTables(NpgsqlDataSource source, IReadOnlyList<ITableProjection> projections) : IErasureStep
    {
        public string Name => "previous_tables";

        public async ValueTask<ErasureOutcome> EraseAsync(ErasureContext context, CancellationToken ct)
        {
            var left = 0L;
            foreach (var projection in projections) left += await DiscardLeftAsync(projection, ct).ConfigureAwait(false);
            var names = projections.SelectMany(p => p.Tables).Select(t => t + ShadowTables.Previous).ToArray();
            await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
            var there = await CountAsync(connection, names, ct).ConfigureAwait(false);
            if (there == 0) return new ErasureOutcome(left);
            await using var drop = new NpgsqlCommand(
                "begin; set local client_min_messages = warning; delete from sx_projection_previous;" + string.Concat(names.Select(n => $"drop table if exists {n};")) + "commit", connection);
            await drop.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
            return new ErasureOutcome(left + there);
        }

        private async ValueTask<long> DiscardLeftAsync(ITableProjection projection, CancellationToken ct)
        {
            if (await new RebuildRecord(source, projection.Name).LoadAsync(ct).ConfigureAwait(false) is null or { State: RebuildState.Running }) return 0;
            await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
            var there = await CountAsync(connection, [.. projection.Tables.Select(t => t + ShadowTables.Suffix)], ct).ConfigureAwait(false);
            if (there > 0) await ProjectionRebuild.DiscardAsync(source, projection, ct).ConfigureAwait(false);
            return there;
        }

        private static async ValueTask<long> CountAsync(NpgsqlConnection connection, string[] names, CancellationToken ct)
        {
            await using var count = new NpgsqlCommand("select count(*) from unnest($1) t(name) where to_regclass(t.name) is not null", connection)
            {
                Parameters = { new() { Value = names, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text } },
            };
            return (long)(await count.ExecuteScalarAsync(ct).ConfigureAwait(false) ?? 0L);
        }
    }

    /// <summary>An exception may quote what it choked on: when an event was parked, and when it was tried again in vain.</summary>
    private sealed class ParkedMessages(NpgsqlDataSource source) : IErasureStep
    {
        private const string Parked = "update mt_doc_deadletterevent d set data = d.data || '{\"ExceptionMessage\": \"[erased]\"}'";
        private const string IsParked = "(d.data ->> 'EventSequence')::bigint";
        private const string HasParked = "d.data ->> 'ExceptionMessage' <> '[erased]'";
        private const string Tried = "update sx_shard_order d set error = '[erased]'";
        private const string HasTried = "d.error <> '[erased]'";

        private static readonly string[] Statements = [Blank(Parked, IsParked, HasParked), BlankGone(Parked, IsParked, HasParked), Blank(Tried, "d.seq_id", HasTried), BlankGone(Tried, "d.seq_id", HasTried)];

        public string Name => "dead_letters";

        public async ValueTask<ErasureOutcome> EraseAsync(ErasureContext context, CancellationToken ct)
        {
            var blanked = 0L;
            foreach (var sql in Statements)
            {
                await using var command = source.CreateCommand(sql);
                AddStreams(command, context.Record.Streams);
                blanked += await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
            }
            return new ErasureOutcome(blanked);
        }

        private static string Blank(string update, string position, string isThere) => $"""
            {update}
            from mt_events e join unnest($1, $2) as s(tenant, stream) on e.tenant_id = s.tenant and e.stream_id::text = s.stream
            where {position} = e.seq_id and {isThere}
            """;

        // Of an event that lies in a file, or was truncated, only the stretch of the log is known where its stream was.
        private static string BlankGone(string update, string position, string isThere) => $"""
            {update}
            from (select a.first_seq_id, a.last_seq_id from sx_archived_stream a join unnest($1, $2) as s(tenant, stream) on a.tenant_id = s.tenant and a.stream_id = s.stream
                  union select t.first_seq_id, t.last_seq_id from sx_stream_truncation t join unnest($1, $2) as s(tenant, stream) on t.tenant_id = s.tenant and t.stream_id = s.stream) g
            where {position} between g.first_seq_id and g.last_seq_id and {isThere}
              and not exists (select from mt_events e where e.seq_id = {position})
            """;
    }

    /// <summary>Sealed ones cannot be opened any more as it is, those from before the protection lie in clear; they are made again when they are missed.</summary>
    private sealed class StoredStates(NpgsqlDataSource source) : IErasureStep
    {
        public string Name => "snapshots";

        public async ValueTask<ErasureOutcome> EraseAsync(ErasureContext context, CancellationToken ct)
        {
            var deleted = 0L;
            foreach (var table in new[] { "sx_snapshot", "sx_sealed_snapshot" })
            {
                await using var command = source.CreateCommand(
                    $"delete from {table} n using unnest($1, $2) as s(tenant, stream) where n.tenant_id = s.tenant and n.stream_id = s.stream");
                AddStreams(command, context.Record.Streams);
                deleted += await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
            }
            return new ErasureOutcome(deleted);
        }
    }

    /// <summary>Events from before the protection lie in clear, and the log cannot be changed: all that can be done here is to say so.</summary>
    private sealed class ClearEvents(NpgsqlDataSource source, PersonalDataMap map) : IErasureStep
    {
        public string Name => "sealed_events";

        public async ValueTask<ErasureOutcome> EraseAsync(ErasureContext context, CancellationToken ct)
        {
            await using var command = source.CreateCommand("""
                select e.type, position('§1.' in e.data::text) > 0, count(*)
                from mt_events e join unnest($1, $2) as s(tenant, stream) on e.tenant_id = s.tenant and e.stream_id::text = s.stream
                group by 1, 2
                """);
            AddStreams(command, context.Record.Streams);
            var (sealedEvents, clear) = (0L, 0L);
            await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
            while (await rows.ReadAsync(ct).ConfigureAwait(false))
            {
                if (rows.GetBoolean(1)) sealedEvents += rows.GetInt64(2);
                else if (map.RuleFor(rows.GetString(0)) is { HasTextAlways: true }) clear += rows.GetInt64(2);
            }
            return new ErasureOutcome(sealedEvents, clear == 0 ? null : [$"{clear} events of these streams were stored in clear, before the protection was switched on"]);
        }
    }

    /// <summary>Looks for what identifies the person in every table of the schema but the log, whose streams were looked at.</summary>
    private sealed class TableSearch(NpgsqlDataSource source) : IErasureStep
    {
        private const string Tables = """
            select quote_ident(c.relname) from pg_class c
            where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and c.relname not in ('mt_events', 'mt_streams')
            order by 1
            """;

        public string Name => "tables_searched";

        public async ValueTask<ErasureOutcome> EraseAsync(ErasureContext context, CancellationToken ct)
        {
            if (context.Identifiers.Count == 0) return new ErasureOutcome(0);
            await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
            var tables = new List<string>();
            await using (var list = new NpgsqlCommand(Tables, connection))
            await using (var rows = await list.ExecuteReaderAsync(ct).ConfigureAwait(false))
            {
                while (await rows.ReadAsync(ct).ConfigureAwait(false)) tables.Add(rows.GetString(0));
            }
            var findings = new List<string>();
            foreach (var table in tables)
            {
                await using var search = new NpgsqlCommand($"select count(*) from {table} t where exists (select from unnest($1) v where position(v in t::text) > 0)", connection)
                {
                    CommandTimeout = 0,
                    Parameters = { new() { Value = context.Identifiers.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text } },
                };
                if (await search.ExecuteScalarAsync(ct).ConfigureAwait(false) is long and > 0 and var hits) findings.Add($"{hits} rows of {table} still hold an identifier");
            }
            return new ErasureOutcome(tables.Count, findings);
        }
    }

    private static void AddStreams(NpgsqlCommand command, IReadOnlyList<SubjectStream> streams)
    {
        command.Parameters.Add(new() { Value = streams.Select(s => s.Tenant).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        command.Parameters.Add(new() { Value = streams.Select(s => s.StreamId).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
    }
}
