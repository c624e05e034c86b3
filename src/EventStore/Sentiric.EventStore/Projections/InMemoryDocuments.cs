using System.Text.Json;

namespace Sentiric.EventStore;

/// <summary>
/// Runs a <see cref="SingleStreamProjection{TDoc}"/> over any store into memory, for tests.
/// Documents pass through their JSON, as they do in PostgreSQL.
/// </summary>
public sealed class InMemoryDocuments<TDoc>(SingleStreamProjection<TDoc> projection, IEventStore store)
    where TDoc : class
{
    private const int PageSize = 500;
    private readonly Dictionary<(string Tenant, string StreamId), byte[]> _documents = [];
    private long _position;

    public TDoc? Load(string tenant, string streamId) =>
        _documents.TryGetValue((tenant, streamId), out var json) ? JsonSerializer.Deserialize(json, projection.Json) : null;

    public IReadOnlyList<TDoc> All(string tenant) =>
        [.. _documents.Where(d => d.Key.Tenant == tenant).OrderBy(d => d.Key.StreamId, StringComparer.Ordinal).Select(d => JsonSerializer.Deserialize(d.Value, projection.Json)!)];

    public async ValueTask CatchUpAsync(CancellationToken ct = default)
    {
        while (true)
        {
            var page = await store.ReadAllAsync(_position, PageSize, ct).ToListAsync(ct).ConfigureAwait(false);
            if (page.Count == 0) return;
            foreach (var recorded in page.Where(e => projection.Wants(e.EventType))) Apply(recorded);
            _position = page[^1].Position;
        }
    }

    private void Apply(RecordedEvent recorded)
    {
        var next = projection.Evolve(Load(recorded.Tenant, recorded.StreamId), recorded, store.Serializer.Deserialize(recorded));
        if (next is null) _documents.Remove((recorded.Tenant, recorded.StreamId));
        else _documents[(recorded.Tenant, recorded.StreamId)] = JsonSerializer.SerializeToUtf8Bytes(next, projection.Json);
    }
}
