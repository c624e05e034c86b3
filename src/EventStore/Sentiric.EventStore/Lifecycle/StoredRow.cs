using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>
/// A row of <c>mt_events</c> with everything in it, whoever wrote it, and its line of JSON in files and hashes. Nothing is interpreted:
/// headers and payload are the JSON that PostgreSQL returns.
/// </summary>
public sealed record StoredRow(
    long Position, string Tenant, string StreamId, long Version, Guid EventId, string EventType, DateTime RecordedAt, ReadOnlyMemory<byte> Json,
    ReadOnlyMemory<byte>? Binary, string? DotnetType, string? CorrelationId, string? CausationId, string? Headers, string? Actor, bool IsArchived)
{
    // The order of the JSON's members, which is part of every hash.
    private const string MomentFormat = "yyyy-MM-ddTHH:mm:ss.ffffffZ";
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    internal static string Columns(EventTables tables) =>
        $"seq_id, tenant_id, {tables.AsText("stream_id")}, version, id, type, timestamp, data, {(tables.HasBinaryData ? "bdata" : "null::bytea")}, "
        + $"mt_dotnet_type, {tables.Optional(MetadataColumns.CorrelationId)}, {tables.Optional(MetadataColumns.CausationId)}, {tables.Optional(MetadataColumns.Headers)}::text, "
        + $"{tables.Optional(MetadataColumns.UserName)}, coalesce(is_archived, false)";

    internal static StoredRow Read(NpgsqlDataReader row) => new(
        row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetInt64(3), row.GetGuid(4), row.GetString(5), row.GetDateTime(6),
        row.GetFieldValue<byte[]>(7), row.IsDBNull(8) ? (ReadOnlyMemory<byte>?)null : row.GetFieldValue<byte[]>(8),
        Text(row, 9), Text(row, 10), Text(row, 11), Text(row, 12), Text(row, 13), row.GetBoolean(14));

    internal static StoredRow Of(RecordedEvent recorded) => new(
        recorded.Position, recorded.Tenant, recorded.StreamId, recorded.Version, recorded.EventId, recorded.EventType, recorded.RecordedAt.UtcDateTime,
        recorded.Json, recorded.Binary, null, recorded.Metadata.CorrelationId, recorded.Metadata.CausationId, HeaderJson.Of(recorded.Metadata) is { } headers ? System.Text.Encoding.UTF8.GetString(headers) : null,
        recorded.Metadata.Actor, false);

    /// <summary>One line without its line feed.</summary>
    internal void WriteLine(IBufferWriter<byte> output)
    {
        using var json = new Utf8JsonWriter(output, Writing);
        json.WriteStartObject();
        json.WriteNumber("position", Position);
        json.WriteString("tenant", Tenant);
        json.WriteString("stream", StreamId);
        json.WriteNumber("version", Version);
        json.WriteString("id", EventId);
        json.WriteString("type", EventType);
        json.WriteString("at", RecordedAt.ToString(MomentFormat, CultureInfo.InvariantCulture));
        WriteIfAny(json, "dotnet", DotnetType);
        WriteIfAny(json, "correlation", CorrelationId);
        WriteIfAny(json, "causation", CausationId);
        WriteIfAny(json, "actor", Actor);
        WriteRaw(json, "headers", Headers);
        if (Binary is { } binary) json.WriteBase64String("binary", binary.Span);
        json.WritePropertyName("data");
        json.WriteRawValue(Json.Span, skipInputValidation: true);
        json.WriteEndObject();
    }

    internal static StoredRow Parse(ReadOnlyMemory<byte> line, bool archived)
    {
        using var document = JsonDocument.Parse(line);
        var root = document.RootElement;
        return new StoredRow(
            root.GetProperty("position").GetInt64(), Needed(root, "tenant"), Needed(root, "stream"), root.GetProperty("version").GetInt64(),
            root.GetProperty("id").GetGuid(), Needed(root, "type"),
            DateTime.ParseExact(Needed(root, "at"), MomentFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal),
            System.Text.Encoding.UTF8.GetBytes(root.GetProperty("data").GetRawText()),
            root.TryGetProperty("binary", out var binary) ? (ReadOnlyMemory<byte>?)binary.GetBytesFromBase64() : null,
            Optional(root, "dotnet"), Optional(root, "correlation"), Optional(root, "causation"),
            root.TryGetProperty("headers", out var headers) ? headers.GetRawText() : null, Optional(root, "actor"), archived);
    }

    internal RecordedEvent ToRecorded()
    {
        var (occurredAt, headers) = HeaderJson.Read(Headers);
        return new RecordedEvent(
            Position, Tenant, StreamId, Version, EventId, EventType, StoredName.Parse(EventType).Version, new DateTimeOffset(RecordedAt, TimeSpan.Zero), Json,
            new EventMetadata(CorrelationId, CausationId, Actor, occurredAt, headers)) { Binary = Binary };
    }

    internal async ValueTask CopyAsync(NpgsqlBinaryImporter rows, EventTables tables, CancellationToken ct)
    {
        await rows.StartRowAsync(ct).ConfigureAwait(false);
        await rows.WriteAsync(Position, NpgsqlDbType.Bigint, ct).ConfigureAwait(false);
        await rows.WriteAsync(EventId, NpgsqlDbType.Uuid, ct).ConfigureAwait(false);
        await rows.WriteAsync(tables.StreamId(StreamId), tables.StreamIdDbType, ct).ConfigureAwait(false);
        await rows.WriteAsync(Version, NpgsqlDbType.Bigint, ct).ConfigureAwait(false);
        await rows.WriteAsync(Json, NpgsqlDbType.Jsonb, ct).ConfigureAwait(false);
        await rows.WriteAsync(EventType, NpgsqlDbType.Varchar, ct).ConfigureAwait(false);
        await rows.WriteAsync(RecordedAt, NpgsqlDbType.TimestampTz, ct).ConfigureAwait(false);
        await rows.WriteAsync(Tenant, NpgsqlDbType.Varchar, ct).ConfigureAwait(false);
        foreach (var (value, type, column) in new[]
                 {
                     (DotnetType, NpgsqlDbType.Varchar, MetadataColumns.All), (CorrelationId, NpgsqlDbType.Varchar, MetadataColumns.CorrelationId),
                     (CausationId, NpgsqlDbType.Varchar, MetadataColumns.CausationId), (Headers, NpgsqlDbType.Jsonb, MetadataColumns.Headers),
                     (Actor, NpgsqlDbType.Varchar, MetadataColumns.UserName),
                 })
        {
            if (column != MetadataColumns.All && !tables.Has(column)) continue;
            if (value is null) await rows.WriteNullAsync(ct).ConfigureAwait(false);
            else await rows.WriteAsync(value, type, ct).ConfigureAwait(false);
        }
        await rows.WriteAsync(IsArchived, NpgsqlDbType.Boolean, ct).ConfigureAwait(false);
        if (!tables.HasBinaryData) return;
        if (Binary is { } binary) await rows.WriteAsync(binary, NpgsqlDbType.Bytea, ct).ConfigureAwait(false);
        else await rows.WriteNullAsync(ct).ConfigureAwait(false);
    }

    internal static string CopySql(EventTables tables) =>
        $"copy mt_events ({tables.InsertColumns}{(tables.HasBinaryData ? ", bdata" : "")}) from stdin (format binary)";

    private static void WriteIfAny(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null) json.WriteString(name, value);
    }

    private static void WriteRaw(Utf8JsonWriter json, string name, string? value)
    {
        if (value is null) return;
        json.WritePropertyName(name);
        json.WriteRawValue(value, skipInputValidation: true);
    }

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static string? Optional(JsonElement root, string name) => root.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static string Needed(JsonElement root, string name) => Optional(root, name) ?? throw new JsonException($"The line has no '{name}'.");
}

/// <summary>SHA-256 over rows as lines, each with its line feed.</summary>
internal sealed class RowHash : IDisposable
{
    private readonly System.Security.Cryptography.IncrementalHash _hash =
        System.Security.Cryptography.IncrementalHash.CreateHash(System.Security.Cryptography.HashAlgorithmName.SHA256);
    private readonly ArrayBufferWriter<byte> _line = new();

    /// <summary>The line that was hashed; valid until the next call.</summary>
    public ReadOnlyMemory<byte> Add(StoredRow row)
    {
        _line.ResetWrittenCount();
        row.WriteLine(_line);
        _line.GetSpan(1)[0] = (byte)'\n';
        _line.Advance(1);
        _hash.AppendData(_line.WrittenSpan);
        return _line.WrittenMemory;
    }

    public byte[] Finish() => _hash.GetHashAndReset();

    public void Dispose() => _hash.Dispose();
}
