using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// Whether tables that are already there, perhaps made by a Marten host, are those that the options describe. Columns that we do not know are left alone
/// as long as a row can be written without them.
/// </summary>
internal static class SchemaCheck
{
    private const string Sql = """
        select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull and not a.atthasdef,
               coalesce((select a.attnum = any(i.indkey) from pg_index i where i.indrelid = c.oid and i.indisprimary), false)
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = current_schema()::regnamespace and c.relname in ('mt_streams', 'mt_events')
        """;

    private static readonly string[] EventColumns =
    [
        "seq_id", "id", "stream_id", "version", "data", "type", "timestamp", "tenant_id", "mt_dotnet_type", "correlation_id", "causation_id", "headers",
        "user_name", "is_archived",
    ];

    private static readonly string[] StreamColumns = ["tenant_id", "id", "type", "version", "timestamp", "created", "is_archived"];

    public static async ValueTask EnsureShapeAsync(NpgsqlConnection connection, EventTables tables, CancellationToken ct)
    {
        var columns = new List<Column>();
        await using var command = new NpgsqlCommand(Sql, connection);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
            columns.Add(new Column(rows.GetString(0), rows.GetString(1), rows.GetString(2), rows.GetBoolean(3), rows.GetBoolean(4)));
        EnsureIdentity(columns, tables);
        EnsureTenancy(columns);
        EnsureColumns(columns, "mt_streams", StreamColumns);
        EnsureColumns(columns, "mt_events", EventColumns);
        EnsureGeneration(columns, tables);
    }

    private static void EnsureIdentity(List<Column> columns, EventTables tables)
    {
        var actual = columns.FirstOrDefault(c => c is { Table: "mt_streams", Name: "id" })?.Type == "uuid" ? StreamIdentity.Guid : StreamIdentity.String;
        if (actual != tables.Identity)
            throw new SchemaMismatchException($"The streams of this database are identified by {actual}, the options say {tables.Identity}. It is decided once; set PostgresEventStoreOptions.StreamIdentity.");
    }

    private static void EnsureTenancy(List<Column> columns)
    {
        var key = columns.Where(c => c is { Table: "mt_streams", IsKey: true }).Select(c => c.Name).Order(StringComparer.Ordinal).ToArray();
        if (!key.SequenceEqual(["id", "tenant_id"]))
            throw new SchemaMismatchException($"The key of mt_streams is ({string.Join(", ", key)}); the store needs Marten's conjoined tenancy without partitions (tenant_id, id).");
    }

    private static void EnsureColumns(List<Column> columns, string table, string[] needed)
    {
        var there = columns.Where(c => c.Table == table).ToDictionary(c => c.Name, StringComparer.Ordinal);
        if (needed.Where(n => !there.ContainsKey(n)).ToArray() is { Length: > 0 } missing)
            throw new SchemaMismatchException($"{table} has no {string.Join(", ", missing)}. In a Marten host switch on correlation id, causation id, headers and user name (Events.MetadataConfig).");
        if (there.Values.FirstOrDefault(c => c.MustBeGiven && !needed.Contains(c.Name, StringComparer.Ordinal)) is { } unknown)
            throw new SchemaMismatchException($"{table} demands a value for {unknown.Name}, which the store does not know.");
    }

    private static void EnsureGeneration(List<Column> columns, EventTables tables)
    {
        var actual = columns.Any(c => c is { Table: "mt_events", Name: "bdata" }) ? MartenShape.Marten9 : MartenShape.Marten8;
        if (actual != tables.Shape) throw new SchemaMismatchException($"The tables are {actual}'s, the options say {tables.Shape}. Set PostgresEventStoreOptions.Shape.");
    }

    private sealed record Column(string Table, string Name, string Type, bool MustBeGiven, bool IsKey);
}
