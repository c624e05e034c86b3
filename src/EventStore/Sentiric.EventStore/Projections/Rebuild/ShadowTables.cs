using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>
/// The three sets of tables that a projection may have: the living ones, the shadows that a rebuild fills and the previous ones that a switch put aside.
/// Indexes, constraints and sequences carry the suffix of their table and are renamed with it, so that each name is free again for the next rebuild.
/// <code>
///   switch      x__sx_prev  dropped      x -> x__sx_prev        x__sx1 -> x          one transaction
///   roll back   x -> x__sx_aside         x__sx_prev -> x        x__sx_aside -> x__sx_prev
/// </code>
/// </summary>
internal sealed class ShadowTables(ITableProjection projection)
{
    public const string Suffix = "__sx1";
    public const string Previous = "__sx_prev";
    private const string Aside = "__sx_aside";

    // PostgreSQL cuts names at 63 bytes, and a cut name could not be given back.
    private const int MaxNameLength = 63 - 10;

    /// <summary>Empty shadow tables; what an earlier rebuild left is thrown away.</summary>
    public async ValueTask CreateAsync(NpgsqlConnection connection, EventTables shape, CancellationToken ct)
    {
        await RunAsync(connection, "set client_min_messages = warning;" + Drops(Suffix) + projection.SchemaSql(Suffix, shape) + "reset client_min_messages;", ct).ConfigureAwait(false);
        const string sql = """
            select coalesce(min(n.name), '') from (
              select c.relname::text as name from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relname = any($1)
              union all
              select i.relname from pg_index x join pg_class t on t.oid = x.indrelid join pg_class i on i.oid = x.indexrelid
              where t.relnamespace = current_schema()::regnamespace and t.relname = any($1)) n
            where position($2 in n.name) = 0 or length(n.name) > $3 + length($2)
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { Names(Suffix), new() { Value = Suffix }, new() { Value = MaxNameLength } },
        };
        if (await command.ExecuteScalarAsync(ct).ConfigureAwait(false) is string { Length: > 0 } wrong)
            throw new InvalidOperationException($"'{wrong}' of projection '{projection.Name}' lacks the suffix that SchemaSql was given, or its name is longer than {MaxNameLength}.");
    }

    public ValueTask DropAsync(NpgsqlConnection connection, string suffix, CancellationToken ct) =>
        RunAsync(connection, "set client_min_messages = warning;" + Drops(suffix) + "reset client_min_messages;", ct);

    /// <summary>Takes keys and indexes off the empty shadows and returns the statements that build them: filling without them is faster.</summary>
    public async ValueTask<IReadOnlyList<string>> StripAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        const string sql = """
            with t as (select c.oid, c.relname from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relname = any($1))
            select 1, format('alter table %I drop constraint %I cascade;', t.relname, k.conname),
                   format('alter table %I add constraint %I %s;', t.relname, k.conname, pg_get_constraintdef(k.oid))
            from t join pg_constraint k on k.conrelid = t.oid where k.contype in ('p', 'u')
            union all
            select 2, format('drop index %I;', i.relname), pg_get_indexdef(i.oid) || ';'
            from t join pg_index x on x.indrelid = t.oid join pg_class i on i.oid = x.indexrelid
            where not exists (select 1 from pg_constraint k where k.conindid = i.oid)
            order by 1, 2
            """;
        var (drops, builds) = (new List<string>(), new List<string>());
        await using (var command = new NpgsqlCommand(sql, connection) { Parameters = { Names(Suffix) } })
        await using (var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await rows.ReadAsync(ct).ConfigureAwait(false))
            {
                drops.Add(rows.GetString(1));
                builds.Add(rows.GetString(2));
            }
        }
        await RunAsync(connection, string.Concat(drops), ct).ConfigureAwait(false);
        return builds;
    }

    /// <summary>The statements that put the shadows in the place of the living tables, which become the previous ones. Asked beforehand, so that the locks are short.</summary>
    public async ValueTask<string> SwitchSqlAsync(NpgsqlConnection connection, CancellationToken ct) =>
        Drops(Previous)
        + await RenamesAsync(connection, "", Previous, ct).ConfigureAwait(false)
        + await RenamesAsync(connection, Suffix, "", ct).ConfigureAwait(false);

    /// <summary>
    /// Takes the living tables from their readers. With <paramref name="isPatient"/> it waits a moment, and readers that come meanwhile wait behind it;
    /// otherwise it fails at once where anybody reads, and nobody waits at all.
    /// </summary>
    public async ValueTask<string> LockSqlAsync(NpgsqlConnection connection, bool isPatient, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "select coalesce(string_agg(format('%I', t), ', '), '') from unnest($1) t where to_regclass(format('%I', t)) is not null", connection) { Parameters = { Names("") } };
        var living = await command.ExecuteScalarAsync(ct).ConfigureAwait(false) as string;
        return string.IsNullOrEmpty(living) ? "" : $"lock table {living} in access exclusive mode{(isPatient ? "" : " nowait")};";
    }

    /// <summary>Swaps the living and the previous tables inside the caller's transaction.</summary>
    public async ValueTask SwapAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        foreach (var (from, to) in new[] { ("", Aside), (Previous, ""), (Aside, Previous) })
            await RunAsync(connection, await RenamesAsync(connection, from, to, ct).ConfigureAwait(false), ct).ConfigureAwait(false);
    }

    public string Drops(string suffix) => string.Concat(projection.Tables.Reverse().Select(t => $"drop table if exists {t}{suffix};"));

    public static async ValueTask RunAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        if (sql.Length == 0) return;
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private async ValueTask<string> RenamesAsync(NpgsqlConnection connection, string from, string to, CancellationToken ct)
    {
        // Names of checks and foreign keys belong to their table; only those with the suffix have to lose it. A primary key follows its index.
        const string sql = """
            with t as (select c.oid, c.relname from pg_class c
                       where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and c.relname = any($1)),
            n as (
              select 1 as step, 'index' as kind, t.relname as owner, i.relname::text as name
              from t join pg_index x on x.indrelid = t.oid join pg_class i on i.oid = x.indexrelid
              union all
              select 1, 'sequence', t.relname, s.relname
              from t join pg_depend d on d.refobjid = t.oid join pg_class s on s.oid = d.objid and s.relkind = 'S'
              union all
              select 2, 'constraint', t.relname, k.conname from t join pg_constraint k on k.conrelid = t.oid where k.contype in ('c', 'f') and $2 <> ''
              union all
              select 3, 'table', t.relname, t.relname from t),
            r as (select n.*, case when $2 = '' then n.name || $3 else replace(n.name, $2, $3) end as fresh from n)
            select case r.kind when 'constraint' then format('alter table %I rename constraint %I to %I;', r.owner, r.name, r.fresh)
                               else format('alter %s %I rename to %I;', r.kind, r.name, r.fresh) end
            from r where r.fresh <> r.name order by r.step, r.name
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                Names(from),
                new() { Value = from, NpgsqlDbType = NpgsqlDbType.Text },
                new() { Value = to, NpgsqlDbType = NpgsqlDbType.Text },
            },
        };
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var statements = new List<string>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) statements.Add(rows.GetString(0));
        return string.Concat(statements);
    }

    private NpgsqlParameter Names(string suffix) => new()
    {
        Value = projection.Tables.Select(t => t + suffix).ToArray(),
        NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
    };
}
