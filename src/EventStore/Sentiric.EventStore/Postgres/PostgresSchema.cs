using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// The tables. <c>mt_*</c> are Marten 9's, conjoined tenancy, text stream ids, with correlation, causation, headers and user name;
/// not one column or index more, since a Marten host drops what it does not know. What Marten has no place for lives in <c>sx_*</c>.
/// </summary>
public static class PostgresSchema
{
    // Any number will do, as long as every process of ours takes the same.
    private const long SchemaLock = 7_316_604_021;

    /// <summary>What a database administrator would run by hand; running it again changes nothing.</summary>
    public static string Script => Streams + Events + Progress + DeadLetters + SideTables + RebuildTables.Sql;

    /// <summary>Creates what is missing; several processes may start at once.</summary>
    public static async ValueTask EnsureAsync(NpgsqlDataSource source, CancellationToken ct = default)
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        await using var takeLock = new NpgsqlCommand("select pg_advisory_xact_lock($1)", connection) { Parameters = { new() { Value = SchemaLock } } };
        await takeLock.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        await using var create = new NpgsqlCommand("set local client_min_messages = warning;" + Script, connection);
        await create.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        await transaction.CommitAsync(ct).ConfigureAwait(false);
    }

    private const string Streams = """
        create table if not exists mt_streams (
            tenant_id   varchar                  not null default '*DEFAULT*',
            id          varchar                  not null,
            type        varchar,
            version     bigint,
            timestamp   timestamp with time zone not null default (now()),
            created     timestamp with time zone not null default (now()),
            is_archived boolean                  default false,
            constraint pkey_mt_streams_tenant_id_id primary key (tenant_id, id)
        );

        """;

    // The default of "timestamp" is a text literal, as Marten writes it: PostgreSQL freezes it at creation. Every insert therefore gives the time.
    private const string Events = """
        create sequence if not exists mt_events_sequence;
        create table if not exists mt_events (
            seq_id         bigint                   not null,
            id             uuid                     not null,
            stream_id      varchar,
            version        bigint                   not null,
            data           jsonb                    not null,
            bdata          bytea,
            type           varchar(500)             not null,
            timestamp      timestamp with time zone not null default '(now())',
            tenant_id      varchar                  default '*DEFAULT*',
            mt_dotnet_type varchar,
            correlation_id varchar,
            causation_id   varchar,
            headers        jsonb,
            user_name      varchar,
            is_archived    boolean                  default false,
            constraint pkey_mt_events_seq_id primary key (seq_id),
            constraint fkey_mt_events_stream_id_tenant_id foreign key (tenant_id, stream_id) references mt_streams (tenant_id, id)
        );
        alter sequence mt_events_sequence owned by mt_events.seq_id;
        create unique index if not exists pk_mt_events_stream_and_version on mt_events (tenant_id, stream_id, version);

        """;

    private const string Progress = """
        create table if not exists mt_event_progression (
            name         varchar not null,
            last_seq_id  bigint,
            last_updated timestamp with time zone default (transaction_timestamp()),
            constraint pk_mt_event_progression primary key (name)
        );
        create table if not exists mt_high_water_skips (
            ending_sequence   bigint not null,
            starting_sequence bigint not null,
            timestamp         timestamp with time zone default (transaction_timestamp()),
            constraint pkey_mt_high_water_skips_ending_sequence primary key (ending_sequence)
        );

        """;

    private const string DeadLetters = """
        create table if not exists mt_doc_deadletterevent (
            id               uuid  not null,
            data             jsonb not null,
            mt_last_modified timestamp with time zone default (transaction_timestamp()),
            mt_version       uuid  not null default (md5(random()::text || clock_timestamp()::text)::uuid),
            mt_dotnet_type   varchar,
            constraint pkey_mt_doc_deadletterevent_id primary key (id)
        );

        """;

    private const string SideTables = """
        create table if not exists sx_append_key (
            tenant_id varchar not null,
            event_id  uuid    not null,
            stream_id varchar not null,
            seq_id    bigint  not null,
            version   bigint  not null,
            constraint pkey_sx_append_key primary key (tenant_id, event_id)
        );
        create table if not exists sx_projection_version (
            name        varchar not null,
            version     integer not null,
            switched_at timestamp with time zone not null default (transaction_timestamp()),
            constraint pkey_sx_projection_version primary key (name)
        );
        create table if not exists sx_shard_state (
            shard                varchar not null,
            paused_at            timestamp with time zone,
            pause_reason         varchar,
            paused_by            varchar,
            owner                varchar,
            state                varchar,
            positions_per_second double precision not null default 0,
            last_error           varchar,
            reported_at          timestamp with time zone,
            constraint pkey_sx_shard_state primary key (shard)
        );
        create table if not exists sx_shard_order (
            shard    varchar not null,
            seq_id   bigint  not null,
            kind     varchar not null,
            reason   varchar,
            asked_by varchar,
            asked_at timestamp with time zone not null default (transaction_timestamp()),
            done_at  timestamp with time zone,
            outcome  varchar,
            error    varchar,
            constraint pkey_sx_shard_order primary key (shard, seq_id, kind)
        );

        """;
}
