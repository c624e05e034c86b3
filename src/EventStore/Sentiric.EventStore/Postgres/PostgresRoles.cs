using System.Text.RegularExpressions;

namespace Sentiric.EventStore;

/// <summary>
/// Three roles with as few rights as their work allows. They cannot log in until the administrator gives them a password (or a member).
/// <code>
///   migrator   owns the tables: creates, patches, truncates streams, moves them into files
///   writer     appends, subscribes, runs projections, forgets persons (it owns the tables of its read models and of the keys); cannot change or delete an event
///   reader     selects
/// </code>
/// </summary>
public sealed partial record PostgresRoles(string Migrator = "sentiric_migrator", string Writer = "sentiric_writer", string Reader = "sentiric_reader")
{
    /// <summary>
    /// To be run by a superuser, or by who may create roles and owns the tables; after each new version of the schema again, so that new tables have their rights.
    /// Running it twice changes nothing.
    /// </summary>
    public string Script(PostgresEventStoreOptions? options = null)
    {
        var (migrator, writer, reader) = (Checked(Migrator), Checked(Writer), Checked(Reader));
        var schema = PostgresSchema.Checked(options?.Schema ?? "public");
        return $"""
            begin;
            do $$ begin
              if not exists (select 1 from pg_roles where rolname = '{migrator}') then create role {migrator}; end if;
              if not exists (select 1 from pg_roles where rolname = '{writer}') then create role {writer}; end if;
              if not exists (select 1 from pg_roles where rolname = '{reader}') then create role {reader}; end if;
            end $$;
            create schema if not exists "{schema}";
            revoke create on schema "{schema}" from public;
            grant usage, create on schema "{schema}" to {migrator}, {writer};
            grant usage on schema "{schema}" to {reader};
            do $$ declare t record; begin
              for t in select c.relname, c.relkind, c.relispartition from pg_class c
                       where c.relnamespace = '"{schema}"'::regnamespace and c.relkind in ('r', 'p') and c.relname ~ '^({OwnTables})$' loop
                execute format('alter table "{schema}".%I owner to %I', t.relname, case when t.relname ~ '{ErasureTables}' then '{writer}' else '{migrator}' end);
                execute format('revoke all on "{schema}".%I from {writer}, {reader}', t.relname);
                -- Rows of partitions are met through their table: nobody has rights on them alone.
                continue when t.relispartition;
                execute format('grant select on "{schema}".%I to {writer}', t.relname);
                if t.relname !~ '{SecretTables}' then execute format('grant select on "{schema}".%I to {reader}', t.relname); end if;
                if t.relname = 'mt_events' then
                  execute format('grant insert on "{schema}".%I to {writer}', t.relname);
                  execute format('grant update (is_archived) on "{schema}".%I to {writer}', t.relname);
                elsif t.relname = 'mt_streams' then
                  execute format('grant insert on "{schema}".%I to {writer}', t.relname);
                  execute format('grant update (type, version, timestamp, is_archived) on "{schema}".%I to {writer}', t.relname);
                  -- Archiving locks the table against appends, which takes the right to change all of it.
                  if t.relkind = 'p' then execute format('grant update on "{schema}".%I to {writer}', t.relname); end if;
                elsif t.relname in ({ReadOnlyTables}) then
                  null;
                elsif t.relname in ({AppendOnlyTables}) then
                  execute format('grant insert on "{schema}".%I to {writer}', t.relname);
                else
                  execute format('grant insert, update, delete on "{schema}".%I to {writer}', t.relname);
                end if;
              end loop;
            end $$;
            do $$ begin
              if to_regclass('"{schema}".mt_events_sequence') is not null then
                grant usage, select on sequence "{schema}".mt_events_sequence to {writer};
                grant select on sequence "{schema}".mt_events_sequence to {reader};
              end if;
            end $$;
            alter default privileges for role {writer} in schema "{schema}" grant select on tables to {reader};
            commit;

            """;
    }

    // Tables of read models are not among them: the role that runs the projections makes and owns them.
    private const string OwnTables = "mt_(streams|events)(_archived|_default)?|mt_streams_identity|mt_event_progression|mt_high_water_skips|mt_doc_deadletterevent|sx_[a-z_]+";
    // Keys of persons, wrapped as they are, are nothing for a reader.
    private const string SecretTables = "^sx_(subject|master)_";
    // Whoever forgets a person writes the file of the keys anew, which takes its owner.
    private const string ErasureTables = "^sx_(subject_[a-z]+|master_key|erasure)$";
    private const string ReadOnlyTables = "'sx_schema_version', 'sx_stream_truncation', 'sx_archived_stream', 'sx_stream_move', 'sx_audit_order'";
    private const string AppendOnlyTables = "'mt_high_water_skips', 'mt_streams_identity', 'sx_append_key', 'sx_audit_block', 'sx_audit_key', 'sx_audit_removal'";

    private static string Checked(string role) => RoleName().IsMatch(role)
        ? role
        : throw new ArgumentException($"'{role}' is no role name: lower-case letters, digits and underscores, at most 63, not starting with a digit.");

    [GeneratedRegex("^[a-z_][a-z0-9_]{0,62}$")]
    private static partial Regex RoleName();
}
