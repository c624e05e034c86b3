using Npgsql;
using Sentiric.Read;

namespace Sentiric.Scenarios.Kit;

/// <summary>The rows of every read model as the database has them, in an order that does not depend on how they came in.</summary>
internal static class ReadTables
{
    public static async Task<IReadOnlyDictionary<string, string>> DumpAsync(string database)
    {
        await using var source = NpgsqlDataSource.Create(database);
        var dump = new Dictionary<string, string>();
        foreach (var projection in ReadSide.Projections)
        {
            var rows = new List<string>();
            foreach (var table in projection.Tables)
            {
                await using var command = source.CreateCommand($"select '{table} ' || t::text from {table} t order by 1");
                await using var reader = await command.ExecuteReaderAsync();
                while (await reader.ReadAsync())
                {
                    rows.Add(reader.GetString(0));
                }
            }

            dump[projection.Name] = string.Join('\n', rows);
        }

        return dump;
    }
}
