using System.Text.Json;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>Rows of <c>mt_events</c> as <see cref="RecordedEvent"/>.</summary>
internal static class EventRows
{
    /// <summary>The row has <see cref="EventTables.EventColumns"/>.</summary>
    public static RecordedEvent Read(NpgsqlDataReader row)
    {
        var type = row.GetString(5);
        var (occurredAt, headers) = ReadHeaders(Text(row, 11));
        return new RecordedEvent(
            row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetInt64(3), row.GetGuid(4), type, StoredName.Parse(type).Version,
            new DateTimeOffset(row.GetDateTime(6), TimeSpan.Zero), row.GetFieldValue<byte[]>(7),
            new EventMetadata(Text(row, 8), Text(row, 9), Text(row, 10), occurredAt, headers))
        {
            Binary = row.IsDBNull(12) ? (ReadOnlyMemory<byte>?)null : row.GetFieldValue<byte[]>(12),
        };
    }

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static (DateTimeOffset?, IReadOnlyDictionary<string, string>?) ReadHeaders(string? json)
    {
        if (json is null) return (null, null);
        using var document = JsonDocument.Parse(json);
        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        DateTimeOffset? occurredAt = null;
        foreach (var header in document.RootElement.EnumerateObject())
        {
            if (header.NameEquals(EventMetadata.OccurredAtHeader) && header.Value.TryGetDateTimeOffset(out var at)) occurredAt = at;
            // A Marten host may have stored numbers or objects: they are handed on as their JSON.
            else headers[header.Name] = header.Value.ValueKind == JsonValueKind.String ? header.Value.GetString() ?? "" : header.Value.GetRawText();
        }
        return (occurredAt, headers.Count == 0 ? null : headers);
    }
}
