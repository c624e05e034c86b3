using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Sentiric.Read;

/// <summary>Questions to the document tables of the directories (Marten's mt_doc_*).</summary>
internal static class Documents
{
    public static Task<IReadOnlyList<T>> ListAsync<T>(Tables tables, string table, JsonTypeInfo<T> json, string tenant, CancellationToken ct) =>
        tables.QueryAsync(
            $"select data::text from {table} where tenant_id = $1 order by id limit {Tables.MaxRows}",
            row => JsonSerializer.Deserialize(row.GetString(0), json)!, ct, tenant);

    public static async Task<T?> FindAsync<T>(Tables tables, string table, JsonTypeInfo<T> json, string tenant, string stream, CancellationToken ct)
        where T : class =>
        (await tables.QueryAsync(
            $"select data::text from {table} where tenant_id = $1 and id = $2", row => JsonSerializer.Deserialize(row.GetString(0), json)!, ct, tenant, stream))
        .SingleOrDefault();
}
