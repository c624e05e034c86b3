using Microsoft.Extensions.Logging;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// Writes batches into the living tables over the connection that holds the shard's lock. Rows, checkpoint and commit are one round trip:
/// whatever dies, an event is in the rows exactly when the checkpoint is behind it. One user at a time.
/// </summary>
internal sealed class LiveApplier(
    ITableProjection projection, EventTables tables, IEventSerializer serializer, ShardLock session, long? checkpoint, ProjectionOptions options, TimeProvider clock, ILogger logger)
{
    // What is not as it should be divides by zero: the batch fails, and with it the commit behind it.
    private const string VersionSql = "select 1 / count(*) from sx_projection_version where name = $1 and version = $2";

    private readonly string _shard = ShardName.Of(projection.Name, projection.Version);

    /// <summary>Where the shard stands in the database; null before its first batch.</summary>
    public long? Checkpoint { get; private set; } = checkpoint;

    /// <summary>
    /// Applies the events and moves to <paramref name="to"/>. Parks single events that keep failing, and those that are to be <paramref name="skipped"/> untried;
    /// throws what will pass, and <see cref="ShardStoppedException"/> where the options say so.
    /// </summary>
    public async ValueTask ApplyAsync(List<RecordedEvent> events, IReadOnlyList<ParkedEvent> skipped, long to, CancellationToken ct)
    {
        if (await TryAsync(events, skipped, to, ct).ConfigureAwait(false) is not { } failure) return;
        if (events.Count == 0) throw failure;
        if (events.Count == 1) await ApplyOneAsync(events[0], failure, skipped, to, ct).ConfigureAwait(false);
        else await HalveAsync(events, skipped, to, ct).ConfigureAwait(false);
    }

    /// <summary>Applies one event behind others that came after it, and takes it off the list of the parked ones.</summary>
    public async ValueTask<RetryResult> RetryAsync(RecordedEvent recorded, Func<ProjectionWriter, ValueTask> apply, CancellationToken ct)
    {
        var writer = NewWriter(isLate: true);
        var done = new RetryResult(RetryOutcome.Applied);
        try
        {
            await apply(writer).ConfigureAwait(false);
            await writer.CommitAsync(
                [Version(), ShardOrders.Discard(_shard, recorded.Position), ShardOrders.Done(_shard, recorded.Position, OrderKind.Retry, done)], ct).ConfigureAwait(false);
            return done;
        }
        catch (Exception failure)
        {
            await AbandonAsync(writer, failure).ConfigureAwait(false);
            if (ct.IsCancellationRequested || IsLost || Passes(failure)) throw;
            return new RetryResult(RetryOutcome.FailedAgain, failure.Message);
        }
    }

    /// <summary>Somebody in the batch is poison: halves find it in few steps, and the others are applied.</summary>
    private async ValueTask HalveAsync(List<RecordedEvent> events, IReadOnlyList<ParkedEvent> skipped, long to, CancellationToken ct)
    {
        var half = events.Count / 2;
        var border = events[half - 1].Position;
        await ApplyAsync(events[..half], [.. skipped.Where(s => s.Position <= border)], border, ct).ConfigureAwait(false);
        await ApplyAsync(events[half..], [.. skipped.Where(s => s.Position > border)], to, ct).ConfigureAwait(false);
    }

    private async ValueTask ApplyOneAsync(RecordedEvent recorded, Exception failure, IReadOnlyList<ParkedEvent> skipped, long to, CancellationToken ct)
    {
        for (var attempt = 1; attempt < options.MaxAttempts; attempt++)
        {
            await Task.Delay(options.RetryDelay, clock, ct).ConfigureAwait(false);
            if (await TryAsync([recorded], skipped, to, ct).ConfigureAwait(false) is not { } again) return;
            failure = again;
        }
        if (options.OnError == ErrorPolicy.Stop) throw new ShardStoppedException(_shard, recorded.Position, failure);
        logger.EventParked(failure, projection.Name, recorded.Position, recorded.EventType);
        StoreTelemetry.Parked(_shard);
        if (await TryAsync([], [.. skipped, Parked.Of(_shard, recorded, failure, clock)], to, ct).ConfigureAwait(false) is { } broken) throw broken;
    }

    /// <summary>Null when it is done; what is wrong with the batch otherwise. Throws what is wrong with the world.</summary>
    private async ValueTask<Exception?> TryAsync(List<RecordedEvent> events, IReadOnlyList<ParkedEvent> parked, long to, CancellationToken ct)
    {
        using var watch = StoreTelemetry.ProjectionBatch(_shard, events);
        var writer = NewWriter(isLate: false);
        try
        {
            if (events.Count > 0) await projection.ApplyAsync(writer, events, ct).ConfigureAwait(false);
            if (events.Count > 0 && options.Erasure is { } erasure) await erasure.ReplayAsync(projection, writer, events, to, new LeftOut(_shard, parked.Select(p => p.Position).ToHashSet()), ct).ConfigureAwait(false);
            await writer.CommitAsync([.. Park(parked), Version(), Progress.AdvanceOrFail(_shard, Checkpoint, to)], ct).ConfigureAwait(false);
            Checkpoint = to;
            watch.Done();
            return null;
        }
        catch (Exception failure)
        {
            await AbandonAsync(writer, failure).ConfigureAwait(false);
            if (ct.IsCancellationRequested || IsLost || Passes(failure)) throw;
            if (failure is PostgresException { SqlState: PostgresErrorCodes.DivisionByZero }) await ThrowWhatChangedAsync(ct).ConfigureAwait(false);
            return failure;
        }
    }

    /// <summary>Quiet when the version and the checkpoint are as expected: then the projection itself divided by zero.</summary>
    private async ValueTask ThrowWhatChangedAsync(CancellationToken ct)
    {
        const string sql = """
            select exists (select from sx_projection_version where name = $1 and version = $2),
                   (select last_seq_id from mt_event_progression where name = $3) is not distinct from $4::bigint
            """;
        await using var command = new NpgsqlBatch(session.Connection)
        {
            BatchCommands = { ProjectionWriter.Command(sql, projection.Name, projection.Version, _shard, Checkpoint) },
        };
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        await row.ReadAsync(ct).ConfigureAwait(false);
        if (!row.GetBoolean(0)) throw new ProjectionSupersededException(projection.Name, projection.Version);
        if (!row.GetBoolean(1)) throw new CheckpointMovedException(_shard);
    }

    private static IEnumerable<NpgsqlBatchCommand> Park(IReadOnlyList<ParkedEvent> parked)
    {
        foreach (var one in parked)
        {
            yield return DeadLetters.InsertCommand(one);
            yield return ShardOrders.Done(one.Shard, one.Position, OrderKind.Skip, null);
        }
    }

    // After the rows were written: whoever wrote into the tables of a newer version sees that version here.
    private NpgsqlBatchCommand Version() => ProjectionWriter.Command(VersionSql, projection.Name, projection.Version);

    private ProjectionWriter NewWriter(bool isLate) => new(session.Connection, tables, serializer, projection, "") { Session = session, IsLate = isLate };

    private async ValueTask AbandonAsync(ProjectionWriter writer, Exception failure)
    {
        // What was folded is not what is in the tables.
        session.Documents.Clear();
        await writer.AbandonAsync().ConfigureAwait(false);
        // A prepared query of a table that was replaced by one with other columns.
        if (failure is PostgresException { SqlState: PostgresErrorCodes.FeatureNotSupported }) session.Connection.UnprepareAll();
    }

    // Then whatever failed failed for that, and nothing is known of the event.
    private bool IsLost => session.Connection.FullState is not System.Data.ConnectionState.Open;

    private static bool Passes(Exception failure) =>
        failure is CheckpointMovedException or ProjectionSupersededException
        || SubscriptionOptions.IsTransientByDefault(failure)
        || (failure is PostgresException { SqlState: var state } && (state.StartsWith("57P", StringComparison.Ordinal) || state.StartsWith("08", StringComparison.Ordinal)));
}

/// <summary>An event could not be applied, and the projection is told to stop rather than to leave it out.</summary>
public sealed class ShardStoppedException(string shard, long position, Exception why) : EventStoreException(
    string.Create(System.Globalization.CultureInfo.InvariantCulture, $"'{shard}' stopped at event {position}: {why.Message}"), why)
{
    public long Position { get; } = position;
}
