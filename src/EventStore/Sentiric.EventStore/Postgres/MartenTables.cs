namespace Sentiric.EventStore;

/// <summary>
/// Marten's tables as its own migration writes them: names, order, types, defaults, constraints, indexes.
/// Marten 8 has room for a snapshot in the stream's row; Marten 9 has binary payloads and writes down which numbers it skipped.
/// Constraints are named after their columns. With partitions the flag of the archive is in every key, since PostgreSQL wants it there.
/// </summary>
internal static class MartenTables
{
    public static string Script(EventTables tables) =>
        Streams(tables) + Events(tables) + Progress + (tables.HasHighWaterSkips ? HighWaterSkips : "") + DeadLetters + (tables.IsStrict ? Identities(tables) : "");

    private static string Streams(EventTables tables) => $"""
        create table if not exists mt_streams (
        {(tables.IsConjoined ? "    tenant_id varchar not null default '*DEFAULT*',\n" : "")}    id {tables.StreamIdSqlType} not null,
            type varchar,
            version bigint,
            timestamp timestamp with time zone not null default (now()),
        {(tables.Shape == MartenShape.Marten8 ? "    snapshot jsonb,\n    snapshot_version integer,\n" : "")}    created timestamp with time zone not null default (now()),
        {(tables.IsConjoined ? "" : "    tenant_id varchar default '*DEFAULT*',\n")}    is_archived boolean{NotNull(tables)} default false,
            constraint pkey_mt_streams_{Name(tables.StreamKey)} primary key ({tables.StreamKey})
        ){Partitions(tables, "mt_streams")}

        """;

    // The default of "timestamp" is a text literal, as Marten writes it: PostgreSQL freezes it at creation. Every insert therefore gives the time.
    private static string Events(EventTables tables) => $"""
        create sequence if not exists mt_events_sequence;
        create table if not exists mt_events (
            seq_id bigint not null,
            id uuid not null,
            stream_id {tables.StreamIdSqlType},
            version bigint not null,
            data jsonb not null,
        {(tables.HasBinaryData ? "    bdata bytea,\n" : "")}    type varchar(500) not null,
            timestamp timestamp with time zone not null default '(now())',
            tenant_id varchar default '*DEFAULT*',
            mt_dotnet_type varchar,
        {Optional(tables)}    is_archived boolean{NotNull(tables)} default false,
            constraint pkey_mt_events_seq_id{(tables.IsPartitioned ? "_is_archived" : "")} primary key (seq_id{Archived(tables)}),
            {StreamReference(tables)}
        ){Partitions(tables, "mt_events")}
        alter sequence mt_events_sequence owned by mt_events.seq_id;
        create unique index if not exists pk_mt_events_stream_and_version on mt_events ({(tables.IsConjoined ? "tenant_id, " : "")}stream_id, version{Archived(tables)});

        """;

    private static string Optional(EventTables tables) => string.Concat(
        new[] { MetadataColumns.CorrelationId, MetadataColumns.CausationId, MetadataColumns.Headers, MetadataColumns.UserName }.Where(tables.Has)
            .Select(column => $"    {EventTables.NameOf(column)} {(column == MetadataColumns.Headers ? "jsonb" : "varchar")},\n"));

    // Only without tenants do the events go with their stream's row.
    private static string StreamReference(EventTables tables) =>
        $"constraint fkey_mt_events_stream_id{(tables.IsConjoined ? "_tenant_id" : "")}{(tables.IsPartitioned ? "_is_archived" : "")} "
        + (tables.IsConjoined
            ? $"foreign key (tenant_id, stream_id{Archived(tables)}) references mt_streams (tenant_id, id{Archived(tables)})"
            : $"foreign key (stream_id{Archived(tables)}) references mt_streams (id{Archived(tables)}) on delete cascade");

    private static string Partitions(EventTables tables, string table) => tables.IsPartitioned
        ? $"""
            partition by list (is_archived);
           create table if not exists {table}_archived partition of {table} for values in (true);
           create table if not exists {table}_default partition of {table} default;
           """
        : ";";

    private static string Identities(EventTables tables) => $"""
        create table if not exists mt_streams_identity (
        {(tables.IsConjoined ? "    tenant_id varchar not null default '*DEFAULT*',\n" : "")}    id {tables.StreamIdSqlType} not null,
            constraint pkey_mt_streams_identity_{(tables.IsConjoined ? "tenant_id_id primary key (tenant_id, id)" : "id primary key (id)")}
        );

        """;

    private static string Archived(EventTables tables) => tables.IsPartitioned ? ", is_archived" : "";

    private static string NotNull(EventTables tables) => tables.IsPartitioned ? " not null" : "";

    private static string Name(string columns) => columns.Replace(", ", "_", StringComparison.Ordinal);

    private const string Progress = """
        create table if not exists mt_event_progression (
            name varchar not null,
            last_seq_id bigint,
            last_updated timestamp with time zone default (transaction_timestamp()),
            constraint pk_mt_event_progression primary key (name)
        );

        """;

    private const string HighWaterSkips = """
        create table if not exists mt_high_water_skips (
            ending_sequence bigint not null,
            starting_sequence bigint not null,
            timestamp timestamp with time zone default (transaction_timestamp()),
            constraint pkey_mt_high_water_skips_ending_sequence primary key (ending_sequence)
        );

        """;

    private const string DeadLetters = """
        create table if not exists mt_doc_deadletterevent (
            id uuid not null,
            data jsonb not null,
            mt_last_modified timestamp with time zone default (transaction_timestamp()),
            mt_version uuid not null default (md5(random()::text || clock_timestamp()::text)::uuid),
            mt_dotnet_type varchar,
            constraint pkey_mt_doc_deadletterevent_id primary key (id)
        );

        """;
}
