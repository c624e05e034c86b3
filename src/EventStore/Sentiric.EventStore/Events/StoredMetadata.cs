using System.Text.Json;

namespace Sentiric.EventStore;

/// <summary>Metadata as it was read; the JSON of the headers is taken apart when somebody asks, which most readers never do.</summary>
internal sealed class StoredMetadata(string? correlationId, string? causationId, string? actor, string? headers)
{
    // Two threads may both make it; they make the same.
    private EventMetadata? _value;

    public EventMetadata Value => _value ??= headers is null ? new EventMetadata(correlationId, causationId, actor) : Parse(headers);

    private EventMetadata Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        var others = new Dictionary<string, string>(StringComparer.Ordinal);
        DateTimeOffset? occurredAt = null;
        foreach (var header in document.RootElement.EnumerateObject())
        {
            if (header.NameEquals(EventMetadata.OccurredAtHeader) && header.Value.TryGetDateTimeOffset(out var at)) occurredAt = at;
            // A Marten host may have stored numbers or objects: they are handed on as their JSON.
            else others[header.Name] = header.Value.ValueKind == JsonValueKind.String ? header.Value.GetString() ?? "" : header.Value.GetRawText();
        }
        return new EventMetadata(correlationId, causationId, actor, occurredAt, others.Count == 0 ? null : others);
    }
}
