using System.Data.Common;
using Npgsql;

namespace Sentiric.Read;

/// <summary>Questions to the read tables. Values go through numbered parameters ($1, $2 ...).</summary>
public sealed class Tables(NpgsqlDataSource source)
{
    public const int MaxRows = 500;

    public async Task<IReadOnlyList<T>> QueryAsync<T>(string sql, Func<DbDataReader, T> read, CancellationToken ct, params object?[] values)
    {
        await using var command = source.CreateCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value ?? DBNull.Value });
        }

        try
        {
            await using var reader = await command.ExecuteReaderAsync(ct);
            var rows = new List<T>();
            while (await reader.ReadAsync(ct))
            {
                rows.Add(read(reader));
            }

            return rows;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            // A projection makes its tables when it first runs: right after the very first start nothing is known yet.
            return [];
        }
    }
}
