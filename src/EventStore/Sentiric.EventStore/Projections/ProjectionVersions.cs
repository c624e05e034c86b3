using Npgsql;

namespace Sentiric.EventStore;

/// <summary>Which version of each projection the live tables hold.</summary>
internal sealed class ProjectionVersions(NpgsqlDataSource source, EventTables tables)
{
    public const string Record = """
        insert into sx_projection_version (name, version) values ($1, $2)
        on conflict (name) do update set version = excluded.version, switched_at = transaction_timestamp()
        """;

    public async ValueTask<int?> LoadAsync(string name, CancellationToken ct)
    {
        await using var command = source.CreateCommand("select version from sx_projection_version where name = $1");
        command.Parameters.Add(new() { Value = name });
        return await command.ExecuteScalarAsync(ct).ConfigureAwait(false) as int?;
    }

    public async ValueTask CreateTablesAsync(ITableProjection projection, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        await using var create = new NpgsqlCommand("set local client_min_messages = warning;" + projection.SchemaSql("", tables), connection);
        await create.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        await using var record = new NpgsqlCommand("insert into sx_projection_version (name, version) values ($1, $2) on conflict do nothing", connection)
        {
            Parameters = { new() { Value = projection.Name }, new() { Value = projection.Version } },
        };
        await record.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        await transaction.CommitAsync(ct).ConfigureAwait(false);
    }
}
