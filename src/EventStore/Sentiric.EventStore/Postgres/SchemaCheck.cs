using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// Whether tables that are already there, perhaps made by a Marten host, are those that the options describe. Columns that we do not know are left alone
/// as long as a row can be written without them. What does not fit is told with the option that makes it fit, or with what to do where none does.
/// </summary>
internal static class SchemaCheck
{
    private const string ColumnsSql = """
        select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull and not a.atthasdef,
               coalesce((select a.attnum = any(i.indkey) from pg_index i where i.indrelid = c.oid and i.indisprimary), false)
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = current_schema()::regnamespace and c.relname in ('mt_streams', 'mt_events', 'mt_streams_identity')
        """;

    /// <summary>By which column the events are partitioned; no row when they are not.</summary>
    private const string PartitionSql = """
        select coalesce((select a.attname from pg_attribute a where a.attrelid = p.partrelid and a.attnum = p.partattrs[0]), 'an expression')
        from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
        where c.relnamespace = current_schema()::regnamespace and c.relname in ('mt_events', 'mt_streams') order by c.relname
        """;

    private static readonly string[] EventColumns =
        ["seq_id", "id", "stream_id", "version", "data", "type", "timestamp", "tenant_id", "mt_dotnet_type", "is_archived"];

    private static readonly MetadataColumns[] Optional = [MetadataColumns.CorrelationId, MetadataColumns.CausationId, MetadataColumns.Headers, MetadataColumns.UserName];

    private static readonly string[] StreamColumns = ["tenant_id", "id", "type", "version", "timestamp", "created", "is_archived"];

    public static async ValueTask EnsureShapeAsync(NpgsqlConnection connection, EventTables tables, CancellationToken ct)
    {
        EnsurePartitions(await ListAsync(connection, PartitionSql, row => row.GetString(0), ct).ConfigureAwait(false), tables);
        var columns = await ListAsync(
            connection, ColumnsSql, row => new Column(row.GetString(0), row.GetString(1), row.GetString(2), row.GetBoolean(3), row.GetBoolean(4)), ct).ConfigureAwait(false);
        EnsureIdentity(columns, tables);
        EnsureTenancy(columns, tables);
        EnsureColumns(columns, "mt_streams", StreamColumns);
        EnsureMetadata(columns, tables);
        EnsureColumns(columns, "mt_events", [.. EventColumns, .. Optional.Where(tables.Has).Select(EventTables.NameOf)]);
        EnsureGeneration(columns, tables);
    }

    private static void EnsurePartitions(List<string> partitionedBy, EventTables tables)
    {
        if (partitionedBy.Find(column => column != "is_archived") is { } other)
            throw new SchemaMismatchException(
                $"The tables are partitioned by {other}. In that form (Marten's UseTenantPartitionedEvents) every tenant counts its events by itself, so there is no order over all of them, and this store "
                + "needs one: export the tenants and import them into a database of their own, or without that option.");
        if (partitionedBy.Count > 0 != tables.IsPartitioned)
            throw new SchemaMismatchException(
                $"The tables have {(partitionedBy.Count > 0 ? "" : "no ")}partitions for archived streams, the options say {(tables.IsPartitioned ? "that they have" : "that they have none")}. Set PostgresEventStoreOptions.ArchivePartitions.");
    }

    private static void EnsureIdentity(List<Column> columns, EventTables tables)
    {
        var actual = columns.FirstOrDefault(c => c is { Table: "mt_streams", Name: "id" })?.Type == "uuid" ? StreamIdentity.Guid : StreamIdentity.String;
        if (actual != tables.Identity)
            throw new SchemaMismatchException($"The streams of this database are identified by {actual}, the options say {tables.Identity}. It is decided once; set PostgresEventStoreOptions.StreamIdentity.");
        if (columns.Exists(c => c.Table == "mt_streams_identity") != tables.IsStrict)
            throw new SchemaMismatchException(
                $"There is {(tables.IsStrict ? "no" : "a")} table mt_streams_identity, where a Marten host with EnableStrictStreamIdentityEnforcement keeps the ids of all streams. "
                + (tables.IsStrict ? "Create it, or leave PostgresEventStoreOptions.StrictStreamIdentity away." : "Set PostgresEventStoreOptions.StrictStreamIdentity, or ids that this store gives are missing there."));
    }

    private static void EnsureTenancy(List<Column> columns, EventTables tables)
    {
        var key = columns.Where(c => c is { Table: "mt_streams", IsKey: true }).Select(c => c.Name).Order(StringComparer.Ordinal).ToArray();
        var needed = tables.StreamKey.Split(", ").Order(StringComparer.Ordinal).ToArray();
        if (!key.SequenceEqual(needed))
            throw new SchemaMismatchException(
                $"The key of mt_streams is ({string.Join(", ", key)}), the options need ({string.Join(", ", needed)}). Set PostgresEventStoreOptions.Tenancy: {(key.Contains("tenant_id") ? MartenTenancy.Conjoined : MartenTenancy.Single)}.");
    }

    private static void EnsureMetadata(List<Column> columns, EventTables tables)
    {
        var there = columns.Where(c => c.Table == "mt_events").Select(c => c.Name).ToHashSet(StringComparer.Ordinal);
        var wrong = Optional.Where(column => tables.Has(column) != there.Contains(EventTables.NameOf(column))).ToList();
        if (wrong.Count == 0) return;
        var actual = Optional.Where(column => there.Contains(EventTables.NameOf(column))).Aggregate(MetadataColumns.None, (all, column) => all | column);
        throw new SchemaMismatchException(
            $"mt_events has {string.Join(" and ", wrong.Select(column => (there.Contains(EventTables.NameOf(column)) ? "" : "no ") + EventTables.NameOf(column)))}, against what the options say. "
            + $"Set PostgresEventStoreOptions.Metadata to {actual}, or switch the columns on in the Marten host (Events.MetadataConfig).");
    }

    private static void EnsureColumns(List<Column> columns, string table, string[] needed)
    {
        var there = columns.Where(c => c.Table == table).ToDictionary(c => c.Name, StringComparer.Ordinal);
        if (needed.Where(n => !there.ContainsKey(n)).ToArray() is { Length: > 0 } missing) throw new SchemaMismatchException($"{table} has no {string.Join(", ", missing)}; these are not Marten's tables.");
        if (there.Values.FirstOrDefault(c => c.MustBeGiven && !needed.Contains(c.Name, StringComparer.Ordinal)) is { } unknown)
            throw new SchemaMismatchException($"{table} demands a value for {unknown.Name}, which the store does not know.");
    }

    private static void EnsureGeneration(List<Column> columns, EventTables tables)
    {
        var actual = columns.Any(c => c is { Table: "mt_events", Name: "bdata" }) ? MartenShape.Marten9 : MartenShape.Marten8;
        if (actual != tables.Shape) throw new SchemaMismatchException($"The tables are {actual}'s, the options say {tables.Shape}. Set PostgresEventStoreOptions.Shape.");
    }

    private static async ValueTask<List<T>> ListAsync<T>(NpgsqlConnection connection, string sql, Func<NpgsqlDataReader, T> read, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var list = new List<T>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) list.Add(read(rows));
        return list;
    }

    private sealed record Column(string Table, string Name, string Type, bool MustBeGiven, bool IsKey);
}
