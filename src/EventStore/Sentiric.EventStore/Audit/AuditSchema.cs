namespace Sentiric.EventStore;

/// <summary>
/// The side tables of the audit trail. The notary alone writes them; nothing in them is secret, and nothing in them is believed:
/// every column is covered by a signature or compared with what is.
/// <code>
///   sx_audit_block    one row per block: the signed statement, its signature, the list of the block's events (AuditEntries)
///   sx_audit_stream   one row per stream, in the order of first events: chain head, and what the stream's row said
///   sx_audit_page     Merkle roots of 256 streams each, so that neither notary nor proof reads all streams
///   sx_audit_key      public keys that signed, each vouched for by the one before
///   sx_audit_removal  one row per record of a truncation, or of a move into a file or back: its signed statement
///   sx_audit_order    one row per such record that somebody with a key ordered; written by the store, not by the notary
/// </code>
/// Times in sx_audit_stream are microseconds since 2000-01-01 UTC, PostgreSQL's own unit.
/// </summary>
internal static class AuditSchema
{
    public const string Script = """
        create table if not exists sx_audit_block (
            number         bigint not null,
            first_position bigint not null,
            last_position  bigint not null,
            statement      text   not null,
            signature      bytea  not null,
            entries        bytea  not null,
            constraint pkey_sx_audit_block primary key (number)
        );
        create unique index if not exists sx_audit_block_last_position on sx_audit_block (last_position);
        alter table sx_audit_block alter column entries set storage external;
        create table if not exists sx_audit_stream (
            ordinal   bigint  not null,
            tenant_id varchar not null,
            stream_id varchar not null,
            version   bigint  not null,
            head      bytea   not null,
            type      varchar,
            created   bigint,
            appended  bigint,
            constraint pkey_sx_audit_stream primary key (ordinal)
        );
        create unique index if not exists sx_audit_stream_name on sx_audit_stream (tenant_id, stream_id);
        create table if not exists sx_audit_page (
            page bigint not null,
            root bytea  not null,
            constraint pkey_sx_audit_page primary key (page)
        );
        create table if not exists sx_audit_key (
            key_id        varchar                  not null,
            public_key    bytea                    not null,
            introduced_at timestamp with time zone not null,
            endorsed_by   varchar                  not null,
            endorsement   bytea                    not null,
            constraint pkey_sx_audit_key primary key (key_id)
        );

        """;

    /// <summary>Signatures over the rows of <c>sx_stream_truncation</c>, in the order in which the notary saw them.</summary>
    public const string RemovalScript = """
        create table if not exists sx_audit_removal (
            number         bigint  not null,
            tenant_id      varchar not null,
            stream_id      varchar not null,
            before_version bigint  not null,
            statement      text    not null,
            signature      bytea   not null,
            constraint pkey_sx_audit_removal primary key (number)
        );
        create unique index if not exists sx_audit_removal_record on sx_audit_removal (tenant_id, stream_id, before_version);

        """;

    /// <summary>A removal is a truncation (move 0) or a move of a stream into a file or back, by its number in <c>sx_stream_move</c>.</summary>
    public const string MoveScript = """
        alter table sx_audit_removal add column if not exists move bigint not null default 0;
        drop index if exists sx_audit_removal_record;
        create unique index if not exists sx_audit_removal_what on sx_audit_removal (tenant_id, stream_id, before_version, move);

        """;

    /// <summary>Signatures of those who ordered removals, by the leaf of the record.</summary>
    public const string OrderScript = """
        create table if not exists sx_audit_order (
            record    varchar not null,
            key_id    varchar not null,
            signature bytea   not null,
            constraint pkey_sx_audit_order primary key (record)
        );

        """;
}
