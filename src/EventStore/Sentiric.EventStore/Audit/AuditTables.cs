namespace Sentiric.EventStore;

/// <summary>What the statements of the audit trail need to know about the tables of one store. The columns of an event stand in the order of its leaf.</summary>
internal sealed class AuditTables(EventTables tables)
{
    /// <summary>Columns that the leaf covers, by name; <c>is_archived</c> follows them in <see cref="EventColumns"/> and is not covered: archiving is lawful.</summary>
    public static IReadOnlyList<string> LeafColumns { get; } =
    [
        "seq_id", "tenant_id", "stream_id", "version", "id", "type", "timestamp", "data", "bdata",
        "mt_dotnet_type", "correlation_id", "causation_id", "headers", "user_name",
    ];

    public string StreamIdType => tables.StreamIdSqlType;

    /// <summary>The leaf is the same in every shape of the tables: numbers have 8 bytes, ids of streams are text, a column that is not there is null.</summary>
    public string EventColumns { get; } =
        "seq_id, tenant_id, stream_id::text, version::bigint, id, type, timestamp, data::text, "
        + (tables.HasBinaryData ? "bdata" : "null::bytea")
        + $", mt_dotnet_type, {tables.Optional(MetadataColumns.CorrelationId)}, {tables.Optional(MetadataColumns.CausationId)}, {tables.Optional(MetadataColumns.Headers)}::text"
        + $", {tables.Optional(MetadataColumns.UserName)}, is_archived";

    /// <summary>Null where the tables keep no such record.</summary>
    public string? Skips => tables.HasHighWaterSkips ? "select starting_sequence, ending_sequence from mt_high_water_skips" : null;

    public static AuditTables Of(IEventStore store) => new(EventTables.Of(store));

    /// <summary>The rest of a select of one stream's events, by position, for <see cref="EventTuples"/>.</summary>
    public string RowsOf(string tenant, string streamId) =>
        $"where tenant_id = {Literal(tenant)} and stream_id = {Literal(streamId)}::{StreamIdType} order by seq_id";

    // A COPY statement takes no parameters.
    private static string Literal(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";
}
