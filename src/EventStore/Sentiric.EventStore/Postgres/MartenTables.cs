namespace Sentiric.EventStore;

/// <summary>
/// Marten's tables with conjoined tenancy, as its own migration writes them: names, order, types, defaults, constraints, indexes.
/// Marten 8 has room for a snapshot in the stream's row; Marten 9 has binary payloads and writes down which numbers it skipped.
/// </summary>
internal static class MartenTables
{
    public static string Script(EventTables tables) =>
        Streams(tables) + Events(tables) + Progress + (tables.HasHighWaterSkips ? HighWaterSkips : "") + DeadLetters;

    private static string Streams(EventTables tables) => $"""
        create table if not exists mt_streams (
            tenant_id varchar not null default '*DEFAULT*',
            id {tables.StreamIdSqlType} not null,
            type varchar,
            version bigint,
            timestamp timestamp with time zone not null default (now()),
        {(tables.Shape == MartenShape.Marten8 ? "    snapshot jsonb,\n    snapshot_version integer,\n" : "")}    created timestamp with time zone not null default (now()),
            is_archived boolean default false,
            constraint pkey_mt_streams_tenant_id_id primary key (tenant_id, id)
        );

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
            correlation_id varchar,
            causation_id varchar,
            headers jsonb,
            user_name varchar,
            is_archived boolean default false,
            constraint pkey_mt_events_seq_id primary key (seq_id),
            constraint fkey_mt_events_stream_id_tenant_id foreign key (tenant_id, stream_id) references mt_streams (tenant_id, id)
        );
        alter sequence mt_events_sequence owned by mt_events.seq_id;
        create unique index if not exists pk_mt_events_stream_and_version on mt_events (tenant_id, stream_id, version);

        """;

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
