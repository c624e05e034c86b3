using Microsoft.Extensions.Logging;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// One projection in one process: owns it when it can, applies batch after batch, rebuilds when asked or when the version changed.
/// <see cref="_gate"/> owns the live tables, the lease and the position; the loop and a rebuild's switch take turns at it.
/// </summary>
internal sealed partial class ProjectionShard(
    NpgsqlDataSource source, IEventStore store, ITableProjection projection, ProjectionOptions options, TimeProvider clock, ILogger logger)
{
    private readonly string _shard = ShardName.Of(projection.Name, projection.Version);
    private readonly EventTables _tables = EventTables.Of(store);
    private readonly ProjectionVersions _versions = new(source, EventTables.Of(store));
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly ChangeSignal _moved = new();

    // Owned by the holder of _gate.
    private IShardLease? _lease;
    private int _leaseUsers;
    private volatile bool _prepared;
    private long? _position;

    // Written by the holder of _gate or the rebuild, read by anyone.
    private volatile ProjectionStatus _status = new(projection.Name, projection.Version, ProjectionState.Stopped, 0, 0, null);

    public string Name => projection.Name;

    public IReadOnlyList<string> Tables => projection.Tables;

    public ProjectionStatus Status => _status;

    public async Task RunAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                if (await TryOwnAsync(ct).ConfigureAwait(false)) await ServeAsync(ct).ConfigureAwait(false);
                else Report(ProjectionState.StandingBy);
            }
            catch (Exception failure)
            {
                if (ct.IsCancellationRequested) break;
                logger.ProjectionInterrupted(failure, Name);
                Report(ProjectionState.Retrying, failure);
            }
            await Task.Delay(options.OwnershipInterval, clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        Report(ProjectionState.Stopped);
    }

    public async ValueTask CatchUpAsync(CancellationToken ct)
    {
        if (!await TryOwnAsync(ct).ConfigureAwait(false)) throw new ProjectionOwnedElsewhereException(Name);
        try
        {
            while (await GatedAsync(() => StepAsync(ct), ct).ConfigureAwait(false)) ct.ThrowIfCancellationRequested();
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

    private async ValueTask ServeAsync(CancellationToken ct)
    {
        try
        {
            while (await GatedAsync(async () => _lease is { } lease && await lease.IsHeldAsync(ct).ConfigureAwait(false), ct).ConfigureAwait(false))
            {
                if (await GatedAsync(() => StepAsync(ct), ct).ConfigureAwait(false)) continue;
                // Not prepared: a rebuild is at it, and nothing else will wake this loop.
                if (_prepared) await store.WaitForChangeAsync(_status.Position, options.PollInterval, ct).ConfigureAwait(false);
                else await Task.Delay(options.PollInterval, clock, ct).ConfigureAwait(false);
            }
        }
        finally
        {
            await ReleaseAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Applies the next batch; false when there was nothing to apply.</summary>
    private async ValueTask<bool> StepAsync(CancellationToken ct)
    {
        if (!_prepared && !await TryPrepareAsync(ct).ConfigureAwait(false)) return false;
        try
        {
            var from = _position ??= await PositionAsync(ct).ConfigureAwait(false);
            var page = await LogPage.ReadAsync(store, from, options.BatchSize, ct).ConfigureAwait(false);
            _status = _status with { HighWaterMark = page.Mark };
            Report(ProjectionState.Running);
            if (page.ReachedPosition <= from) return false;
            var known = await CheckpointAsync(ct).ConfigureAwait(false);
            await NewApplier().ApplyAsync(page.Events, known, page.ReachedPosition, ct).ConfigureAwait(false);
            _position = page.ReachedPosition;
            Report(ProjectionState.Running);
            return true;
        }
        catch
        {
            // Whatever happened, the truth about the position is in the database.
            _position = null;
            throw;
        }
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

    private BatchApplier NewApplier() => new(source, _tables, store.Serializer, projection, "", new LiveCheckpoint(projection, _shard), options, clock, logger);

    private async ValueTask<long> PositionAsync(CancellationToken ct) => await CheckpointAsync(ct).ConfigureAwait(false) ?? 0;

    private ValueTask<long?> CheckpointAsync(CancellationToken ct) => new PostgresCheckpointStore(source).LoadAsync(_shard, ct);

    private async ValueTask<bool> TryOwnAsync(CancellationToken ct)
    {
        await _gate.WaitAsync(ct).ConfigureAwait(false);
        try
        {
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
            (_lease, _position) = (null, null);
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
        _status = _status with { State = state, Position = _position ?? _status.Position, LastError = error?.Message };
        _moved.Pulse();
    }
}
