using Npgsql;

namespace Sentiric.EventStore;

/// <summary>From empty shadows to shadows at a mark, in the way that suits the projection.</summary>
internal sealed partial class ProjectionRebuild
{
    // A fresh store finds its mark in steps.
    private const int MaxLooks = 10_000;

    // An erasure concerns streams of all workers at once.
    private bool IsFilledInParts => _projection is IPartitionedProjection && _options.Erasure is null;

    private async ValueTask FillEmptyAsync(CancellationToken ct)
    {
        var mark = await SettledMarkAsync(ct).ConfigureAwait(false);
        // Whoever was forgotten before the mark is blank in every event that is read from now on; erasures behind it come with the catching up.
        if (_options.Erasure is { } erasure) await erasure.RefreshAsync(ct).ConfigureAwait(false);
        if (_projection is IFoldedDocuments { CanFold: true } documents) await FillDocumentsAsync(documents, mark, ct).ConfigureAwait(false);
        else if (IsFilledInParts) await FillPartitionsAsync(mark, ct).ConfigureAwait(false);
        else await FillInOrderAsync(mark, ct).ConfigureAwait(false);
    }

    private async ValueTask FillDocumentsAsync(IFoldedDocuments documents, long mark, CancellationToken ct)
    {
        IReadOnlyList<ParkedEvent> parked = [];
        if (await StreamFill.IsUnderWayAsync(_source, _projection.Name, ct).ConfigureAwait(false))
        {
            mark = await ByStream(documents).RunAsync(mark, ct).ConfigureAwait(false);
        }
        else
        {
            try
            {
                // What an interrupted fill copied is not known to be whole.
                await EmptyAsync(ct).ConfigureAwait(false);
                parked = await new DocumentFill(_source, _store, _projection, documents, _wishes, _clock, _skipped, (at, of) => AtAsync(at, of, ct)).RunAsync(mark, ct).ConfigureAwait(false);
            }
            catch (CannotFoldException)
            {
                await EmptyAsync(ct).ConfigureAwait(false);
                if (!documents.IsByStream)
                {
                    // Rows are looked up and replaced from now on: keys first.
                    await BuildIndexesAsync(RebuildPhase.Filling, ct).ConfigureAwait(false);
                    await FillInOrderAsync(mark, ct).ConfigureAwait(false);
                    return;
                }
                mark = await ByStream(documents).RunAsync(mark, ct).ConfigureAwait(false);
            }
        }
        await FilledAsync(mark, parked, ct).ConfigureAwait(false);
    }

    private async ValueTask FillPartitionsAsync(long mark, CancellationToken ct)
    {
        await new PartitionedFill(_source, _store, _projection, _options, _wishes, _clock, _logger, _skipped, (at, of) => AtAsync(at, of, ct)).RunAsync(mark, ct).ConfigureAwait(false);
        await FilledAsync(mark, [], ct).ConfigureAwait(false);
    }

    private async ValueTask FillInOrderAsync(long mark, CancellationToken ct)
    {
        var batch = new List<RecordedEvent>(_options.RebuildBatchSize);
        await foreach (var recorded in _store.ReadAllAsync(Position, int.MaxValue, ct).ConfigureAwait(false))
        {
            if (recorded.Position > mark) break;
            batch.Add(recorded);
            if (batch.Count < _options.RebuildBatchSize) continue;
            await ApplyAsync(batch, recorded.Position).ConfigureAwait(false);
            batch.Clear();
        }
        if (mark > Position) await ApplyAsync(batch, mark).ConfigureAwait(false);

        async ValueTask ApplyAsync(List<RecordedEvent> events, long to)
        {
            await _applier.ApplyAsync(events, Position, to, ct).ConfigureAwait(false);
            Position = to;
            await ReportAsync(mark, ct).ConfigureAwait(false);
        }
    }

    private StreamFill ByStream(IFoldedDocuments documents) => _store is IReadByStream byStream
        ? new StreamFill(_source, _store, byStream, _projection, documents, _wishes, _clock, _skipped, (at, of) => AtAsync(at, of, CancellationToken.None))
        : throw new InvalidOperationException($"The documents of '{_projection.Name}' do not fit the memory budget, and this store cannot be read by stream.");

    /// <summary>Where a fill stands that keeps no position of its own; several workers may say so at once.</summary>
    private async ValueTask AtAsync(long position, long target, CancellationToken ct)
    {
        if (!await _reporting.WaitAsync(TimeSpan.Zero, ct).ConfigureAwait(false)) return;
        try
        {
            Position = position;
            await ReportAsync(target, ct).ConfigureAwait(false);
        }
        finally
        {
            _reporting.Release();
        }
    }

    private async ValueTask EmptyAsync(CancellationToken ct)
    {
        await using var connection = await _source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await ShadowTables.RunAsync(connection, $"truncate {string.Join(", ", _projection.Tables.Select(t => t + ShadowTables.Suffix))}", ct).ConfigureAwait(false);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                Command("update sx_rebuild set position = 0 where name = $1", _projection.Name),
                Command(DeadLetters.Forget, [.. DeadLetters.Key(ShadowCheckpoint.ShardOf(_projection))]),
            },
        };
        await batch.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        Position = 0;
    }

    /// <summary>All rows are there: the position becomes true.</summary>
    private async ValueTask FilledAsync(long mark, IReadOnlyList<ParkedEvent> parked, CancellationToken ct)
    {
        await using var connection = await _source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        var checkpoint = new ShadowCheckpoint(_projection);
        foreach (var one in parked) await checkpoint.ParkAsync(connection, one, ct).ConfigureAwait(false);
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Command("delete from sx_rebuild_part where name = $1", _projection.Name));
        batch.BatchCommands.Add(Command(
            "update sx_rebuild set position = $2, target = $2, phase = $3, updated_at = transaction_timestamp() where name = $1",
            _projection.Name, mark, nameof(RebuildPhase.Indexing)));
        await batch.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        await transaction.CommitAsync(ct).ConfigureAwait(false);
        Position = mark;
        Report(mark);
    }

    private async ValueTask<long> SettledMarkAsync(CancellationToken ct)
    {
        var mark = await _store.GetHighWaterMarkAsync(ct).ConfigureAwait(false);
        for (var look = 0; look < MaxLooks; look++)
        {
            var next = await _store.GetHighWaterMarkAsync(ct).ConfigureAwait(false);
            if (next - mark < _options.RebuildBatchSize) return next;
            mark = next;
        }
        return mark;
    }
}
