using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Sentiric.EventStore;

/// <summary>
/// Runs a <see cref="SingleStreamProjection{TDoc}"/> or a <see cref="MultiStreamProjection{TDoc}"/> over any store into memory, for tests; side tables are left out.
/// Documents pass through their JSON, as they do in PostgreSQL.
/// </summary>
public sealed class InMemoryDocuments<TDoc>
    where TDoc : class
{
    private const int PageSize = 500;
    private readonly IEventStore _store;
    private readonly JsonTypeInfo<TDoc> _json;
    private readonly Func<string, bool> _wants;
    private readonly Func<RecordedEvent, object, IEnumerable<string>> _keysOf;
    private readonly Func<string, TDoc?, RecordedEvent, object, TDoc?> _evolve;
    private readonly Dictionary<(string Tenant, string Id), byte[]> _documents = [];
    private long _position;

    public InMemoryDocuments(SingleStreamProjection<TDoc> projection, IEventStore store)
    {
        (_store, _json, _wants) = (store, projection.Json, projection.Wants);
        _keysOf = (recorded, _) => [recorded.StreamId];
        _evolve = (_, document, recorded, @event) => projection.Evolve(document, recorded, @event);
    }

    public InMemoryDocuments(MultiStreamProjection<TDoc> projection, IEventStore store)
    {
        (_store, _json, _wants) = (store, projection.Json, type => projection.EventTypes?.Contains(type) ?? true);
        (_keysOf, _evolve) = (projection.KeysOf, projection.Evolve);
    }

    /// <param name="id">The stream's id, or the document's key.</param>
    public TDoc? Load(string tenant, string id) =>
        _documents.TryGetValue((tenant, id), out var json) ? JsonSerializer.Deserialize(json, _json) : null;

    public IReadOnlyList<TDoc> All(string tenant) =>
        [.. _documents.Where(d => d.Key.Tenant == tenant).OrderBy(d => d.Key.Id, StringComparer.Ordinal).Select(d => JsonSerializer.Deserialize(d.Value, _json)!)];

    public async ValueTask CatchUpAsync(CancellationToken ct = default)
    {
        while (true)
        {
            var page = await _store.ReadAllAsync(_position, PageSize, ct).ToListAsync(ct).ConfigureAwait(false);
            if (page.Count == 0) return;
            foreach (var recorded in page.Where(e => _wants(e.EventType))) Apply(recorded);
            _position = page[^1].Position;
        }
    }

    private void Apply(RecordedEvent recorded)
    {
        var @event = _store.Serializer.Deserialize(recorded);
        foreach (var id in _keysOf(recorded, @event))
        {
            var next = _evolve(id, Load(recorded.Tenant, id), recorded, @event);
            if (next is null) _documents.Remove((recorded.Tenant, id));
            else _documents[(recorded.Tenant, id)] = JsonSerializer.SerializeToUtf8Bytes(next, _json);
        }
    }
}
