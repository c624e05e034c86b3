namespace Sentiric.EventStore;

public sealed partial class ProjectionDaemon
{
    /// <summary>
    /// Fills new tables from the first event on and puts them in the place of the old ones in one short transaction:
    /// readers see the old rows, then the new ones, never an empty table. Runs beside the living projection.
    /// What a crash or a shutdown interrupted goes on where it stood.
    /// Throws <see cref="ProjectionOwnedElsewhereException"/>, <see cref="RebuildDiffersException"/> and <see cref="RebuildCancelledException"/>.
    /// </summary>
    public ValueTask RebuildAsync(string name, RebuildOptions? options, IProgress<RebuildProgress>? progress = null, CancellationToken ct = default) =>
        ShardOf(name).RebuildAsync(options ?? new RebuildOptions(), progress, ct);

    /// <summary>The same with the options that suit most.</summary>
    public ValueTask RebuildAsync(string name, IProgress<RebuildProgress>? progress = null, CancellationToken ct = default) =>
        RebuildAsync(name, null, progress, ct);

    /// <summary>The rebuild under way or the last one, in whatever process; <see cref="RebuildState.None"/> when there never was one.</summary>
    public ValueTask<RebuildStatus> RebuildStatusAsync(string name, CancellationToken ct = default) => ShardOf(name).RebuildStatusAsync(ct);

    /// <summary>
    /// Ends the rebuild and drops its tables; the living ones stay as they are. Works across processes: the one that rebuilds sees it with its next page.
    /// False when nothing is being rebuilt.
    /// </summary>
    public ValueTask<bool> CancelRebuildAsync(string name, CancellationToken ct = default) => ShardOf(name).CancelRebuildAsync(ct);

    /// <summary>
    /// Puts the tables from before the last switch back, with their version and position; the daemon applies what came since.
    /// Doing it twice goes forward again. False when there are none. Throws <see cref="ProjectionOwnedElsewhereException"/>.
    /// </summary>
    public ValueTask<bool> RollbackSwitchAsync(string name, CancellationToken ct = default) => ShardOf(name).RollbackSwitchAsync(ct);

    /// <summary>Drops the tables from before the last switch. False when there are none.</summary>
    public ValueTask<bool> DropPreviousAsync(string name, CancellationToken ct = default) => ShardOf(name).DropPreviousAsync(ct);

    /// <summary>
    /// Folds one stream anew and writes its document, up to where the projection stands. Only for single-stream projections; others throw
    /// <see cref="NotSupportedException"/>. Throws <see cref="ProjectionOwnedElsewhereException"/>.
    /// </summary>
    public ValueTask RebuildStreamAsync(string name, string tenant, string streamId, CancellationToken ct = default) =>
        ShardOf(name).RebuildStreamAsync(StreamAddress.Of(tenant, streamId), ct);
}
