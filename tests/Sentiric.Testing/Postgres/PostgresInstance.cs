using System.Collections.Concurrent;
using Npgsql;

namespace Sentiric.Testing.Postgres;

/// <summary>
/// A PostgreSQL server for tests: the one that <c>SENTIRIC_TEST_PG</c> names, or a private one in a temporary folder on a free loopback port,
/// started once per test process and stopped with it. Each caller gets a fresh database; what a test process leaves behind is swept away at its end.
/// </summary>
public static class PostgresInstance
{
    public const string Variable = "SENTIRIC_TEST_PG";

    /// <summary>Databases that nobody needs any more and that are still there: a drop waits for a checkpoint, and no test waits for a drop.</summary>
    private const int MaxBehind = 8;

    // Few: the server's connections belong to the tests.
    private const int MaxPoolSize = 4;
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly string Prefix = "t_" + Guid.NewGuid().ToString("N")[..16] + "_";
    private static readonly Lazy<Task<Server>> Running = new(StartAsync);
    private static readonly ConcurrentDictionary<string, Lazy<Task<string>>> Filled = new(StringComparer.Ordinal);
    private static readonly ConcurrentQueue<Task> Dropping = new();
    private static int _made;

    /// <summary>A connection string to a new, empty database. Pool at most <paramref name="maxPoolSize"/> connections.</summary>
    public static Task<string> GetAsync(int maxPoolSize = 30) => CopyAsync("template0", maxPoolSize);

    /// <summary>
    /// A connection string to a new database as <paramref name="fill"/> leaves it, which is asked once per test process for each <paramref name="content"/>
    /// and must have closed its connections when it is through: all others are copies of its files.
    /// </summary>
    public static async Task<string> GetAsync(string content, Func<string, Task> fill, int maxPoolSize = 30)
    {
        var template = Filled.GetOrAdd(content, _ => new(async () =>
        {
            var first = await GetAsync(maxPoolSize).ConfigureAwait(false);
            await fill(first).ConfigureAwait(false);
            return Name(first);
        }));
        return await CopyAsync(await template.Value.ConfigureAwait(false), maxPoolSize).ConfigureAwait(false);
    }

    /// <summary>Has a database that <see cref="GetAsync(int)"/> made removed, whoever is still connected. It may take a while longer than this call.</summary>
    public static async Task DropAsync(string connectionString)
    {
        var server = await Running.Value.ConfigureAwait(false);
        Dropping.Enqueue(server.RunAsync($"drop database if exists {Name(connectionString)} with (force)"));
        while (Dropping.Count > MaxBehind && Dropping.TryDequeue(out var oldest)) await oldest.ConfigureAwait(false);
    }

    /// <summary>Copied as files: the pages need not go through the server's log, which costs several times as much.</summary>
    private static async Task<string> CopyAsync(string template, int maxPoolSize)
    {
        var server = await Running.Value.ConfigureAwait(false);
        var database = Prefix + Interlocked.Increment(ref _made);
        await server.RunAsync($"create database {database} template {template} strategy file_copy").ConfigureAwait(false);
        return new NpgsqlConnectionStringBuilder(server.Address) { Database = database, MaxPoolSize = maxPoolSize }.ConnectionString;
    }

    private static string Name(string connectionString) => new NpgsqlConnectionStringBuilder(connectionString).Database ?? "";

    private static async Task<Server> StartAsync()
    {
        var given = Environment.GetEnvironmentVariable(Variable);
        var address = string.IsNullOrWhiteSpace(given) ? await PrivateServer.StartAsync(StartLimit).ConfigureAwait(false) : given;
        return new Server(address, Broom.Start(address, Prefix));
    }

    /// <param name="Broom">Kept alive for its pipe.</param>
    private sealed record Server(string Address, Broom Broom)
    {
        private readonly NpgsqlDataSource _maintenance =
            NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(Address)
            {
                Database = "postgres",
                MaxPoolSize = MaxPoolSize,
                Timeout = (int)StartLimit.TotalSeconds,
                CommandTimeout = (int)StartLimit.TotalSeconds,
            });

        public async Task RunAsync(string sql)
        {
            await using var command = _maintenance.CreateCommand(sql);
            await command.ExecuteNonQueryAsync().ConfigureAwait(false);
        }
    }
}
