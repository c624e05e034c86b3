using System.Diagnostics;
using System.Globalization;

namespace Sentiric.Testing.Postgres;

/// <summary>
/// A PostgreSQL server for tests: the one that <c>SENTIRIC_TEST_PG</c> names, or a private one in a temporary folder on a free loopback port,
/// started once per test process and stopped with it. Each caller gets a fresh database.
/// </summary>
public static class PostgresInstance
{
    public const string Variable = "SENTIRIC_TEST_PG";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly Lazy<Task<string>> Server = new(StartAsync);

    /// <summary>A connection string to a new, empty database. Pool at most <paramref name="maxPoolSize"/> connections.</summary>
    public static async Task<string> GetAsync(int maxPoolSize = 30)
    {
        var server = await Server.Value.ConfigureAwait(false);
        var database = "t_" + Guid.NewGuid().ToString("N");
        await PsqlAsync(server, $"create database {database} template template0 encoding 'UTF8'").ConfigureAwait(false);
        return string.Create(CultureInfo.InvariantCulture, $"{server};Database={database};Maximum Pool Size={maxPoolSize}");
    }

    /// <summary>Removes a database that <see cref="GetAsync"/> made, whoever is still connected.</summary>
    public static async Task DropAsync(string connectionString)
    {
        var database = Part(connectionString, "Database");
        await PsqlAsync(await Server.Value.ConfigureAwait(false), $"drop database if exists {database} with (force)").ConfigureAwait(false);
    }

    private static Task<string> StartAsync()
    {
        var given = Environment.GetEnvironmentVariable(Variable);
        return string.IsNullOrWhiteSpace(given) ? PrivateServer.StartAsync(StartLimit) : Task.FromResult(WithoutDatabase(given));
    }

    /// <summary>One statement against the maintenance database, through the server's own client.</summary>
    private static async Task PsqlAsync(string server, string sql)
    {
        var start = new ProcessStartInfo(PostgresPrograms.Find("psql"));
        foreach (var argument in new[] { "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", Part(server, "Host"), "-p", Part(server, "Port"), "-U", Part(server, "Username"), "-d", "postgres", "-c", sql })
            start.ArgumentList.Add(argument);
        start.Environment["PGPASSWORD"] = Part(server, "Password");
        await PostgresPrograms.RunAsync(start, StartLimit).ConfigureAwait(false);
    }

    private static string WithoutDatabase(string connectionString) =>
        string.Join(';', Pairs(connectionString).Where(p => p.Key is not ("database" or "maximum pool size")).Select(p => $"{p.Name}={p.Value}"));

    private static string Part(string connectionString, string name) =>
        Pairs(connectionString).FirstOrDefault(p => p.Key == name.ToLowerInvariant()).Value ?? (name == "Port" ? "5432" : "");

    private static IEnumerable<(string Key, string Name, string Value)> Pairs(string connectionString) =>
        from pair in connectionString.Split(';', StringSplitOptions.RemoveEmptyEntries)
        let at = pair.IndexOf('=', StringComparison.Ordinal)
        where at > 0
        let name = pair[..at].Trim()
        select (name.ToLowerInvariant(), name, pair[(at + 1)..].Trim());
}
