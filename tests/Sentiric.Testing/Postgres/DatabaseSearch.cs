namespace Sentiric.Testing.Postgres;

/// <summary>Looks for texts and bytes in everything that a database keeps.</summary>
/// <param name="ask">Runs a statement with its parameters; each row's first column as text.</param>
public sealed class DatabaseSearch(Func<string, object[], Task<List<string>>> ask)
{
    /// <summary>Every table that holds one of the texts, the log included.</summary>
    public async Task<IReadOnlyList<string>> TablesWithAsync(string[] texts)
    {
        var tables = await ask(
            """
            select quote_ident(n.nspname) || '.' || quote_ident(c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg_%'
            """, []).ConfigureAwait(false);
        var found = new List<string>();
        foreach (var table in tables)
        {
            var hits = await ask($"select 1 from {table} t where exists (select from unnest($1::text[]) v where position(v in t::text) > 0) limit 1", [texts]).ConfigureAwait(false);
            if (hits.Count > 0) found.Add(table.Split('.')[1]);
        }

        return found;
    }

    /// <summary>Files of the database in the server's data folder that hold the bytes, read by the server itself, which wants a superuser.</summary>
    public async Task<IReadOnlyList<string>> FilesWithAsync(byte[] bytes)
    {
        await ask("checkpoint", []).ConfigureAwait(false);
        return await ask(
            """
            with folder as (select 'base/' || oid as path from pg_database where datname = current_database())
            select f.name from folder, lateral pg_ls_dir(folder.path) f(name)
            where position($1 in coalesce(pg_read_binary_file(folder.path || '/' || f.name, 0, 100000000, true), '')) > 0
            """, [bytes]).ConfigureAwait(false);
    }
}
