namespace Sentiric.EventStore;

/// <summary>What is remembered of events that are no longer in the tables: which a truncation deleted, which lie in files.</summary>
internal static class LifecycleTables
{
    public const string Sql = """
        create table if not exists sx_stream_truncation (
            tenant_id      varchar                  not null,
            stream_id      varchar                  not null,
            before_version bigint                   not null,
            events         bigint                   not null,
            first_seq_id   bigint                   not null,
            last_seq_id    bigint                   not null,
            sha256         bytea                    not null,
            reason         varchar                  not null,
            actor          varchar,
            truncated_at   timestamp with time zone not null,
            constraint pkey_sx_stream_truncation primary key (tenant_id, stream_id, before_version)
        );
        create table if not exists sx_archived_stream (
            tenant_id    varchar                  not null,
            stream_id    varchar                  not null,
            file         varchar                  not null,
            sha256       bytea                    not null,
            events       bigint                   not null,
            version      bigint                   not null,
            first_seq_id bigint                   not null,
            last_seq_id  bigint                   not null,
            archived_at  timestamp with time zone not null,
            constraint pkey_sx_archived_stream primary key (tenant_id, stream_id)
        );

        """;
}
