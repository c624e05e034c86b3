namespace Sentiric.EventStore;

public sealed partial class PostgresEventStore : IEventImporter
{
    public async ValueTask<ImportTotals> ImportAsync(IAsyncEnumerable<ImportedEvent> events, ImportOptions? options = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(events);
        var chosen = ImportOptions.Checked(options);
        var totals = default(ImportTotals);
        await foreach (var batch in ImportBatches.CutAsync(events, chosen, ct).ConfigureAwait(false))
        {
            var (stored, last) = await Failures.GuardAsync(() => ImportBatchAsync(batch, ct)).ConfigureAwait(false);
            totals = totals.With(stored, batch.Count - stored, last);
            chosen.Progress?.Invoke(totals);
        }
        return totals;
    }

    private async ValueTask<(int Stored, long LastPosition)> ImportBatchAsync(List<ImportedEvent> batch, CancellationToken ct)
    {
        await using var connection = await _source.OpenOwnAsync(ct).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        var sealing = _options.Protection is { } protection ? new ImportSealing(protection, Serializer) : null;
        var (stored, positions) = await new PostgresImport(connection, _tables).StoreAsync(sealing?.Named(batch) ?? batch, sealing, ct).ConfigureAwait(false);
        if (stored.Count == 0) return (0, 0);
        if (_inline.Any) await _inline.ApplyAsync(connection, PostgresImport.Recorded(stored, positions), ct).ConfigureAwait(false);
        await transaction.CommitAsync(ct).ConfigureAwait(false);
        _feed.Announce();
        return (stored.Count, positions[^1]);
    }
}
