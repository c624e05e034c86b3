using Npgsql;
using Sentiric.Benchmarks.Kit;
using Sentiric.EventStore;

namespace Sentiric.Benchmarks.Events;

/// <summary>A fresh database with the store's schema on the server of SENTIRIC_TEST_PG, dropped at the end.</summary>
public sealed class Database : IAsyncDisposable
{
    public const string Missing = "no PostgreSQL: run './sentiric bench', or set SENTIRIC_TEST_PG to a server's connection string";
    private const int PoolSize = 40;

    private readonly string server;
    private readonly string name;
    private readonly List<PostgresEventStore> stores = [];

    private Database(string server, string name, NpgsqlDataSource source, NpgsqlDataSource plain) => (this.server, this.name, Source, Plain) = (server, name, source, plain);

    /// <summary>Connections as the store's users are told to make them.</summary>
    public NpgsqlDataSource Source { get; }

    /// <summary>Connections as the driver makes them: those of the floors.</summary>
    public NpgsqlDataSource Plain { get; }

    /// <summary>Null where there is no server to ask.</summary>
    public static async Task<Database?> CreateAsync()
    {
        if (Places.Postgres is not { } server) return null;
        var name = "bench_" + Guid.NewGuid().ToString("N");
        await ExecuteAsync(server, $"create database {name} template template0 encoding 'UTF8'");
        var address = new NpgsqlConnectionStringBuilder(server) { Database = name, MaxPoolSize = PoolSize };
        var database = new Database(
            server, name, NpgsqlDataSource.Create(PostgresSchema.ConnectionString(address.ConnectionString, new PostgresEventStoreOptions())),
            NpgsqlDataSource.Create(address.ConnectionString));
        await PostgresSchema.EnsureAsync(database.Source);
        return database;
    }

    public PostgresEventStore NewStore()
    {
        var store = new PostgresEventStore(Source, Notes.Serializer, TimeProvider.System);
        stores.Add(store);
        return store;
    }

    /// <summary>What the server was set to, for the reader of the figures.</summary>
    public async Task<string> DescribeAsync() =>
        $"PostgreSQL {await AskAsync("show server_version")}, fsync {await AskAsync("show fsync")}";

    /// <summary>Fresh statistics: without them the planner guesses from empty tables.</summary>
    public async Task AnalyzeAsync() => await AskAsync("vacuum analyze mt_streams, mt_events");

    /// <summary>Processor time of the server's backends; null when the server is on another machine.</summary>
    public async Task<Func<TimeSpan>?> ServerCpuAsync()
    {
        await using var connection = await Source.OpenConnectionAsync();
        var isPostgres = File.Exists($"/proc/{connection.ProcessID}/cmdline")
            && (await File.ReadAllTextAsync($"/proc/{connection.ProcessID}/cmdline")).StartsWith("postgres", StringComparison.Ordinal);
        return isPostgres && ProcessCpu.ParentOf(connection.ProcessID) is { } postmaster ? () => ProcessCpu.OfChildren(postmaster) : null;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var store in stores) await store.DisposeAsync();
        await Source.DisposeAsync();
        await Plain.DisposeAsync();
        await ExecuteAsync(server, $"drop database if exists {name} with (force)");
    }

    private async Task<object?> AskAsync(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    private static async Task ExecuteAsync(string address, string sql)
    {
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(address) { Pooling = false }.ConnectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
