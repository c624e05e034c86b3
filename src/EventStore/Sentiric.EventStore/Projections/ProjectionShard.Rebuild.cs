using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// Rebuilds: beside the living rows until the shadows stand where those stand, then in turns with the loop.
/// <see cref="_rebuilding"/> lets one rebuild at a time into this process; the lease lets one process at a time.
/// </summary>
internal sealed partial class ProjectionShard
{
    private readonly SemaphoreSlim _rebuilding = new(1, 1);

    public async ValueTask RebuildAsync(RebuildOptions wishes, IProgress<RebuildProgress>? progress, CancellationToken ct)
    {
        await _rebuilding.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (!await TryOwnAsync(ct).ConfigureAwait(false)) throw new ProjectionOwnedElsewhereException(Name);
            try
            {
                await RecordedAsync(RebuildWholeAsync(NewRebuild(wishes, progress), _lease, wishes, ct), ct).ConfigureAwait(false);
            }
            finally
            {
                await ReleaseAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            _rebuilding.Release();
        }
    }

    public async ValueTask<RebuildStatus> RebuildStatusAsync(CancellationToken ct)
    {
        var previous = await PreviousAsync(ct).ConfigureAwait(false);
        if (await new RebuildRecord(source, Name).LoadAsync(ct).ConfigureAwait(false) is not { } row)
            return new RebuildStatus(Name, projection.Version, RebuildState.None, new RebuildProgress(Name, 0, 0), null, null, null, previous?.Version);
        var state = row.State == RebuildState.Running && await IsAbandonedAsync(ct).ConfigureAwait(false) ? RebuildState.Interrupted : row.State;
        var seconds = (row.UpdatedAt - row.StartedAt).TotalSeconds;
        var reached = new RebuildProgress(Name, row.Position, row.Target) { Phase = row.Phase, EventsPerSecond = seconds > 0 ? row.Position / seconds : 0 };
        return new RebuildStatus(Name, row.Version, state, reached, row.StartedAt, row.UpdatedAt, row.Error, previous?.Version);
    }

    public async ValueTask<bool> CancelRebuildAsync(CancellationToken ct)
    {
        if (!await new RebuildRecord(source, Name).AskToCancelAsync(ct).ConfigureAwait(false)) return false;
        // Whoever rebuilds sees it. Where nobody does, the tables are dropped here.
        if (await IsAbandonedAsync(ct).ConfigureAwait(false)) await ProjectionRebuild.DiscardAsync(source, projection, ct).ConfigureAwait(false);
        return true;
    }

    public ValueTask<bool> RollbackSwitchAsync(CancellationToken ct) => OwnedAsync(() => RollBackAsync(ct), ct);

    public async ValueTask<bool> DropPreviousAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        await new ShadowTables(projection).DropAsync(connection, ShadowTables.Previous, ct).ConfigureAwait(false);
        await using var forget = new NpgsqlCommand("delete from sx_projection_previous where name = $1", connection) { Parameters = { new() { Value = Name } } };
        var had = await forget.ExecuteNonQueryAsync(ct).ConfigureAwait(false) == 1;
        await transaction.CommitAsync(ct).ConfigureAwait(false);
        return had;
    }

    private async ValueTask<bool> RebuildWholeAsync(ProjectionRebuild rebuild, ShardLock? begunWith, RebuildOptions wishes, CancellationToken ct)
    {
        await rebuild.FillAsync(ct).ConfigureAwait(false);
        if (!wishes.AcceptDifferences) await CompareAsync(rebuild, ct).ConfigureAwait(false);
        return await GatedAsync(() => SwitchAsync(rebuild, begunWith, ct), ct).ConfigureAwait(false);
    }

    /// <summary>Only rows of the same version have to be equal. The loop waits while both are brought to one position, not while they are compared.</summary>
    private async ValueTask CompareAsync(ProjectionRebuild rebuild, CancellationToken ct)
    {
        RowComparison? comparison = null;
        await GatedAsync(async () =>
        {
            if (await _versions.LoadAsync(Name, ct).ConfigureAwait(false) != projection.Version) return false;
            var goal = Math.Max(rebuild.Position, await store.GetHighWaterMarkAsync(ct).ConfigureAwait(false));
            while ((_position ?? 0) < goal && await StepAsync(ct).ConfigureAwait(false)) ct.ThrowIfCancellationRequested();
            comparison = await rebuild.SnapshotAsync(_position ?? 0, ct).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        if (comparison is null) return;
        await using (comparison.ConfigureAwait(false)) await rebuild.CompareAsync(comparison, ct).ConfigureAwait(false);
    }

    /// <summary>With the lock that it began with: under another one somebody else may have rebuilt meanwhile, and taken the shadows.</summary>
    private async ValueTask<bool> SwitchAsync(ProjectionRebuild rebuild, ShardLock? begunWith, CancellationToken ct)
    {
        if (_lease is not { } lease || lease != begunWith || !await lease.IsHeldAsync(ct).ConfigureAwait(false)) throw new ProjectionOwnedElsewhereException(Name);
        await rebuild.SwitchAsync(ct).ConfigureAwait(false);
        Forget();
        (_position, _prepared) = (rebuild.Position, true);
        Report(ProjectionState.Running);
        logger.ProjectionRebuilt(Name, rebuild.Position);
        return true;
    }

    /// <summary>The caller holds the gate: the living tables are of another version, so there is nothing else to do with them.</summary>
    private async ValueTask<bool> TryUpgradeAsync(int recorded, CancellationToken ct)
    {
        if (!await _rebuilding.WaitAsync(TimeSpan.Zero, ct).ConfigureAwait(false)) return false;
        try
        {
            if (await new RebuildRecord(source, Name).LoadAsync(ct).ConfigureAwait(false) is { State: RebuildState.RolledBack } last && last.Version == projection.Version)
                throw new ProjectionRolledBackException(Name, projection.Version);
            logger.ProjectionVersionChanged(Name, recorded, projection.Version);
            var rebuild = NewRebuild(new RebuildOptions(), null);
            return await RecordedAsync(UpgradeAsync(), ct).ConfigureAwait(false);

            async ValueTask<bool> UpgradeAsync()
            {
                await rebuild.FillAsync(ct).ConfigureAwait(false);
                return await SwitchAsync(rebuild, _lease, ct).ConfigureAwait(false);
            }
        }
        finally
        {
            _rebuilding.Release();
        }
    }

    /// <summary>How it ended is written down; a lost connection or a shutdown writes nothing, so that the next one continues.</summary>
    private async ValueTask<bool> RecordedAsync(ValueTask<bool> rebuild, CancellationToken ct)
    {
        try
        {
            return await rebuild.ConfigureAwait(false);
        }
        catch (RebuildCancelledException)
        {
            await ProjectionRebuild.DiscardAsync(source, projection, ct).ConfigureAwait(false);
            throw;
        }
        catch (RebuildDiffersException differs)
        {
            await new RebuildRecord(source, Name).EndAsync(RebuildState.Differs, differs.Message, ct).ConfigureAwait(false);
            throw;
        }
        catch (Exception failure) when (!ct.IsCancellationRequested && !Failures.IsConnectionLost(failure) && failure is not (EventStoreUnavailableException or ProjectionOwnedElsewhereException))
        {
            await new RebuildRecord(source, Name).EndAsync(RebuildState.Failed, failure.Message, ct).ConfigureAwait(false);
            throw;
        }
    }

    private async ValueTask<bool> RollBackAsync(CancellationToken ct)
    {
        if (await PreviousAsync(ct).ConfigureAwait(false) is not { } previous) return false;
        if (await _versions.LoadAsync(Name, ct).ConfigureAwait(false) is not { } version) return false;
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        await ShadowTables.RunAsync(connection, "set local lock_timeout = '2s'", ct).ConfigureAwait(false);
        await new ShadowTables(projection).SwapAsync(connection, ct).ConfigureAwait(false);
        const string sql = """
            with live as (select coalesce((select last_seq_id from mt_event_progression where name = $4), 0) as position),
            kept as (update sx_projection_previous set version = $5, position = live.position, switched_at = transaction_timestamp() from live where name = $1),
            named as (update sx_projection_version set version = $2, switched_at = transaction_timestamp() where name = $1),
            noted as (update sx_rebuild set state = $7, version = $5, updated_at = transaction_timestamp() where name = $1)
            insert into mt_event_progression (name, last_seq_id) values ($3, $6)
            on conflict (name) do update set last_seq_id = excluded.last_seq_id, last_updated = transaction_timestamp()
            """;
        await using var write = new NpgsqlCommand(sql, connection);
        foreach (var value in new object[] { Name, previous.Version, ShardName.Of(Name, previous.Version), ShardName.Of(Name, version), version, previous.Position, nameof(RebuildState.RolledBack) })
            write.Parameters.Add(new() { Value = value });
        await write.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        await transaction.CommitAsync(ct).ConfigureAwait(false);
        Forget();
        _prepared = false;
        return true;
    }

    private async ValueTask<(int Version, long Position)?> PreviousAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand("select version, position from sx_projection_previous where name = $1");
        command.Parameters.Add(new() { Value = Name });
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? (row.GetInt32(0), row.GetInt64(1)) : null;
    }

    /// <summary>Nobody rebuilds: not this process, and no other holds the shard.</summary>
    private async ValueTask<bool> IsAbandonedAsync(CancellationToken ct)
    {
        if (_rebuilding.CurrentCount == 0) return false;
        if (!await TryOwnAsync(ct).ConfigureAwait(false)) return false;
        await ReleaseAsync().ConfigureAwait(false);
        return true;
    }

    /// <summary>Does the work in turns with the loop, as the owner.</summary>
    private async ValueTask<bool> OwnedAsync(Func<ValueTask<bool>> work, CancellationToken ct)
    {
        if (!await TryOwnAsync(ct).ConfigureAwait(false)) throw new ProjectionOwnedElsewhereException(Name);
        try
        {
            return await GatedAsync(work, ct).ConfigureAwait(false);
        }
        finally
        {
            await ReleaseAsync().ConfigureAwait(false);
        }
    }

    private ProjectionRebuild NewRebuild(RebuildOptions wishes, IProgress<RebuildProgress>? progress) =>
        new(source, store, projection, options, wishes, clock, logger, new Relay(this, progress));

    /// <summary>Shows the rebuild in the status and passes it on.</summary>
    private sealed class Relay(ProjectionShard shard, IProgress<RebuildProgress>? next) : IProgress<RebuildProgress>
    {
        public void Report(RebuildProgress value)
        {
            shard._status = shard._status with { State = ProjectionState.Rebuilding, HighWaterMark = value.Target };
            StoreTelemetry.Rebuilding(value);
            next?.Report(value);
        }
    }
}
