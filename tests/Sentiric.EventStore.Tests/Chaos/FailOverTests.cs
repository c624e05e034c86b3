using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Sentiric.EventStore.Tests.Chaos.Children;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Sentiric.Testing.Platform;
using Xunit.Abstractions;

namespace Sentiric.EventStore.Tests.Chaos;

/// <summary>Three hosts of projections in processes of their own. Each shard has one owner at a time; a dead host's shards are taken over.</summary>
public sealed class FailOverTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Shards = 12, Hosts = 3, Kills = 4;
    private static readonly string[] Names = [.. Enumerable.Range(0, Shards).Select(n => $"Shard{n}")];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly PostgresFixture _postgres = new();

    public Task InitializeAsync() => _postgres.InitializeAsync();

    public Task DisposeAsync() => _postgres.DisposeAsync();

    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_dead_hosts_shards_are_taken_over_and_no_event_is_applied_twice()
    {
        var hosts = new Dictionary<string, Child>();
        using var writing = new CancellationTokenSource();
        try
        {
            for (var n = 0; n < Hosts; n++) hosts[$"host{n}"] = Start($"host{n}");
            var writer = Task.Run(() => WriteAsync(writing.Token));
            await OwnedAsync("the three hosts to own all shards", hosts);
            for (var kill = 0; kill < Kills; kill++)
            {
                var victim = (await OwnersAsync()).GroupBy(o => o).MaxBy(g => g.Count())?.Key ?? "";
                var (lost, began) = ((await OwnersAsync()).Count(o => o == victim), Stopwatch.GetTimestamp());
                hosts[victim].Kill();
                hosts.Remove(victim);
                await OwnedAsync($"others to take over the {lost} shards of {victim}", hosts);
                output.WriteLine($"{lost} shards of {victim} taken over within {Stopwatch.GetElapsedTime(began).TotalSeconds:F2} s");
                hosts[$"heir{kill}"] = Start($"heir{kill}");
                // A lock that is lost while its holder lives: the holder must not go on beside the next owner.
                await _postgres.ExecuteAsync("""
                    select pg_terminate_backend(pid) from (
                        select pid from pg_locks where locktype = 'advisory' and objsubid = 1 and granted
                          and database = (select oid from pg_database where datname = current_database()) order by random() limit 3) x
                    """);
                await OwnedAsync("all shards to be owned after their locks were cut", hosts);
            }
            await writing.CancelAsync();
            await writer;
            await CheckAsync();
        }
        finally
        {
            await writing.CancelAsync();
            foreach (var host in hosts.Values) host.Dispose();
        }
    }

    private Child Start(string label)
    {
        var address = new NpgsqlConnectionStringBuilder(_postgres.ConnectionString) { ApplicationName = label, MaxPoolSize = 40 };
        return Child.Start("daemon", address.ConnectionString, label, string.Join(',', Names), "");
    }

    private async Task WriteAsync(CancellationToken ct)
    {
        for (var i = 0; !ct.IsCancellationRequested; i++)
        {
            await _postgres.Store.AppendToStreamAsync("acme", $"s{i % 7}", ExpectedVersion.Any, Facts.Raised(2, 1), ct: CancellationToken.None);
            // A steady stream, not a flood: what is tested is who applies it.
            await _postgres.ExecuteAsync("select pg_sleep(0.005)");
        }
    }

    /// <summary>Who holds the lock of each shard (one number, hence objsubid 1) now. PostgreSQL gives an exclusive lock to one session only, so there is one owner at each time.</summary>
    private Task<List<string>> OwnersAsync() => _postgres.LinesAsync(
        "select a.application_name from pg_locks l join pg_stat_activity a using (pid) where l.locktype = 'advisory' and l.objsubid = 1 and l.granted and a.application_name <> ''");

    private Task OwnedAsync(string what, Dictionary<string, Child> hosts) => Until.TrueAsync(what, async () =>
    {
        var owners = await OwnersAsync();
        (_owners, _hosts) = (owners, [.. hosts.Keys]);
        return owners.Count == Shards && owners.All(hosts.ContainsKey);
    }, Patience, () => $"Alive: {string.Join(", ", _hosts)}. Owners of {_owners.Count} of {Shards} shards: {string.Join(", ", _owners)}.");

    // What the last look saw, for the message.
    private List<string> _owners = [], _hosts = [];

    private async Task CheckAsync()
    {
        var end = await _postgres.Store.GetHighWaterMarkAsync();
        var checkpoints = new PostgresCheckpointStore(_postgres.Source);
        foreach (var name in Names)
        {
            await Until.TrueAsync($"{name} to reach {end}", async () => await checkpoints.LoadAsync(ShardName.Of(name)) == end, Patience);
            // The key refuses a second row for a position; the hash is over the rows in the order of their writing.
            Assert.Equal(await PositionRows.ExpectedAsync(_postgres.Source), await PositionRows.ActualAsync(_postgres.Source, name));
            var owners = await _postgres.LinesAsync($"select count(distinct owner) from {PositionRows.TableOf(name)}");
            output.WriteLine($"{name}: written by {owners[0]} hosts one after the other");
        }
        Assert.Empty(await _postgres.LinesAsync("select data::text from mt_doc_deadletterevent limit 3"));
        var handed = await _postgres.LinesAsync(string.Join(" union all ", Names.Select(n => $"select count(distinct owner)::int from {PositionRows.TableOf(n)}")));
        Assert.Contains(handed, n => int.Parse(n, CultureInfo.InvariantCulture) > 1);
    }
}
