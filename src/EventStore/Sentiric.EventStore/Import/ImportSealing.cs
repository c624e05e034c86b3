namespace Sentiric.EventStore;

/// <summary>
/// History that comes into a store under the protection of personal data: sealed as if it had been appended here, so that whoever is in it can be forgotten.
/// Events that are stored already are not asked again whom they are about: what an alias means has moved on since.
/// </summary>
internal sealed class ImportSealing(IPayloadProtection protection, IEventSerializer serializer)
{
    // By stored name: whom a fact is about may stand in the name that was given.
    private readonly Dictionary<StreamAddress, string> _given = [];

    /// <summary>The events under the names by which their streams are stored.</summary>
    public List<ImportedEvent> Named(List<ImportedEvent> batch)
    {
        _given.Clear();
        return batch.ConvertAll(Named);
    }

    /// <summary>In their order, since whom a fact names may be whom the facts behind it are about.</summary>
    public async ValueTask<List<ImportedEvent>> SealAsync(IReadOnlyList<ImportedEvent> fresh, CancellationToken ct)
    {
        var done = new List<ImportedEvent>(fresh.Count);
        while (done.Count < fresh.Count)
        {
            var address = AddressOf(fresh[done.Count]);
            var run = fresh.Skip(done.Count).TakeWhile(e => AddressOf(e) == address).ToList();
            var given = address with { StreamId = _given.GetValueOrDefault(address, address.StreamId) };
            var plan = await protection.ProtectAsync(new StreamPlan(given, ExpectedVersion.Any, [.. run.Select(PayloadOf)], null), ct).ConfigureAwait(false);
            done.AddRange(run.Select((e, i) => e with { Json = plan.Payloads[i].Json }));
        }
        return done;
    }

    private ImportedEvent Named(ImportedEvent imported)
    {
        var stored = protection.StoredStream(imported.Tenant, imported.StreamId);
        if (stored != imported.StreamId) _given[new StreamAddress(imported.Tenant, stored)] = imported.StreamId;
        return imported with { StreamId = stored };
    }

    private static StreamAddress AddressOf(ImportedEvent imported) => new(imported.Tenant, imported.StreamId);

    private Payload PayloadOf(ImportedEvent imported) => new(new EventData(imported.EventId, FactOf(imported), imported.Metadata), imported.EventType, imported.Json);

    /// <summary>What nobody here can read names nobody: it is of whom its stream named last.</summary>
    private object FactOf(ImportedEvent imported)
    {
        try
        {
            return serializer.Deserialize(imported.EventType, imported.Json);
        }
        catch (Exception unread) when (unread is UnknownEventTypeException or EventUnreadableException)
        {
            return imported;
        }
    }
}
