namespace Sentiric.EventStore;

/// <summary>What the side table remembers of an event that was appended idempotently.</summary>
internal readonly record struct StoredKey(Guid EventId, string StreamId, long Position, long Version);

/// <summary>Tells a repeated batch from a new one and from one that misuses ids.</summary>
internal static class RepeatedBatch
{
    public static void EnsureIdsDiffer(StreamAddress address, Payload[] payloads)
    {
        var seen = new HashSet<Guid>(payloads.Length);
        foreach (var payload in payloads)
        {
            if (!seen.Add(payload.Event.EventId)) throw new EventIdReusedException(address.StreamId, payload.Event.EventId);
        }
    }

    /// <summary>The original result when the whole batch is stored in this stream; null when none of it is; otherwise throws <see cref="EventIdReusedException"/>.</summary>
    public static AppendResult? Find(StreamAddress address, Payload[] payloads, IReadOnlyCollection<StoredKey> stored)
    {
        if (stored.Count == 0) return null;
        var byId = stored.Where(k => k.StreamId == address.StreamId).ToDictionary(k => k.EventId);
        if (stored.Count != payloads.Length || byId.Count != payloads.Length)
            throw new EventIdReusedException(address.StreamId, stored.First().EventId);
        var keys = payloads.Select(p => byId[p.Event.EventId]).ToArray();
        return new AppendResult(
            address.Tenant, address.StreamId, keys.Max(k => k.Version), [.. keys.Select(k => k.Position)], AlreadyStored: true);
    }
}
