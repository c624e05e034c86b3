using Npgsql;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.Testing.Postgres;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>A broken world has a typed error that says what to do, and the store recovers by itself.</summary>
public sealed class FailureTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    private const string KillOthers = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";

    [Fact]
    public async Task A_server_that_is_not_there_is_told()
    {
        await using var source = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Username=nobody;Database=none;Timeout=2");
        await using var store = new PostgresEventStore(source, Facts.Serializer, TimeProvider.System);

        Assert.Contains("server runs", (await Assert.ThrowsAsync<EventStoreUnavailableException>(async () => await store.EnsureSchemaAsync())).Message);
        await Assert.ThrowsAsync<EventStoreUnavailableException>(async () => await store.AppendToStreamAsync("acme", "s", ExpectedVersion.Any, [Facts.Raised(1)]));
        await Assert.ThrowsAsync<EventStoreUnavailableException>(async () => await store.ReadStreamAsync("acme", "s").ToListAsync());
        await Assert.ThrowsAsync<EventStoreUnavailableException>(async () => await store.GetHighWaterMarkAsync());
        await Assert.ThrowsAsync<EventStoreUnavailableException>(async () => await new PostgresCheckpointStore(source).LoadAsync("x"));
    }

    [Fact]
    public async Task A_database_without_the_tables_is_told()
    {
        var connectionString = await PostgresInstance.GetAsync();
        await using (var source = NpgsqlDataSource.Create(connectionString))
        await using (var store = new PostgresEventStore(source, Facts.Serializer, TimeProvider.System))
        {
            var missing = await Assert.ThrowsAsync<EventStoreUnavailableException>(async () =>
                await store.AppendToStreamAsync("acme", "s", ExpectedVersion.Any, [Facts.Raised(1)]));
            Assert.Contains("EnsureSchemaAsync", missing.Message);
        }
        await PostgresInstance.DropAsync(connectionString);
    }

    [Fact]
    public async Task Too_few_connections_are_told()
    {
        await using var source = NpgsqlDataSource.Create(postgres.ConnectionString + ";Maximum Pool Size=1;Timeout=1");
        await using var busy = await source.OpenConnectionAsync();
        await using var store = new PostgresEventStore(source, Facts.Serializer, TimeProvider.System);

        var refused = await Assert.ThrowsAsync<EventStoreUnavailableException>(async () => await store.GetStreamStateAsync("acme", "s"));
        Assert.Contains("Maximum Pool Size", refused.Message);
    }

    [Fact]
    public async Task After_lost_connections_appends_and_reads_go_on()
    {
        await using var store = postgres.NewStore();
        var expected = 0;
        for (var round = 0; round < 3; round++)
        {
            await postgres.ExecuteAsync(KillOthers);
            // The first append may meet the dead connection: then it is told so, and repeating it idempotently is safe.
            EventData[] batch = [Facts.Raised(1)];
            await AppendUntilStoredAsync(store, batch);
            expected++;
        }
        Assert.Equal(expected, await store.AggregateStreamAsync("acme", "lost", 0, Facts.Sum));
    }

    private static async Task AppendUntilStoredAsync(PostgresEventStore store, EventData[] batch)
    {
        const int maxTries = 5;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await store.AppendToStreamAsync("acme", "lost", ExpectedVersion.Any, batch, new AppendOptions(Idempotent: true));
                return;
            }
            catch (EventStoreUnavailableException) when (attempt < maxTries)
            {
                continue;
            }
        }
    }

    [Fact]
    public async Task A_killed_commit_is_either_whole_or_not_there()
    {
        await using var store = postgres.NewStore();
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        var acknowledged = 0;
        // A connection of its own: one from the pool may have been killed by the round before.
        await using var killer = await postgres.Source.OpenConnectionAsync();
        var killing = Task.Run(async () =>
        {
            await using var kill = new NpgsqlCommand(KillOthers + "; select pg_sleep(0.05)", killer);
            while (!stop.IsCancellationRequested) await kill.ExecuteNonQueryAsync();
        });
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            EventData[] batch = [Facts.Raised(1), Facts.Raised(1)];
            try
            {
                await store.AppendToStreamAsync("acme", "killed", ExpectedVersion.Any, batch);
                acknowledged++;
            }
            catch (EventStoreUnavailableException)
            {
                continue;
            }
        }
        await killing;

        NpgsqlConnection.ClearAllPools();
        var versions = await store.ReadStreamAsync("acme", "killed").Select(e => e.Version).ToListAsync();
        Assert.True(acknowledged > 0, "Not one append got through between the kills.");
        Assert.InRange(versions.Count, acknowledged * 2, int.MaxValue);
        Assert.Equal(0, versions.Count % 2);
        Assert.Equal(Enumerable.Range(1, versions.Count).Select(v => (long)v), versions);
    }
}
