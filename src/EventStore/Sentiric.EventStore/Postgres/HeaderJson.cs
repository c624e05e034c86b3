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
}
