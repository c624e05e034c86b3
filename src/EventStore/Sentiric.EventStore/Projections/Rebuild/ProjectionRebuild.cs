using Microsoft.Extensions.Logging;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// Fills shadow tables from the first event on and switches. What it did is written down with the rows, so whoever comes after a crash goes on.
/// <code>
///   Filling ──> Indexing ──> CatchingUp ──> Comparing ──> Switching ──> Done
///   all events   keys and    what came      same version   drop the previous tables, living -> previous, shadows -> living,
///   up to now    indexes     meanwhile      = same rows    progress, version and parked events: one transaction
/// </code>
/// It waits for readers only briefly and tries again, so that nobody queues up behind it.
/// </summary>
internal sealed partial class ProjectionRebuild
{
    private const int MaxSwitchAttempts = 300;

    // So often it looks for a moment without readers; after that it makes them wait, 40 ms at a time.
    private const int SwitchLooks = 100;
    private static readonly TimeSpan SwitchRetryDelay = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan AimInterval = TimeSpan.FromMilliseconds(500);

    private readonly NpgsqlDataSource _source;
    private readonly IEventStore _store;
    private readonly ITableProjection _projection;
    private readonly ProjectionOptions _options;
    private readonly RebuildOptions _wishes;
    private readonly TimeProvider _clock;
    private readonly IProgress<RebuildProgress> _progress;
    private readonly ShadowTables _tables;
    private readonly RebuildRecord _record;
    private readonly BatchApplier _applier;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _reporting = new(1, 1);

    private long _startedAt;
    private long _startPosition;
    private long? _aimedAt;
    private RebuildPhase _phase;
    private HashSet<long> _skipped = [];

    public ProjectionRebuild(
        NpgsqlDataSource source, IEventStore store, ITableProjection projection, ProjectionOptions options, RebuildOptions wishes, TimeProvider clock,
        ILogger logger, IProgress<RebuildProgress> progress)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(wishes.Parallelism, nameof(wishes));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(wishes.Parallelism, RebuildOptions.MaxParallelism, nameof(wishes));
        (_source, _store, _projection, _options, _wishes, _clock, _logger, _progress) =
            (source, store, projection, options, wishes, clock, logger, progress);
        _tables = new ShadowTables(projection);
        _record = new RebuildRecord(source, projection.Name);
        _applier = new BatchApplier(source, EventTables.Of(store), store.Serializer, projection, ShadowTables.Suffix, new ShadowCheckpoint(projection), options, clock, logger);
    }

    public long Position { get; private set; }

    /// <summary>Brings the shadows to the high-water mark of now, from nothing or from where an interrupted rebuild of this version stood.</summary>
    public async ValueTask FillAsync(CancellationToken ct)
    {
        if (!await TryContinueAsync(ct).ConfigureAwait(false)) await StartAsync(ct).ConfigureAwait(false);
        _applier.Skipped = _skipped = await SkippedEvents.LoadAsync(_source, _projection.Name, ct).ConfigureAwait(false);
        (_startedAt, _startPosition) = (_clock.GetTimestamp(), Position);
        if (_phase == RebuildPhase.Filling)
        {
            await FillEmptyAsync(ct).ConfigureAwait(false);
            await EnterAsync(RebuildPhase.Indexing, ct).ConfigureAwait(false);
        }
        if (_phase == RebuildPhase.Indexing) await BuildIndexesAsync(RebuildPhase.CatchingUp, ct).ConfigureAwait(false);
        await EnterAsync(RebuildPhase.CatchingUp, ct).ConfigureAwait(false);
        await CatchUpAsync(long.MaxValue, ct).ConfigureAwait(false);
    }

    /// <summary>Applies what is decided, but nothing behind <paramref name="upTo"/>.</summary>
    public async ValueTask CatchUpAsync(long upTo, CancellationToken ct)
    {
        while (Position < upTo)
        {
            var page = (await LogPage.ReadAsync(_store, Position, _options.RebuildBatchSize, ct).ConfigureAwait(false)).UpTo(_options.Erasure?.EventType);
            var (events, reached) = (page.Events, Math.Min(page.ReachedPosition, upTo));
            if (reached <= Position) return;
            if (page.ReachedPosition > upTo) events = [.. events.TakeWhile(e => e.Position <= upTo)];
            await _applier.ApplyAsync(events, Position, reached, ct).ConfigureAwait(false);
            Position = reached;
            await ReportAsync(page.Mark, ct).ConfigureAwait(false);
        }
    }

    /// <summary>A snapshot for <see cref="CompareAsync"/>; the caller sees to it that the living tables stand where the shadows are brought.</summary>
    public async ValueTask<RowComparison> SnapshotAsync(long livePosition, CancellationToken ct)
    {
        await CatchUpAsync(livePosition, ct).ConfigureAwait(false);
        if (Position != livePosition) throw new InvalidOperationException($"The rebuild of '{_projection.Name}' is ahead of the living rows.");
        return await RowComparison.OpenAsync(_source, _projection, ct).ConfigureAwait(false);
    }

    public async ValueTask CompareAsync(RowComparison comparison, CancellationToken ct)
    {
        await EnterAsync(RebuildPhase.Comparing, ct).ConfigureAwait(false);
        var differences = await comparison.DifferencesAsync(ct).ConfigureAwait(false);
        if (differences.Count > 0) throw new RebuildDiffersException(_projection.Name, differences);
    }

    /// <summary>The caller owns the living tables.</summary>
    public async ValueTask SwitchAsync(CancellationToken ct)
    {
        await CatchUpAsync(long.MaxValue, ct).ConfigureAwait(false);
        await EnsureNotOvertakenAsync(ct).ConfigureAwait(false);
        await EnterAsync(RebuildPhase.Switching, ct).ConfigureAwait(false);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await TrySwitchAsync(isPatient: attempt > SwitchLooks, ct).ConfigureAwait(false);
                _phase = RebuildPhase.Done;
                Report(Position);
                return;
            }
            catch (PostgresException busy) when (busy.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected && attempt < MaxSwitchAttempts)
            {
                // Readers are in the tables.
                await Task.Delay(SwitchRetryDelay, _clock, ct).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask EnsureNotOvertakenAsync(CancellationToken ct)
    {
        var now = await SkippedEvents.LoadAsync(_source, _projection.Name, ct).ConfigureAwait(false);
        now.SymmetricExceptWith(_skipped);
        foreach (var position in now.Where(p => p <= Position)) throw new RebuildOvertakenException(_projection.Name, position);
    }

    /// <summary>Throws the shadows away.</summary>
    public static async ValueTask DiscardAsync(NpgsqlDataSource source, ITableProjection projection, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await new ShadowTables(projection).DropAsync(connection, ShadowTables.Suffix, ct).ConfigureAwait(false);
        await using var forget = new NpgsqlBatch(connection) { BatchCommands =
        {
            Command(DeadLetters.Forget, [.. DeadLetters.Key(ShadowCheckpoint.ShardOf(projection))]),
            Command("delete from sx_rebuild_part where name = $1", projection.Name),
        } };
        await forget.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        await new RebuildRecord(source, projection.Name).EndAsync(RebuildState.Cancelled, null, ct).ConfigureAwait(false);
    }

    private async ValueTask<bool> TryContinueAsync(CancellationToken ct)
    {
        var row = await _record.LoadAsync(ct).ConfigureAwait(false);
        var canContinue = row is not null && row.Version == _projection.Version && !_wishes.StartOver && !row.IsCancelled
            && (row.State == RebuildState.Running || (row.State == RebuildState.Differs && _wishes.AcceptDifferences));
        if (row is null || !canContinue) return false;
        // Documents that were folded before somebody was forgotten would stay as they are.
        if (_options.Erasure is not null && row.Phase == RebuildPhase.Filling && _projection is IFoldedDocuments) return false;
        if (await SkippedEvents.HaveChangedAsync(_source, _projection.Name, ct).ConfigureAwait(false)) return false;
        // While documents are folded the recorded position is news for people only.
        (Position, _phase) = (row.Phase == RebuildPhase.Filling && (_projection is IFoldedDocuments { CanFold: true } || IsFilledInParts) ? 0 : row.Position, row.Phase);
        await _record.ContinueAsync(ct).ConfigureAwait(false);
        return true;
    }

    private async ValueTask StartAsync(CancellationToken ct)
    {
        // First of all the old record ends: nobody may continue into tables that are about to be emptied.
        await DiscardAsync(_source, _projection, ct).ConfigureAwait(false);
        await using var connection = await _source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await _tables.CreateAsync(connection, EventTables.Of(_store), ct).ConfigureAwait(false);
        // Documents are copied once they are whole: nobody looks for one by its key before.
        var definitions = _projection is IFoldedDocuments { CanFold: true } ? await _tables.StripAsync(connection, ct).ConfigureAwait(false) : [];
        await _record.BeginAsync(_projection.Version, definitions, ct).ConfigureAwait(false);
        (Position, _phase) = (0, RebuildPhase.Filling);
    }

    /// <summary>Keys and indexes once, with the phase behind them.</summary>
    private async ValueTask BuildIndexesAsync(RebuildPhase next, CancellationToken ct)
    {
        var definitions = (await _record.LoadAsync(ct).ConfigureAwait(false))?.Definitions ?? [];
        await using var connection = await _source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        await using (var build = new NpgsqlCommand(string.Concat(definitions), connection) { CommandTimeout = 0 })
        {
            if (definitions.Count > 0) await build.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        }
        await using var entered = new NpgsqlCommand("update sx_rebuild set phase = $2, definitions = '{}' where name = $1", connection)
        {
            Parameters = { new() { Value = _projection.Name }, new() { Value = next.ToString() } },
        };
        await entered.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        await transaction.CommitAsync(ct).ConfigureAwait(false);
    }

    private async ValueTask TrySwitchAsync(bool isPatient, CancellationToken ct)
    {
        await using var connection = await _source.OpenConnectionAsync(ct).ConfigureAwait(false);
        var renames = await _tables.SwitchSqlAsync(connection, ct).ConfigureAwait(false);
        var locks = await _tables.LockSqlAsync(connection, isPatient, ct).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        // Bookkeeping first, the renames last: the locks that readers feel are held for the commit only.
        await WriteDownAsync(connection, ct).ConfigureAwait(false);
        await ShadowTables.RunAsync(connection, "set local client_min_messages = warning; set local lock_timeout = '40ms';" + locks + renames, ct).ConfigureAwait(false);
        await transaction.CommitAsync(ct).ConfigureAwait(false);
    }

    private async ValueTask WriteDownAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        const string keepPrevious = """
            with live as (select v.name, v.version,
                                 coalesce((select p.last_seq_id from mt_event_progression p
                                           where p.name = $1 || case when v.version > 1 then ':V' || v.version else '' end || ':All'), 0) as position
                          from sx_projection_version v where v.name = $1)
            insert into sx_projection_previous (name, version, position) select name, version, position from live
            on conflict (name) do update set version = excluded.version, position = excluded.position, switched_at = transaction_timestamp()
            """;
        const string moveParked = """
            with moved as (delete from mt_doc_deadletterevent where data ->> 'ProjectionName' = $1 and data ->> 'ShardName' = $2
                           returning data, mt_last_modified, mt_dotnet_type)
            insert into mt_doc_deadletterevent (id, data, mt_last_modified, mt_dotnet_type)
            select k.id, m.data || jsonb_build_object('Id', k.id, 'ShardName', $3::text), m.mt_last_modified, m.mt_dotnet_type
            from moved m cross join lateral (select md5($1::text || ':' || $3::text || ':' || (m.data ->> 'EventSequence'))::uuid as id) k
            on conflict (id) do nothing
            """;
        var shard = ShardName.Of(_projection.Name, _projection.Version);
        var key = DeadLetters.Key(shard);
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Command(keepPrevious, _projection.Name));
        batch.BatchCommands.Add(Command(
            "insert into mt_event_progression (name, last_seq_id) values ($1, $2) on conflict (name) do update set last_seq_id = excluded.last_seq_id, last_updated = transaction_timestamp()",
            shard, Position));
        batch.BatchCommands.Add(Command(ProjectionVersions.Record, _projection.Name, _projection.Version));
        batch.BatchCommands.Add(Command(DeadLetters.Forget, [.. key]));
        batch.BatchCommands.Add(Command(moveParked, _projection.Name, DeadLetters.Key(ShadowCheckpoint.ShardOf(_projection))[1], key[1]));
        batch.BatchCommands.Add(Command(
            "update sx_rebuild set state = $2, phase = $3, position = $4, target = $4, updated_at = transaction_timestamp() where name = $1",
            _projection.Name, nameof(RebuildState.Switched), nameof(RebuildPhase.Done), Position));
        await batch.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private async ValueTask EnterAsync(RebuildPhase phase, CancellationToken ct)
    {
        _phase = phase;
        await _record.EnterAsync(phase, ct).ConfigureAwait(false);
    }

    private async ValueTask ReportAsync(long target, CancellationToken ct)
    {
        Report(target);
        if (_aimedAt is { } last && _clock.GetElapsedTime(last) < AimInterval) return;
        _aimedAt = _clock.GetTimestamp();
        await _record.AimAsync(target, _phase == RebuildPhase.Filling ? Position : null, ct).ConfigureAwait(false);
    }

    private void Report(long target)
    {
        var seconds = _clock.GetElapsedTime(_startedAt).TotalSeconds;
        _progress.Report(new RebuildProgress(_projection.Name, Position, target)
        {
            Phase = _phase,
            EventsPerSecond = seconds > 0 ? (Position - _startPosition) / seconds : 0,
        });
    }

    private static NpgsqlBatchCommand Command(string sql, params object[] values)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        return command;
    }
}
