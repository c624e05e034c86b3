using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>
/// Fills shadow tables from the first event on and switches:
/// drop the live tables, give the shadows their names (indexes and constraints too), write progress, version and parked events — one transaction.
/// It waits for readers only briefly and tries again, so that nobody queues up behind it.
/// </summary>
internal sealed class ProjectionRebuild
{
    public const string Suffix = "__sx1";
    private const int MaxSwitchAttempts = 100;
    private static readonly TimeSpan SwitchRetryDelay = TimeSpan.FromMilliseconds(50);

    private readonly NpgsqlDataSource _source;
    private readonly IEventStore _store;
    private readonly ITableProjection _projection;
    private readonly ProjectionOptions _options;
    private readonly TimeProvider _clock;
    private readonly IProgress<RebuildProgress> _progress;
    private readonly ShadowCheckpoint _shadow = new();
    private readonly BatchApplier _applier;
    private readonly string _shard;

    public ProjectionRebuild(
        NpgsqlDataSource source, IEventStore store, ITableProjection projection, ProjectionOptions options, TimeProvider clock, ILogger logger,
        IProgress<RebuildProgress> progress)
    {
        (_source, _store, _projection, _options, _clock, _progress) = (source, store, projection, options, clock, progress);
        _applier = new BatchApplier(source, store.Serializer, projection, Suffix, _shadow, options, clock, logger);
        _shard = ShardName.Of(projection.Name, projection.Version);
    }

    public long Position { get; private set; }

    /// <summary>Empty shadow tables; what an earlier, broken rebuild left is thrown away.</summary>
    public async ValueTask StartAsync(CancellationToken ct)
    {
        var drops = string.Concat(_projection.Tables.Reverse().Select(t => $"drop table if exists {t}{Suffix} cascade;"));
        await using var connection = await _source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var command = new NpgsqlCommand("set client_min_messages = warning;" + drops + _projection.SchemaSql(Suffix), connection);
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    /// <summary>Applies everything up to the high-water mark.</summary>
    public async ValueTask CatchUpAsync(CancellationToken ct)
    {
        while (true)
        {
            var page = await LogPage.ReadAsync(_store, Position, _options.RebuildBatchSize, ct).ConfigureAwait(false);
            if (page.ReachedPosition <= Position) return;
            await _applier.ApplyAsync(page.Events, Position, page.ReachedPosition, ct).ConfigureAwait(false);
            Position = page.ReachedPosition;
            _progress.Report(new RebuildProgress(_projection.Name, Position, page.Mark));
        }
    }

    /// <summary>The caller owns the live tables.</summary>
    public async ValueTask SwitchAsync(CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await TrySwitchAsync(ct).ConfigureAwait(false);
                return;
            }
            catch (PostgresException busy) when (busy.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected && attempt < MaxSwitchAttempts)
            {
                // Readers are in the tables.
                await Task.Delay(SwitchRetryDelay, _clock, ct).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask TrySwitchAsync(CancellationToken ct)
    {
        await using var connection = await _source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        var drops = string.Concat(_projection.Tables.Reverse().Select(t => $"drop table if exists {t};"));
        var renames = string.Concat(_projection.Tables.Select(t => $"alter table {t}{Suffix} rename to {t};"));
        await RunAsync(connection, "set local client_min_messages = warning; set local lock_timeout = '200ms';" + drops + renames, ct).ConfigureAwait(false);
        await RunAsync(connection, string.Concat(await RenamesAsync(connection, ct).ConfigureAwait(false)), ct).ConfigureAwait(false);
        await WriteDownAsync(connection, ct).ConfigureAwait(false);
        await transaction.CommitAsync(ct).ConfigureAwait(false);
    }

    /// <summary>Statements that free the next rebuild's names: whatever hangs on the tables and still carries the suffix.</summary>
    private async ValueTask<List<string>> RenamesAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        const string sql = """
            with t as (select c.oid, c.relname from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and c.relname = any($1))
            select format('alter index %I rename to %I;', i.relname, replace(i.relname, $2, ''))
            from t join pg_index x on x.indrelid = t.oid join pg_class i on i.oid = x.indexrelid where position($2 in i.relname) > 0
            union all
            select format('alter table %I rename constraint %I to %I;', t.relname, k.conname, replace(k.conname, $2, ''))
            from t join pg_constraint k on k.conrelid = t.oid where k.contype in ('c', 'f') and position($2 in k.conname) > 0
            union all
            select format('alter sequence %I rename to %I;', s.relname, replace(s.relname, $2, ''))
            from t join pg_depend d on d.refobjid = t.oid join pg_class s on s.oid = d.objid and s.relkind = 'S' where position($2 in s.relname) > 0
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new() { Value = _projection.Tables.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
                new() { Value = Suffix, NpgsqlDbType = NpgsqlDbType.Text },
            },
        };
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var statements = new List<string>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) statements.Add(rows.GetString(0));
        return statements;
    }

    private async ValueTask WriteDownAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Command(
            "insert into mt_event_progression (name, last_seq_id) values ($1, $2) on conflict (name) do update set last_seq_id = excluded.last_seq_id, last_updated = transaction_timestamp()",
            _shard, Position));
        batch.BatchCommands.Add(Command(ProjectionVersions.Record, _projection.Name, _projection.Version));
        batch.BatchCommands.Add(Command(DeadLetters.Forget, [.. DeadLetters.Key(_shard)]));
        await batch.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        foreach (var parked in _shadow.Parked)
        {
            await using var park = DeadLetters.Insert(parked);
            park.Connection = connection;
            await park.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        }
    }

    private static NpgsqlBatchCommand Command(string sql, params object[] values)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        return command;
    }

    private static async ValueTask RunAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        if (sql.Length == 0) return;
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }
}
