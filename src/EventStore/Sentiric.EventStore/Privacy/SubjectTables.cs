using System.Text.RegularExpressions;

namespace Sentiric.EventStore;

/// <summary>
/// The tables of the vault. <c>sx_subject_key</c> stays small (a row of about 200 bytes per person), because it is written anew as a whole when a key is
/// destroyed. A destroyed key keeps its row without the key: readers learn from it what to forget.
/// </summary>
internal static partial class SubjectTables
{
    /// <summary>ANALYZE copies values of a column to pg_statistic, where a destroyed key would outlive its row.</summary>
    public const string NoStatistics = "alter column wrapped_dek set statistics 0";

    public static string Script(string? schema)
    {
        if (schema is not null && !SchemaName().IsMatch(schema)) throw new ArgumentException($"'{schema}' is no name for a schema.", nameof(schema));
        var s = schema is null ? "" : schema + ".";
        return (schema is null ? "" : $"create schema if not exists {schema};") + $"""
            create table if not exists {s}sx_subject_key (
                tenant_id    varchar                  not null,
                subject_id   varchar                  not null,
                key_id       varchar                  not null,
                wrapped_dek  bytea,
                kek_id       varchar,
                created      timestamp with time zone not null default (transaction_timestamp()),
                destroyed_at timestamp with time zone,
                constraint pkey_sx_subject_key primary key (key_id)
            );
            alter table {s}sx_subject_key {NoStatistics};
            create unique index if not exists idx_sx_subject_key_living on {s}sx_subject_key (tenant_id, subject_id) where destroyed_at is null;
            create index if not exists idx_sx_subject_key_destroyed on {s}sx_subject_key (destroyed_at) where destroyed_at is not null;
            create table if not exists {s}sx_subject_alias (
                alias        varchar not null,
                first_tenant varchar not null,
                first_id     varchar not null,
                tenant_id    varchar,
                subject_id   varchar,
                constraint pkey_sx_subject_alias primary key (alias)
            );
            create index if not exists idx_sx_subject_alias_first on {s}sx_subject_alias (first_tenant, first_id);
            create table if not exists {s}sx_subject_stream (
                tenant_id     varchar not null,
                subject_id    varchar not null,
                stream_tenant varchar not null,
                stream_id     varchar not null,
                ordinal       bigint  not null generated always as identity,
                constraint pkey_sx_subject_stream primary key (tenant_id, subject_id, stream_tenant, stream_id)
            );
            create index if not exists idx_sx_subject_stream_stream on {s}sx_subject_stream (stream_tenant, stream_id, ordinal);
            create table if not exists {s}sx_master_key (
                kek_id      varchar not null,
                fingerprint varchar not null,
                created     timestamp with time zone not null default (transaction_timestamp()),
                constraint pkey_sx_master_key primary key (kek_id)
            );

            """;
    }

    [GeneratedRegex("^[a-z_][a-z0-9_]{0,62}$", RegexOptions.CultureInvariant)]
    private static partial Regex SchemaName();
}
