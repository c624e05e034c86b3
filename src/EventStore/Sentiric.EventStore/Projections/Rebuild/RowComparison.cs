using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>
/// Compares living and rebuilt rows in one snapshot that was taken while both stood at the same position, so the writing that goes on meanwhile does not count.
/// Numbers that the database draws by itself and the time of a document's last writing are left out: they say nothing about the events.
/// </summary>
internal sealed class RowComparison(NpgsqlConnection connection, NpgsqlTransaction snapshot, ITableProjection projection) : IAsyncDisposable
{
    /// <summary>The caller makes sure that nobody writes either set of tables until this returns.</summary>
    public static async ValueTask<RowComparison> OpenAsync(NpgsqlDataSource source, ITableProjection projection, CancellationToken ct)
    {
        var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        try
        {
            var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, ct).ConfigureAwait(false);
            // The first statement takes the snapshot.
            await using var first = new NpgsqlCommand("set transaction read only; select pg_current_snapshot()::text", connection, transaction);
            await first.ExecuteScalarAsync(ct).ConfigureAwait(false);
            return new RowComparison(connection, transaction, projection);
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask<IReadOnlyList<TableDifference>> DifferencesAsync(CancellationToken ct)
    {
        var differences = new List<TableDifference>();
        foreach (var table in projection.Tables)
        {
            var columns = await ColumnsAsync(table, ct).ConfigureAwait(false);
            if (await HashAsync(table, columns, ct).ConfigureAwait(false) == await HashAsync(table + ShadowTables.Suffix, columns, ct).ConfigureAwait(false)) continue;
            differences.Add(await DifferenceAsync(table, columns, ct).ConfigureAwait(false));
        }
        return differences;
    }

    public async ValueTask DisposeAsync()
    {
        await snapshot.DisposeAsync().ConfigureAwait(false);
        await connection.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask<string> ColumnsAsync(string table, CancellationToken ct)
    {
        const string sql = """
            select coalesce(string_agg(format('%I', a.attname), ', ' order by a.attnum), 'null')
            from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
            where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped and a.attidentity = ''
              and coalesce(pg_get_expr(d.adbin, d.adrelid), '') not like 'nextval(%' and a.attname <> 'mt_last_modified'
            """;
        await using var command = new NpgsqlCommand(sql, connection, snapshot) { Parameters = { new() { Value = table, NpgsqlDbType = NpgsqlDbType.Text } } };
        return await command.ExecuteScalarAsync(ct).ConfigureAwait(false) as string ?? "null";
    }

    /// <summary>Rows and the sum of their hashes: the same whatever the order.</summary>
    private async ValueTask<(long Rows, decimal Hash)> HashAsync(string table, string columns, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            $"select count(*), coalesce(sum(hashtextextended(row({columns})::text, 0)::numeric), 0) from {table}", connection, snapshot);
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        await row.ReadAsync(ct).ConfigureAwait(false);
        return (row.GetInt64(0), row.GetDecimal(1));
    }

    private async ValueTask<TableDifference> DifferenceAsync(string table, string columns, CancellationToken ct)
    {
        var sql = $"""
            with l as (select md5(row({columns})::text) as h, count(*) as n from {table} group by 1),
                 s as (select md5(row({columns})::text) as h, count(*) as n from {table}{ShadowTables.Suffix} group by 1)
            select coalesce(sum(l.n), 0)::bigint, coalesce(sum(s.n), 0)::bigint,
                   coalesce(sum(greatest(coalesce(l.n, 0) - coalesce(s.n, 0), 0)), 0)::bigint,
                   coalesce(sum(greatest(coalesce(s.n, 0) - coalesce(l.n, 0), 0)), 0)::bigint
            from l full join s using (h)
            """;
        await using var command = new NpgsqlCommand(sql, connection, snapshot);
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        await row.ReadAsync(ct).ConfigureAwait(false);
        return new TableDifference(table, row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3));
    }
}
