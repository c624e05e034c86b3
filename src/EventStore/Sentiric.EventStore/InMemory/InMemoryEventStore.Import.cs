namespace Sentiric.EventStore;

public sealed partial class InMemoryEventStore : IEventImporter
{
    public ValueTask<ImportTotals> ImportAsync(IAsyncEnumerable<ImportedEvent> events, ImportOptions? options = null, CancellationToken ct = default) =>
        LoadAsync(events, options, protection is null ? null : new ImportSealing(protection, Serializer), ct);

    /// <summary>With <paramref name="sealing"/> null what lies in another store as it lies there.</summary>
    internal async ValueTask<ImportTotals> LoadAsync(IAsyncEnumerable<ImportedEvent> events, ImportOptions? options = null, ImportSealing? sealing = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(events);
        var chosen = ImportOptions.Checked(options);
        var totals = default(ImportTotals);
        await foreach (var batch in ImportBatches.CutAsync(events, chosen, ct).ConfigureAwait(false))
        {
            var ready = sealing is null ? batch : await SealedAsync(sealing, sealing.Named(batch), ct).ConfigureAwait(false);
            lock (_gate) totals = ImportBatch(ready, totals);
            _signal.Pulse();
            chosen.Progress?.Invoke(totals);
        }
        return totals;
    }

    private async ValueTask<List<ImportedEvent>> SealedAsync(ImportSealing sealing, List<ImportedEvent> batch, CancellationToken ct)
    {
        List<ImportedEvent> fresh;
        lock (_gate) fresh = batch.FindAll(e => e.Version > VersionOf(new StreamAddress(e.Tenant, e.StreamId)));
        var done = new Queue<ImportedEvent>(await sealing.SealAsync(fresh, ct).ConfigureAwait(false));
        var isFresh = fresh.ToHashSet(ReferenceEqualityComparer.Instance);
        return batch.ConvertAll(e => isFresh.Contains(e) ? done.Dequeue() : e);
    }

    private ImportTotals ImportBatch(List<ImportedEvent> batch, ImportTotals totals)
    {
        var streams = ImportBatches.Streams(batch);
        foreach (var stream in streams) EnsureImportable(stream);
        var before = _log.Count;
        foreach (var imported in batch)
        {
            var address = new StreamAddress(imported.Tenant, imported.StreamId);
            if (imported.Version > VersionOf(address)) Store(address, imported);
        }
        var stored = _log.Count - before;
        return totals.With(stored, batch.Count - stored, stored == 0 ? 0 : _log.Count);
    }

    private void EnsureImportable(ImportedStream stream)
    {
        if (!_streams.TryGetValue(stream.Address, out var there))
        {
            stream.EnsureItFollows(0);
            return;
        }
        if (there.IsArchived && stream.Last > there.Version) throw new StreamArchivedException(stream.Address.StreamId);
        stream.EnsureItFollows(there.Version);
        foreach (var stored in there.Events.Skip(there.IndexOf(stream.First)).TakeWhile(e => e.Version <= stream.Last))
            stream.EnsureSame(stored.Version, stored.EventId);
    }

    private void Store(StreamAddress address, ImportedEvent imported)
    {
        var at = imported.RecordedAt.ToUniversalTime();
        if (!_streams.TryGetValue(address, out var stream)) _streams[address] = stream = new Stream(imported.AggregateType, at);
        if (at > stream.LastChanged) stream.LastChanged = at;
        var recorded = new RecordedEvent(
            _log.Count + 1, address.Tenant, address.StreamId, imported.Version, imported.EventId,
            imported.EventType, StoredName.Parse(imported.EventType).Version, at, imported.Json, imported.Metadata);
        _log.Add(recorded);
        stream.Events.Add(recorded);
    }
}
