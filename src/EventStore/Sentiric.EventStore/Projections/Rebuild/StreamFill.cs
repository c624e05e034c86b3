using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>
/// Fills document tables stream by stream, for stores whose documents do not fit in memory: the streams are cut into ranges, each worker goes through
/// one in the order of the unique index and holds the documents of one chunk at most. Each chunk is committed with the place that it reached,
/// so an interrupted fill goes on there. Slower on large stores, since events of a stream lie apart on disk.
/// </summary>
internal sealed class StreamFill(
    NpgsqlDataSource source, IEventStore store, IReadByStream byStream, ITableProjection projection, IFoldedDocuments documents, RebuildOptions wishes, TimeProvider clock,
    IReadOnlySet<long> skipped, Func<long, long, ValueTask> progress)
{
    private const int PageSize = 2_000;
    private const int MaxChunkDocuments = 10_000;
    private const int MinChunkBytes = 1024 * 1024;

    private readonly int _workers = RebuildWorkers.Count(wishes);
    private long _passed;

    /// <summary>True when an interrupted fill left ranges to go on with.</summary>
    public static async ValueTask<bool> IsUnderWayAsync(NpgsqlDataSource source, string name, CancellationToken ct)
    {
        await using var command = source.CreateCommand("select exists (select 1 from sx_rebuild_part where name = $1)");
        command.Parameters.Add(new() { Value = name });
        return await command.ExecuteScalarAsync(ct).ConfigureAwait(false) is true;
    }

    /// <summary>Folds every stream up to <paramref name="mark"/>, or up to the mark that the interrupted fill was begun with; returns that mark.</summary>
    public async ValueTask<long> RunAsync(long mark, CancellationToken ct)
    {
        if (!await IsUnderWayAsync(source, projection.Name, ct).ConfigureAwait(false)) await CutAsync(mark, ct).ConfigureAwait(false);
        var (parts, upTo) = await PartsAsync(ct).ConfigureAwait(false);
        await Parallel.ForEachAsync(parts, new ParallelOptions { MaxDegreeOfParallelism = _workers, CancellationToken = ct }, (part, stop) => FillAsync(part, upTo, stop)).ConfigureAwait(false);
        return upTo;
    }

    private async ValueTask CutAsync(long mark, CancellationToken ct)
    {
        var ranges = await byStream.RangesAsync(_workers, ct).ConfigureAwait(false);
        await using var batch = source.CreateBatch();
        for (var i = 0; i < ranges.Count; i++)
        {
            var command = new NpgsqlBatchCommand(
                "insert into sx_rebuild_part (name, part, position, tenant_id, stream_id, to_tenant, to_stream) values ($1, $2, $3, $4, $5, $6::text, $7::text)");
            foreach (var value in new object[] { projection.Name, i, mark, ranges[i].From.Tenant, ranges[i].From.StreamId, (object?)ranges[i].To?.Tenant ?? DBNull.Value, (object?)ranges[i].To?.StreamId ?? DBNull.Value })
                command.Parameters.Add(new() { Value = value });
            batch.BatchCommands.Add(command);
        }
        await batch.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private async ValueTask<(List<(int Part, StreamRange Range)> Parts, long Mark)> PartsAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand("select part, position, tenant_id, stream_id, to_tenant, to_stream, is_done from sx_rebuild_part where name = $1 order by part");
        command.Parameters.Add(new() { Value = projection.Name });
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var (parts, mark) = (new List<(int, StreamRange)>(), 0L);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            mark = rows.GetInt64(1);
            StreamAddress? to = rows.IsDBNull(4) ? null : new StreamAddress(rows.GetString(4), rows.GetString(5));
            if (!rows.GetBoolean(6)) parts.Add((rows.GetInt32(0), new StreamRange(new StreamAddress(rows.GetString(2), rows.GetString(3)), to)));
        }
        return (parts, mark);
    }

    private async ValueTask FillAsync((int Part, StreamRange Range) part, long mark, CancellationToken ct)
    {
        var folder = documents.NewFolder(store.Serializer, 0, 1);
        var parked = new List<ParkedEvent>();
        var (range, version) = (part.Range, long.MaxValue);
        var chunkBytes = Math.Max(MinChunkBytes, wishes.MemoryBudget / _workers / 2);
        var page = await PageAsync(range, version, mark, ct).ConfigureAwait(false);
        while (page.Count > 0)
        {
            // While this page is folded, the next one is on its way.
            var last = page[^1];
            var coming = page.Count < PageSize ? null : PageAsync(range with { From = new StreamAddress(last.Tenant, last.StreamId) }, last.Version, mark, ct);
            foreach (var recorded in page)
            {
                var address = new StreamAddress(recorded.Tenant, recorded.StreamId);
                // Only a stream that is finished may be cut off.
                if (address != range.From && (folder.Count >= MaxChunkDocuments || folder.Bytes >= chunkBytes))
                    await CommitAsync(part.Part, folder, parked, range.From, isDone: false, ct).ConfigureAwait(false);
                range = range with { From = address };
                if (documents.Wants(recorded.EventType)) Apply(folder, recorded, parked);
            }
            await progress(Math.Min(mark, Interlocked.Add(ref _passed, page.Count)), mark).ConfigureAwait(false);
            page = coming is null ? [] : await coming.ConfigureAwait(false);
        }
        await CommitAsync(part.Part, folder, parked, range.From, isDone: true, ct).ConfigureAwait(false);
    }

    private Task<List<RecordedEvent>> PageAsync(StreamRange range, long version, long mark, CancellationToken ct) =>
        byStream.ReadAsync(range, version, mark, PageSize, ct).AsTask();

    private void Apply(IDocumentFolder folder, RecordedEvent recorded, List<ParkedEvent> parked)
    {
        if (skipped.Contains(recorded.Position))
        {
            parked.Add(Parked.Skipped(ShadowCheckpoint.ShardOf(projection), recorded, clock));
            return;
        }
        try
        {
            folder.Apply(recorded);
        }
        catch (Exception poison) when (poison is not (OperationCanceledException or OutOfMemoryException))
        {
            parked.Add(Parked.Of(ShadowCheckpoint.ShardOf(projection), recorded, poison, clock));
        }
    }

    private async ValueTask CommitAsync(int part, IDocumentFolder folder, List<ParkedEvent> parked, StreamAddress reached, bool isDone, CancellationToken ct)
    {
        var tables = EventTables.Of(store);
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        await folder.CopyAsync(connection, projection.Tables[0] + ShadowTables.Suffix, tables, ct).ConfigureAwait(false);
        var checkpoint = new ShadowCheckpoint(projection);
        foreach (var one in parked) await checkpoint.ParkAsync(connection, one, ct).ConfigureAwait(false);
        await using var move = new NpgsqlCommand("update sx_rebuild_part set tenant_id = $3, stream_id = $4, is_done = $5 where name = $1 and part = $2", connection);
        foreach (var value in new object[] { projection.Name, part, reached.Tenant, reached.StreamId, isDone }) move.Parameters.Add(new() { Value = value });
        await move.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        await transaction.CommitAsync(ct).ConfigureAwait(false);
        parked.Clear();
    }
}
