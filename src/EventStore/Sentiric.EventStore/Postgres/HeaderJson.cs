using System.Text.Encodings.Web;
using System.Text.Json;

namespace Sentiric.EventStore;

/// <summary>The headers of an event as the UTF-8 JSON of the column <c>headers</c>.</summary>
internal static class HeaderJson
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Null when there is nothing to say: most events have no headers.</summary>
    public static byte[]? Of(EventMetadata metadata)
    {
        if (metadata.OccurredAt is null && metadata.Headers is null or { Count: 0 }) return null;
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Writing))
        {
            json.WriteStartObject();
            foreach (var (name, value) in metadata.Headers ?? new Dictionary<string, string>())
            {
                if (name != EventMetadata.OccurredAtHeader) json.WriteString(name, value);
            }
            if (metadata.OccurredAt is { } occurred) json.WriteString(EventMetadata.OccurredAtHeader, occurred);
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }

    /// <summary>What a Marten host may have stored, too: numbers and objects are handed on as their JSON, whatever is no object is none.</summary>
    public static (DateTimeOffset? OccurredAt, IReadOnlyDictionary<string, string>? Headers) Read(string? stored)
    {
        if (stored is null) return (null, null);
        using var document = JsonDocument.Parse(stored);
        if (document.RootElement.ValueKind != JsonValueKind.Object) return (null, null);
        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        DateTimeOffset? occurredAt = null;
        foreach (var header in document.RootElement.EnumerateObject())
        {
            var isText = header.Value.ValueKind == JsonValueKind.String;
            if (isText && header.NameEquals(EventMetadata.OccurredAtHeader) && header.Value.TryGetDateTimeOffset(out var at)) occurredAt = at;
            else headers[header.Name] = isText ? header.Value.GetString() ?? "" : header.Value.GetRawText();
        }
        return (occurredAt, headers.Count == 0 ? null : headers);
    }
}
