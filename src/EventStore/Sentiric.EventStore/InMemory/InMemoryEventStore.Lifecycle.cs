namespace Sentiric.EventStore;

public sealed partial class InMemoryEventStore : IStreamLifecycle
{
    public ValueTask<bool> UnarchiveStreamAsync(string tenant, string streamId, CancellationToken ct = default)
    {
        lock (_gate)
        {
            if (!_streams.TryGetValue(AddressOf(tenant, streamId), out var stream)) return ValueTask.FromResult(false);
            stream.IsArchived = false;
            return ValueTask.FromResult(true);
        }
    }

    /// <summary>Knows of no subscriptions, so it refuses nothing on their account.</summary>
    public ValueTask<StreamTruncation?> TruncateStreamAsync(
        string tenant, string streamId, long beforeVersion, TruncationReason reason, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(reason);
        ArgumentException.ThrowIfNullOrWhiteSpace(reason.Why);
        ArgumentOutOfRangeException.ThrowIfLessThan(beforeVersion, 1);
        var address = AddressOf(tenant, streamId);
        lock (_gate)
        {
            if (!_streams.TryGetValue(address, out var stream)) return ValueTask.FromResult<StreamTruncation?>(null);
            if (beforeVersion > stream.Version) throw new TruncationRefusedException(streamId, $"it stands at version {stream.Version}, and its last event stays.");
            return ValueTask.FromResult(Truncate(address, stream, beforeVersion, reason));
        }
    }

    public ValueTask<IReadOnlyList<StreamTruncation>> ListTruncationsAsync(string tenant, string streamId, CancellationToken ct = default)
    {
        lock (_gate)
        {
            return ValueTask.FromResult<IReadOnlyList<StreamTruncation>>(
                _streams.TryGetValue(AddressOf(tenant, streamId), out var stream) ? [.. stream.Truncations] : []);
        }
    }

    private StreamTruncation? Truncate(StreamAddress address, Stream stream, long beforeVersion, TruncationReason reason)
    {
        var doomed = stream.Events.Where(e => e.Version < beforeVersion).ToList();
        if (doomed.Count == 0) return null;
        using var hash = new RowHash();
        foreach (var recorded in doomed) hash.Add(StoredRow.Of(recorded));
        stream.Events.RemoveAll(e => e.Version < beforeVersion);
        // The log keeps its places: a position is the index of its event plus one.
        foreach (var recorded in doomed) _log[(int)recorded.Position - 1] = null;
        var truncation = new StreamTruncation(
            address.Tenant, address.StreamId, beforeVersion, doomed.Count, doomed[0].Position, doomed[^1].Position, hash.Finish(), reason.Why, reason.Actor, Timestamps.Now(clock));
        stream.Truncations.Add(truncation);
        return truncation;
    }
}
