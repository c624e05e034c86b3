using Microsoft.Extensions.Logging;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// One projection in one process: owns it when it can, applies batch after batch, rebuilds when asked or when the version changed.
/// <see cref="_gate"/> owns the live tables, the lease and the position; the loop and a rebuild's switch take turns at it.
/// </summary>
internal sealed partial class ProjectionShard(
    NpgsqlDataSource source, IEventStore store, LogFeed feed, ITableProjection projection, ProjectionOptions options, TimeProvider clock, ILogger logger)
{
    /// <summary>A checkpoint that only passes unwanted events waits this long for one that has to be written anyway.</summary>
    private static readonly TimeSpan CheckpointInterval = TimeSpan.FromSeconds(1);

    private readonly string _shard = ShardName.Of(projection.Name, projection.Version);
    private readonly EventTables _tables = EventTables.Of(store);
    private readonly ProjectionVersions _versions = new(source, EventTables.Of(store));
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly ChangeSignal _moved = new();
    private readonly Pace _pace = new(options.BatchSize, options.MaxBatchSize, clock);
    private readonly HashSet<string>? _types = projection.EventTypes?.ToHashSet(StringComparer.Ordinal);

    // Owned by the holder of _gate.
    private ShardLock? _lease;
    private int _leaseUsers;
    private volatile bool _prepared;
    private long? _position;
    private LiveApplier? _applier;
    private long _checkpointAt;

    // Written by the holder of _gate or the rebuild, read by anyone.
    private volatile ProjectionStatus _status = new(projection.Name, projection.Version, ProjectionState.Stopped, 0, 0, null);

    public string Name => projection.Name;

    public IReadOnlyList<string> Tables => projection.Tables;

    public ProjectionStatus Status => _status;

    /// <summary>Brings the rows to the high-water mark of now. A paused projection stays where it is.</summary>
    public async ValueTask CatchUpAsync(CancellationToken ct)
    {
        if (!await TryOwnAsync(ct).ConfigureAwait(false)) throw new ProjectionOwnedElsewhereException(Name);
        try
        {
            Told = await _orders.LoadAsync(_shard, ct).ConfigureAwait(false);
            while (!IsPaused && await GatedAsync(() => StepAsync(ct), ct).ConfigureAwait(false)) ct.ThrowIfCancellationRequested();
            if (!IsPaused) await GatedAsync(() => WriteCheckpointAsync(ct), ct).ConfigureAwait(false);
        }
        finally
        {
            await ReleaseAsync().ConfigureAwait(false);
        }
    }

    public async ValueTask WaitForAsync(long position, TimeSpan timeout, CancellationToken ct)
    {
        var started = clock.GetTimestamp();
        while (true)
        {
            var next = _moved.Next;
            if (_status.Position >= position) return;
            var left = timeout - clock.GetElapsedTime(started);
            if (left <= TimeSpan.Zero)
                throw new TimeoutException($"Projection '{Name}' stands at {_status.Position} ({_status.State}) and did not reach {position}. {_status.LastError}");
            await ChangeSignal.WaitAsync(next, left, clock, ct).ConfigureAwait(false);
        }
    }

    /// <summary>Applies the next batch; false when there was nothing to apply.</summary>
    private async ValueTask<bool> StepAsync(CancellationToken ct)
    {
        if (!_prepared && !await TryPrepareAsync(ct).ConfigureAwait(false)) return false;
        try
        {
            if (_applier is null || _position is null) _position = await StartAsync(ct).ConfigureAwait(false);
            var from = _position.Value;
            var page = (await feed.ReadAsync(from, _pace.Size, ct).ConfigureAwait(false)).UpTo(options.Erasure?.EventType);
            _status = _status with { HighWaterMark = page.Mark };
            if (page.ReachedPosition <= from)
            {
                _pace.Rest();
                await WriteOldCheckpointAsync(ct).ConfigureAwait(false);
                Report(ProjectionState.Running);
                return false;
            }
            var began = clock.GetTimestamp();
            await ApplyAsync(page, ct).ConfigureAwait(false);
            if (page.EndsWith(options.Erasure?.EventType)) feed.Forget();
            _position = page.ReachedPosition;
            _pace.Passed(page.ReachedPosition - from, page.Events.Count, clock.GetElapsedTime(began));
            Report(ProjectionState.Running);
            if (Told.Skips.Count > 0) await PassSkipsAsync(page.ReachedPosition, ct).ConfigureAwait(false);
            return true;
        }
        catch
        {
            // Whatever happened, the truth about the position is in the database.
            Forget();
            throw;
        }
    }

    private async ValueTask ApplyAsync(LogPage page, CancellationToken ct)
    {
        var told = Told;
        var events = page.Events;
        IReadOnlyList<ParkedEvent> skipped = [];
        if (_types is not null) events = [.. events.Where(e => _types.Contains(e.EventType) || e.EventType == options.Erasure?.EventType)];
        if (told.Skips.Count > 0)
        {
            skipped = [.. events.Where(e => told.Skips.Contains(e.Position)).Select(e => Parked.Skipped(_shard, e, clock))];
            events = [.. events.Where(e => !told.Skips.Contains(e.Position))];
        }
        if (events.Count > 0 || skipped.Count > 0) await MoveAsync(events, skipped, page.ReachedPosition, ct).ConfigureAwait(false);
        else if (clock.GetElapsedTime(_checkpointAt) >= CheckpointInterval) await MoveAsync([], [], page.ReachedPosition, ct).ConfigureAwait(false);
    }

    /// <summary>Skips of numbers that no wanted event has are done as well.</summary>
    private async ValueTask PassSkipsAsync(long position, CancellationToken ct)
    {
        foreach (var passed in Told.Skips.Where(s => s <= position))
            await _orders.AnswerAsync(_shard, passed, OrderKind.Skip, null, ct).ConfigureAwait(false);
        Told = Told with { Skips = [.. Told.Skips.Where(s => s > position)] };
    }

    private async ValueTask MoveAsync(List<RecordedEvent> events, IReadOnlyList<ParkedEvent> skipped, long to, CancellationToken ct)
    {
        await Applier.ApplyAsync(events, skipped, to, ct).ConfigureAwait(false);
        _checkpointAt = clock.GetTimestamp();
    }

    /// <summary>Writes the position down where unwanted events moved it further than the last checkpoint.</summary>
    private async ValueTask<bool> WriteCheckpointAsync(CancellationToken ct)
    {
        if (_position is not { } position || _applier is null || (_applier.Checkpoint ?? 0) >= position) return false;
        await MoveAsync([], [], position, ct).ConfigureAwait(false);
        return true;
    }

    private async ValueTask WriteOldCheckpointAsync(CancellationToken ct)
    {
        if (clock.GetElapsedTime(_checkpointAt) >= CheckpointInterval) await WriteCheckpointAsync(ct).ConfigureAwait(false);
    }

    private LiveApplier Applier => _applier ?? throw new InvalidOperationException($"Projection '{Name}' was not started.");

    private async ValueTask<long> StartAsync(CancellationToken ct)
    {
        if (_lease is not { } lease) throw new ProjectionOwnedElsewhereException(Name);
        var checkpoint = await new PostgresCheckpointStore(source).LoadAsync(_shard, ct).ConfigureAwait(false);
        lease.Documents.Clear();
        _applier = new LiveApplier(projection, _tables, store.Serializer, lease, checkpoint, options, clock, logger);
        return checkpoint ?? 0;
    }

    /// <summary>What is known of the rows is not to be trusted: they are somebody else's, or nobody knows whether the last batch is in them.</summary>
    private void Forget()
    {
        (_position, _applier) = (null, null);
        _lease?.Documents.Clear();
    }

    /// <summary>
    /// Makes sure that the live tables are those of this version. A newer version is built beside the old tables, which serve until the switch.
    /// False while somebody rebuilds: that will prepare them, too.
    /// </summary>
    private async ValueTask<bool> TryPrepareAsync(CancellationToken ct)
    {
        var recorded = await _versions.LoadAsync(Name, ct).ConfigureAwait(false);
        if (recorded > projection.Version) throw new ProjectionSupersededException(Name, projection.Version);
        if (recorded is null || recorded == projection.Version) await _versions.CreateTablesAsync(projection, ct).ConfigureAwait(false);
        else if (!await TryUpgradeAsync(recorded.Value, ct).ConfigureAwait(false)) return false;
        _prepared = true;
        return true;
    }

    private async ValueTask<long> PositionAsync(CancellationToken ct) => await new PostgresCheckpointStore(source).LoadAsync(_shard, ct).ConfigureAwait(false) ?? 0;

    private async ValueTask<bool> TryOwnAsync(CancellationToken ct)
    {
        await _gate.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_lease is { IsLost: true } lost)
            {
                // A rebuild counts on it still and will find that it is another one; the rows must not wait for that.
                Forget();
                _lease = null;
                await lost.DisposeAsync().ConfigureAwait(false);
            }
            _lease ??= await ShardLock.TryTakeAsync(source, _shard, ct).ConfigureAwait(false);
            if (_lease is null) return false;
            _leaseUsers++;
            return true;
        }
        finally
        {
            _gate.Release();
        }
    }

    private async ValueTask ReleaseAsync()
    {
        await _gate.WaitAsync().ConfigureAwait(false);
        try
        {
            if (--_leaseUsers > 0 || _lease is not { } lease) return;
            Forget();
            _lease = null;
            await lease.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            _gate.Release();
        }
    }

    private async ValueTask<bool> GatedAsync(Func<ValueTask<bool>> work, CancellationToken ct)
    {
        await _gate.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            return await work().ConfigureAwait(false);
        }
        finally
        {
            _gate.Release();
        }
    }

    private void Report(ProjectionState state, Exception? error = null)
    {
        _status = _status with
        {
            State = state,
            Position = _position ?? _status.Position,
            LastError = error?.Message,
            EventsPerSecond = _pace.PerSecond,
            Pause = Told.Pause,
            Owner = _lease is null ? null : options.HostName,
        };
        StoreTelemetry.Stands(_shard, isProjection: true, _status.Position, _status.HighWaterMark);
        _moved.Pulse();
    }
}
