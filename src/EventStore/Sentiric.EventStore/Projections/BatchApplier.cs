using Microsoft.Extensions.Logging;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>Applies batches to one set of tables. Rows and checkpoint stand or fall together.</summary>
internal sealed class BatchApplier(
    NpgsqlDataSource source, EventTables tables, IEventSerializer serializer, ITableProjection projection, string suffix, IProjectionCheckpoint checkpoint,
    ProjectionOptions options, TimeProvider clock, ILogger logger)
{
    private readonly string _shard = ShardName.Of(projection.Name, projection.Version);
    private readonly HashSet<string>? _types = projection.EventTypes?.ToHashSet(StringComparer.Ordinal);

    /// <summary>Positions of events that are parked untried.</summary>
    public IReadOnlySet<long> Skipped { get; set; } = new HashSet<long>();

    /// <summary>Applies the batch and moves from <paramref name="from"/> to <paramref name="to"/>. Parks single events that keep failing; throws what will pass.</summary>
    public async ValueTask ApplyAsync(List<RecordedEvent> events, long? from, long to, CancellationToken ct)
    {
        // Rows that were filled before somebody was forgotten are blanked by the erasure, whatever else the projection looks at.
        var batch = _types is null ? events : [.. events.Where(e => _types.Contains(e.EventType) || e.EventType == options.Erasure?.EventType)];
        if (await TryAsync(batch, from, to, ct).ConfigureAwait(false) is not { } failure) return;
        if (batch.Count == 0) throw failure;
        // Somebody in the batch is poison: one by one finds it, and the others are applied.
        var at = from;
        foreach (var recorded in batch)
        {
            await ApplyOneAsync(recorded, at, ct).ConfigureAwait(false);
            at = recorded.Position;
        }
        if (to > at && await TryAsync([], at, to, ct).ConfigureAwait(false) is { } last) throw last;
    }

    private async ValueTask ApplyOneAsync(RecordedEvent recorded, long? from, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (await TryAsync([recorded], from, recorded.Position, ct).ConfigureAwait(false) is not { } failure) return;
            if (attempt >= options.MaxAttempts)
            {
                await ParkAsync(recorded, failure, from, ct).ConfigureAwait(false);
                return;
            }
            await Task.Delay(options.RetryDelay, clock, ct).ConfigureAwait(false);
        }
    }

    private async ValueTask<Exception?> TryAsync(List<RecordedEvent> batch, long? from, long to, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        try
        {
            foreach (var skipped in batch.Where(e => Skipped.Contains(e.Position)))
                await checkpoint.ParkAsync(connection, Parked.Skipped(_shard, skipped, clock), ct).ConfigureAwait(false);
            if (Skipped.Count > 0) batch = [.. batch.Where(e => !Skipped.Contains(e.Position))];
            if (batch.Count > 0)
            {
                var writer = new ProjectionWriter(connection, tables, serializer, projection, suffix);
                await projection.ApplyAsync(writer, batch, ct).ConfigureAwait(false);
                if (options.Erasure is { } erasure) await erasure.ReplayAsync(projection, writer, batch, to, new LeftOut(ShadowCheckpoint.ShardOf(projection), Skipped), ct).ConfigureAwait(false);
                await writer.FlushAsync(ct).ConfigureAwait(false);
            }
            await checkpoint.AdvanceAsync(connection, from, to, ct).ConfigureAwait(false);
            await transaction.CommitAsync(ct).ConfigureAwait(false);
            return null;
        }
        catch (Exception failure) when (!ct.IsCancellationRequested && !WillPass(failure))
        {
            return failure;
        }
    }

    private async ValueTask ParkAsync(RecordedEvent recorded, Exception failure, long? from, CancellationToken ct)
    {
        logger.EventParked(failure, projection.Name, recorded.Position, recorded.EventType);
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        await checkpoint.ParkAsync(connection, Parked.Of(_shard, recorded, failure, clock), ct).ConfigureAwait(false);
        await checkpoint.AdvanceAsync(connection, from, recorded.Position, ct).ConfigureAwait(false);
        await transaction.CommitAsync(ct).ConfigureAwait(false);
    }

    private static bool WillPass(Exception failure) =>
        failure is CheckpointMovedException or ProjectionSupersededException
        || SubscriptionOptions.IsTransientByDefault(failure)
        || (failure is PostgresException { SqlState: var state } && (state.StartsWith("57P", StringComparison.Ordinal) || state.StartsWith("08", StringComparison.Ordinal)));
}
