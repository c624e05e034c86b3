namespace Sentiric.EventStore;

/// <summary>Metadata as it was read; the JSON of the headers is taken apart when somebody asks, which most readers never do.</summary>
internal sealed class StoredMetadata(string? correlationId, string? causationId, string? actor, string? headers)
{
    // Two threads may both make it; they make the same.
    private EventMetadata? _value;

    public EventMetadata Value => _value ??= headers is null ? new EventMetadata(correlationId, causationId, actor) : Parse(headers);

    private EventMetadata Parse(string json)
    {
        var (occurredAt, others) = HeaderJson.Read(json);
        return new EventMetadata(correlationId, causationId, actor, occurredAt, others);
    }
}
