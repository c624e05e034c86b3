using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Sentiric.EventStore;

/// <summary>One line of an export file, written and read. Members stand in one order and what is absent is left out, so equal events are equal bytes.</summary>
internal static class ExportLine
{
    // Microseconds: what the storage keeps.
    private const string TimeFormat = "yyyy-MM-ddTHH:mm:ss.ffffffZ";
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static void WriteHeader(IBufferWriter<byte> to, ExportScope scope) => Write(to, json =>
    {
        json.WriteString("format", ExportFile.Format);
        json.WriteNumber("version", ExportFile.Version);
        Text(json, "tenant", scope.Tenant);
        Text(json, "stream", scope.Stream);
        if (scope.Since is { } since) json.WriteString("since", Time(since));
        if (scope.Until is { } until) json.WriteString("until", Time(until));
    });

    public static void WriteEvent(IBufferWriter<byte> to, RecordedEvent e, ExportExtra extra) => Write(to, json =>
    {
        json.WriteString("tenant", e.Tenant);
        json.WriteString("stream", e.StreamId);
        json.WriteNumber("version", e.Version);
        json.WriteString("id", e.EventId);
        json.WriteString("type", e.EventType);
        json.WriteString("at", Time(e.RecordedAt));
        Text(json, "aggregate", e.Version == 1 ? extra.AggregateType : null);
        Text(json, "dotnet", extra.DotnetType);
        Text(json, "actor", e.Metadata.Actor);
        Text(json, "correlation", e.Metadata.CorrelationId);
        Text(json, "causation", e.Metadata.CausationId);
        if (e.Metadata.OccurredAt is { } occurred) json.WriteString("occurred", occurred);
        Headers(json, e.Metadata.Headers);
        if (extra.Archived) json.WriteBoolean("archived", true);
        json.WritePropertyName("data");
        json.WriteRawValue(e.Json.Span, skipInputValidation: true);
    });

    public static void WriteTrailer(IBufferWriter<byte> to, long events, string sha256) => Write(to, json =>
    {
        json.WriteNumber("events", events);
        json.WriteString("sha256", sha256);
    });

    /// <summary>Reads what <see cref="WriteEvent"/> wrote. Throws <see cref="JsonException"/>, <see cref="FormatException"/>, <see cref="KeyNotFoundException"/> and <see cref="InvalidOperationException"/>.</summary>
    public static ImportedLine ReadEvent(JsonElement line)
    {
        var metadata = new EventMetadata(Text(line, "correlation"), Text(line, "causation"), Text(line, "actor"), Moment(line, "occurred"), Headers(line));
        var imported = new ImportedEvent(
            Needed(line, "tenant"), Needed(line, "stream"), line.GetProperty("version").GetInt64(), line.GetProperty("id").GetGuid(), Needed(line, "type"),
            Moment(line, "at") ?? throw new FormatException("'at' is missing."), System.Text.Encoding.UTF8.GetBytes(line.GetProperty("data").GetRawText()),
            metadata, Text(line, "aggregate"), Text(line, "dotnet"));
        return new ImportedLine(imported, line.TryGetProperty("archived", out var archived) && archived.GetBoolean());
    }

    private static void Write(IBufferWriter<byte> to, Action<Utf8JsonWriter> members)
    {
        using (var json = new Utf8JsonWriter(to, Writing))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }
        to.Write("\n"u8);
    }

    private static void Text(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null) json.WriteString(name, value);
    }

    private static void Headers(Utf8JsonWriter json, IReadOnlyDictionary<string, string>? headers)
    {
        var told = headers?.Where(h => h.Key != ExportFile.ImportedHeader).OrderBy(h => h.Key, StringComparer.Ordinal).ToList() ?? [];
        if (told.Count == 0) return;
        json.WriteStartObject("headers");
        foreach (var (name, value) in told) json.WriteString(name, value);
        json.WriteEndObject();
    }

    private static Dictionary<string, string>? Headers(JsonElement line) =>
        line.TryGetProperty("headers", out var headers)
            ? headers.EnumerateObject().ToDictionary(h => h.Name, h => h.Value.GetString() ?? throw new FormatException($"header '{h.Name}' is no text."), StringComparer.Ordinal)
            : null;

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);

    private static string Needed(JsonElement line, string name) => line.GetProperty(name).GetString() ?? throw new FormatException($"'{name}' is null.");

    private static string? Text(JsonElement line, string name) => line.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static DateTimeOffset? Moment(JsonElement line, string name) => line.TryGetProperty(name, out var value) ? value.GetDateTimeOffset() : null;
}

/// <summary>What the storage knows of an event beside what readers get. <see cref="Archived"/> is true for the last event of an archived stream.</summary>
internal readonly record struct ExportExtra(string? AggregateType, string? DotnetType, bool Archived);

/// <summary>An event of a file; its stream is to be archived behind it when <see cref="ArchivesStream"/>.</summary>
public readonly record struct ImportedLine(ImportedEvent Event, bool ArchivesStream);
