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

    /// <summary>
    /// Every move of a stream into a file and back, one row behind the other: <c>sx_archived_stream</c> says where a stream lies now, this how it came there.
    /// Rows are never changed or taken away, so the notary can sign them; those that lay in files before there was this table get their first row here.
    /// </summary>
    public const string MoveScript = """
        create table if not exists sx_stream_move (
            tenant_id    varchar                  not null,
            stream_id    varchar                  not null,
            number       bigint                   not null,
            restored     boolean                  not null,
            file         varchar                  not null,
            sha256       bytea                    not null,
            events       bigint                   not null,
            version      bigint                   not null,
            first_seq_id bigint                   not null,
            last_seq_id  bigint                   not null,
            moved_at     timestamp with time zone not null,
            constraint pkey_sx_stream_move primary key (tenant_id, stream_id, number)
        );
        insert into sx_stream_move (tenant_id, stream_id, number, restored, file, sha256, events, version, first_seq_id, last_seq_id, moved_at)
            select tenant_id, stream_id, 1, false, file, sha256, events, version, first_seq_id, last_seq_id, archived_at from sx_archived_stream a
            where not exists (select from sx_stream_move m where m.tenant_id = a.tenant_id and m.stream_id = a.stream_id);

        """;

    /// <summary>Writes down that these streams, which <c>sx_archived_stream</c> knows, were moved: tenants, ids, restored, when they were.</summary>
    public const string TellMoves = """
        insert into sx_stream_move (tenant_id, stream_id, number, restored, file, sha256, events, version, first_seq_id, last_seq_id, moved_at)
        select a.tenant_id, a.stream_id, coalesce((select max(m.number) from sx_stream_move m where m.tenant_id = a.tenant_id and m.stream_id = a.stream_id), 0) + 1,
               $3, a.file, a.sha256, a.events, a.version, a.first_seq_id, a.last_seq_id, case when $3 then $4 else a.archived_at end
        from sx_archived_stream a join unnest($1, $2) as u(tenant, stream) on a.tenant_id = u.tenant and a.stream_id = u.stream
        """;
}
