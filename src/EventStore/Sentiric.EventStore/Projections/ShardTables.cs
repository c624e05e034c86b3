namespace Sentiric.EventStore;

/// <summary>What operators asked of shards, and what their owners report.</summary>
internal static class ShardTables
{
    public const string Sql = """
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
