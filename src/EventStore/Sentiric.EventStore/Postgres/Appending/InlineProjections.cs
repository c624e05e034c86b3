using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// Read models that are written in the append's own transaction: who has the answer of his append reads its rows. They make every append slower
/// and refuse it when they fail, so they are for what a decision needs at once, not for screens.
/// They see the payload as it was given, before the storage puts its keys in its own order.
/// </summary>
internal sealed class InlineProjections(IReadOnlyList<ITableProjection> projections, EventTables tables, IEventSerializer serializer)
{
    public bool Any => projections.Count > 0;

    /// <summary>Creates their tables where they are missing.</summary>
    public async ValueTask EnsureTablesAsync(NpgsqlDataSource source, CancellationToken ct)
    {
        var versions = new ProjectionVersions(source, tables);
        foreach (var projection in projections)
        {
            await versions.CreateTablesAsync(projection, ct).ConfigureAwait(false);
            if (await versions.LoadAsync(projection.Name, ct).ConfigureAwait(false) is { } live && live != projection.Version)
                throw new ProjectionSupersededException(projection.Name, projection.Version);
        }
    }

    /// <summary>In the transaction under way on the connection. Throws <see cref="InlineProjectionException"/> for what the projection or its tables refuse.</summary>
    public async ValueTask ApplyAsync(NpgsqlConnection connection, IReadOnlyList<RecordedEvent> events, CancellationToken ct)
    {
        if (events.Count == 0) return;
        foreach (var projection in projections)
        {
            var writer = new ProjectionWriter(connection, tables, serializer, projection, suffix: "");
            try
            {
                await projection.ApplyAsync(writer, events, ct).ConfigureAwait(false);
                await writer.FlushAsync(ct).ConfigureAwait(false);
            }
            catch (Exception failure) when (!IsOfTheWorld(failure))
            {
                throw new InlineProjectionException(projection.Name, failure);
            }
        }
    }

    /// <summary>In the order in which they lie in the log; <paramref name="order"/> as it was given to <see cref="ArrayParameters.Fill"/>.</summary>
    public static List<RecordedEvent> Recorded(List<StreamShare> streams, Placed?[] answers, int[]? order = null)
    {
        var recorded = new List<RecordedEvent>();
        for (var at = 0; at < answers.Length; at++)
        {
            var i = order?[at] ?? at;
            if (answers[i] is { } placed) Add(recorded, streams[i], placed);
        }
        return recorded;
    }

    private static void Add(List<RecordedEvent> recorded, StreamShare share, Placed placed)
    {
        var (at, index) = (new DateTimeOffset(placed.RecordedAt, TimeSpan.Zero), 0);
        foreach (var payload in share.Requests.SelectMany(r => r.Plan.Payloads))
        {
            recorded.Add(new RecordedEvent(
                placed.Positions[index], share.Address.Tenant, share.Address.StreamId, placed.Version - share.Events + index + 1, payload.Event.EventId,
                payload.Name, StoredName.Parse(payload.Name).Version, at, payload.Json, payload.Event.Metadata));
            index++;
        }
    }

    /// <summary>The append is to be tried again or has lost its connection: the projection is not to blame.</summary>
    private static bool IsOfTheWorld(Exception failure) => failure switch
    {
        PostgresException told => told.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.LockNotAvailable
            or PostgresErrorCodes.DiskFull or PostgresErrorCodes.QueryCanceled || Failures.IsSessionEnded(told),
        _ => failure is OperationCanceledException || Failures.IsConnectionLost(failure),
    };
}
