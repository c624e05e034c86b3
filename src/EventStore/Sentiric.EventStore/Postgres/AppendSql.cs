using System.Collections.Concurrent;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>
/// The append as one statement. The row of the stream is written first: it is the concurrency check, it gives the transaction its id,
/// and without it no event number is drawn. <see cref="HighWaterMark"/> builds on exactly that order.
/// </summary>
internal sealed class AppendSql(EventTables tables)
{
    // $1 tenant, $2 stream, $3 aggregate type, $4 number of events, $5 now, $6 expected version; answers the version before.
    private const string Start = """
        insert into mt_streams (tenant_id, id, type, version, timestamp, created, is_archived)
        values ($1, $2, $3, $4, $5, $5, false) on conflict do nothing returning 0::bigint as base
        """;

    private const string StartOrGoOn = """
        insert into mt_streams as m (tenant_id, id, type, version, timestamp, created, is_archived)
        values ($1, $2, $3, $4, $5, $5, false)
        on conflict (tenant_id, id) do update set version = m.version + $4, timestamp = $5 where not m.is_archived
        returning m.version - $4 as base
        """;

    private const string GoOn = """
        update mt_streams set version = version + $4, timestamp = $5
        where tenant_id = $1 and id = $2 and version > 0 and not is_archived returning version - $4 as base
        """;

    private const string GoOnExactly = """
        update mt_streams set version = version + $4, timestamp = $5
        where tenant_id = $1 and id = $2 and version = $6 and not is_archived returning version - $4 as base
        """;

    private const string EventColumns =
        "seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, correlation_id, causation_id, headers, user_name, is_archived";

    // The order by inside keeps the numbers in the order of the versions: the outer select draws them row by row.
    private const string InsertEvents = $"""
        insert into mt_events ({EventColumns})
        select nextval('mt_events_sequence'), x.id, $2, x.base + x.ord, x.data, x.type, $5, $1, x.dotnet, x.correlation, x.causation, x.headers, x.actor, false
        from (select s.base, u.* from s,
              unnest($7, $8, $9, $10, $11, $12, $13, $14) with ordinality as u(id, type, dotnet, data, correlation, causation, headers, actor, ord)
              order by u.ord) x
        returning seq_id, version, id
        """;

    private const string RememberKeys =
        ", k as (insert into sx_append_key (tenant_id, event_id, stream_id, seq_id, version) select $1, e.id, $2::text, e.seq_id, e.version from e)";

    private static readonly Dictionary<string, (string Plain, string Remembering)> Whole = new[] { Start, StartOrGoOn, GoOn, GoOnExactly }
        .ToDictionary(row => row, row => (Statement(row, ""), Statement(row, RememberKeys)));

    private static readonly string EventsBehind = $"with s as (select $6::bigint as base), e as ({InsertEvents}) select seq_id, version from e order by version";

    private static readonly ConcurrentDictionary<Type, string> DotnetNames = new();

    private static readonly JsonWriterOptions HeaderWriting = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Stream row and events at once; answers (number, version) per event, nothing when the row refused.</summary>
    public NpgsqlBatchCommand Append(StreamPlan plan, DateTimeOffset now, bool remember)
    {
        var (plain, remembering) = Whole[RowOf(plan.Expected)];
        var command = WithRow(remember ? remembering : plain, plan, now, plan.Expected.Value);
        AddEvents(command, plan.Payloads);
        return command;
    }

    /// <summary>The stream row alone; answers the version before, nothing when it refused.</summary>
    public NpgsqlBatchCommand StreamRow(StreamPlan plan, DateTimeOffset now) => WithRow(RowOf(plan.Expected), plan, now, plan.Expected.Value);

    /// <summary>The events behind a version that <see cref="StreamRow"/> answered in this transaction.</summary>
    public NpgsqlBatchCommand Events(StreamPlan plan, DateTimeOffset now, long versionBefore)
    {
        var command = WithRow(EventsBehind, plan, now, versionBefore);
        AddEvents(command, plan.Payloads);
        return command;
    }

    private static string Statement(string row, string keys) =>
        $"with s as ({row}), e as ({InsertEvents}){keys} select seq_id, version from e order by version";

    private static string RowOf(ExpectedVersion expected)
    {
        if (expected == ExpectedVersion.Any) return StartOrGoOn;
        if (expected == ExpectedVersion.StreamExists) return GoOn;
        return expected == ExpectedVersion.NoStream ? Start : GoOnExactly;
    }

    private NpgsqlBatchCommand WithRow(string sql, StreamPlan plan, DateTimeOffset now, long expected)
    {
        var command = new NpgsqlBatchCommand(sql);
        Add(command, NpgsqlDbType.Varchar, plan.Address.Tenant);
        Add(command, tables.StreamIdDbType, tables.StreamId(plan.Address.StreamId));
        Add(command, NpgsqlDbType.Varchar, plan.AggregateType);
        Add(command, NpgsqlDbType.Bigint, (long)plan.Payloads.Length);
        Add(command, NpgsqlDbType.TimestampTz, now.UtcDateTime);
        Add(command, NpgsqlDbType.Bigint, expected);
        return command;
    }

    private static void AddEvents(NpgsqlBatchCommand command, Payload[] payloads)
    {
        Add(command, NpgsqlDbType.Array | NpgsqlDbType.Uuid, Array.ConvertAll(payloads, p => p.Event.EventId));
        Add(command, NpgsqlDbType.Array | NpgsqlDbType.Varchar, Array.ConvertAll(payloads, p => p.Name));
        Add(command, NpgsqlDbType.Array | NpgsqlDbType.Varchar, Array.ConvertAll(payloads, p => DotnetNameOf(p.Event.Data.GetType())));
        Add(command, NpgsqlDbType.Array | NpgsqlDbType.Jsonb, Array.ConvertAll(payloads, p => Encoding.UTF8.GetString(p.Json.Span)));
        Add(command, NpgsqlDbType.Array | NpgsqlDbType.Varchar, Array.ConvertAll(payloads, p => p.Event.Metadata.CorrelationId));
        Add(command, NpgsqlDbType.Array | NpgsqlDbType.Varchar, Array.ConvertAll(payloads, p => p.Event.Metadata.CausationId));
        Add(command, NpgsqlDbType.Array | NpgsqlDbType.Jsonb, Array.ConvertAll(payloads, p => HeadersOf(p.Event.Metadata)));
        Add(command, NpgsqlDbType.Array | NpgsqlDbType.Varchar, Array.ConvertAll(payloads, p => p.Event.Metadata.Actor));
    }

    private static void Add(NpgsqlBatchCommand command, NpgsqlDbType type, object? value) =>
        command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = type, Value = value ?? DBNull.Value });

    /// <summary>The name by which a Marten host tells the type: full name and assembly.</summary>
    private static string DotnetNameOf(Type type) => DotnetNames.GetOrAdd(type, t => $"{t.FullName}, {t.Assembly.GetName().Name}");

    private static string? HeadersOf(EventMetadata metadata)
    {
        if (metadata.OccurredAt is null && metadata.Headers is null or { Count: 0 }) return null;
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, HeaderWriting))
        {
            json.WriteStartObject();
            foreach (var (name, value) in metadata.Headers ?? new Dictionary<string, string>())
            {
                if (name != EventMetadata.OccurredAtHeader) json.WriteString(name, value);
            }
            if (metadata.OccurredAt is { } occurred) json.WriteString(EventMetadata.OccurredAtHeader, occurred);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}
