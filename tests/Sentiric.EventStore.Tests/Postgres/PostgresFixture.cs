using Npgsql;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.Testing.Postgres;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>A fresh database with the schema, for one test class.</summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    public string ConnectionString { get; private set; } = "";
    public NpgsqlDataSource Source { get; private set; } = null!;
    public PostgresEventStore Store { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        ConnectionString = await PostgresInstance.GetAsync();
        Source = NpgsqlDataSource.Create(ConnectionString);
        Store = NewStore();
        await Store.EnsureSchemaAsync();
    }

    public async Task DisposeAsync()
    {
        await Store.DisposeAsync();
        await Source.DisposeAsync();
        await PostgresInstance.DropAsync(ConnectionString);
    }

    /// <summary>Another process's view: an own store over the same database.</summary>
    public PostgresEventStore NewStore(PostgresEventStoreOptions? options = null) => new(Source, Facts.Serializer, TimeProvider.System, options);

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<List<string>> LinesAsync(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        await using var rows = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await rows.ReadAsync())
            lines.Add(string.Join(" | ", Enumerable.Range(0, rows.FieldCount).Select(i => rows.IsDBNull(i) ? "-" : rows.GetValue(i).ToString())));
        return lines;
    }
}
