using Npgsql;

namespace Sentiric.EventStore;

/// <summary>The array form for streams that stand or fall together, in a transaction that the caller began and ends.</summary>
internal static class TogetherStatement
{
    /// <summary>Per stream where its events went; where one of them is null, nothing was stored and the rows are to be rolled back.</summary>
    /// <param name="order">In which order their events come to lie in the log, as indexes of <paramref name="streams"/>; null: as they stand.</param>
    /// <param name="before">Runs ahead of it in the same round trip.</param>
    public static async ValueTask<Placed?[]> ExecuteAsync(
        NpgsqlConnection connection, EventTables tables, List<StreamShare> streams, int[]? order, bool remember, DateTimeOffset now, PostgresEventStoreOptions options,
        NpgsqlBatchCommand? before, CancellationToken ct)
    {
        var (rules, namesakes) = ArrayStatement.ShapeOf(streams);
        await using var batch = new NpgsqlBatch(connection) { Timeout = (int)options.AppendTimeout.TotalSeconds };
        batch.BatchCommands.Add(new NpgsqlBatchCommand(AppendSession.Local(options.AppendLockTimeout)));
        if (before is not null) batch.BatchCommands.Add(before);
        var array = new NpgsqlBatchCommand(AppendSql.Array(tables, rules, remember, together: true, namesakes));
        new ArrayParameters(array.Parameters, tables).Fill(streams, now, order);
        batch.BatchCommands.Add(array);
        await using var row = await batch.ExecuteReaderAsync(ct).ConfigureAwait(false);
        // The result of the settings stands before it; a delete has none.
        await row.NextResultAsync(ct).ConfigureAwait(false);
        await row.ReadAsync(ct).ConfigureAwait(false);
        return ArrayParameters.ReadAnswer(row, streams, order);
    }
}
