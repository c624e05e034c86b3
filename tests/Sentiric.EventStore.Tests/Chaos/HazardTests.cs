using Npgsql;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Sentiric.Testing.Platform;
using Sentiric.Testing.Postgres;

namespace Sentiric.EventStore.Tests.Chaos;

/// <summary>What goes wrong with many connections and full disks: the typed error while it lasts, and work as before when it is over.</summary>
public sealed class HazardTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static ValueTask<AppendResult> AppendAsync(IEventStore store, string stream, params EventData[] events) =>
        store.AppendToStreamAsync("acme", stream, ExpectedVersion.Any, events.Length == 0 ? [Facts.Raised(1)] : events, new AppendOptions(Idempotent: true));

    [Fact]
    public async Task When_the_pool_has_room_again_the_store_goes_on()
    {
        await using var source = NpgsqlDataSource.Create(postgres.ConnectionString + ";Maximum Pool Size=2;Timeout=1");
        await using var store = new PostgresEventStore(source, Facts.Serializer, TimeProvider.System);
        await using (await source.OpenConnectionAsync())
        await using (await source.OpenConnectionAsync())
        {
            await Assert.ThrowsAsync<EventStoreUnavailableException>(async () => await AppendAsync(store, "pool"));
            await Assert.ThrowsAsync<EventStoreUnavailableException>(async () => await store.ReadAllAsync(0, 1).ToListAsync());
        }
        await using var elsewhere = await postgres.Source.OpenConnectionAsync();
        await using (var listen = new NpgsqlCommand("listen mt_events_appended", elsewhere)) await listen.ExecuteNonQueryAsync();
        Assert.Equal(1, (await AppendAsync(store, "pool")).Version);
        // One connection appends and one has told the others: neither keeps the reader out.
        Assert.True(await elsewhere.WaitAsync(TimeSpan.FromSeconds(30)), "nobody was told of the append within 30 s");
        Assert.Single(await store.ReadStreamAsync("acme", "pool").ToListAsync());
    }

    [Fact]
    public async Task A_statement_that_the_server_cuts_off_is_told_and_the_next_one_runs()
    {
        await using var source = NpgsqlDataSource.Create(postgres.ConnectionString + ";Options=-c statement_timeout=300");
        await using var store = new PostgresEventStore(source, Facts.Serializer, TimeProvider.System);
        await AppendAsync(store, "locked");
        EventData[] batch = [Facts.Raised(2)];
        await using (var elsewhere = await postgres.Source.OpenConnectionAsync())
        {
            await using var transaction = await elsewhere.BeginTransactionAsync();
            await using (var hold = new NpgsqlCommand("select 1 from mt_streams where id = 'locked' for update", elsewhere)) await hold.ExecuteNonQueryAsync();
            var refused = await Assert.ThrowsAsync<EventStoreUnavailableException>(async () => await AppendAsync(store, "locked", batch));
            Assert.Contains("timeout", refused.Message, StringComparison.OrdinalIgnoreCase);
            // Its neighbours in the same commit are not spoilt.
            var spoilt = AppendAsync(store, "locked", batch).AsTask();
            var neighbours = await Task.WhenAll(Enumerable.Range(0, 5).Select(i => AppendAsync(store, $"beside-{i}").AsTask()));
            Assert.All(neighbours, n => Assert.Equal(1, n.Version));
            await Assert.ThrowsAsync<EventStoreUnavailableException>(() => spoilt);
        }
        Assert.Equal((2L, false), ((await AppendAsync(store, "locked", batch)) is var r ? (r.Version, r.AlreadyStored) : default));
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task When_the_server_takes_connections_again_the_store_goes_on()
    {
        await using var server = await OwnServer.StartAsync("-c max_connections=8 -c superuser_reserved_connections=0");
        await PostgresEnsureAsync(server);
        var hogs = new List<NpgsqlConnection>();
        var address = server.ConnectionString + ";Pooling=false";
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await using var store = new PostgresEventStore(source, Facts.Serializer, TimeProvider.System);
        try
        {
            for (var i = 0; i < 8; i++) hogs.Add(await OpenAsync(address));
        }
        catch (PostgresException full) when (full.SqlState == PostgresErrorCodes.TooManyConnections)
        {
            Assert.NotEmpty(hogs);
        }
        var refused = await Assert.ThrowsAsync<EventStoreUnavailableException>(async () => await AppendAsync(store, "crowd"));
        Assert.Contains("max_connections", refused.Message);
        foreach (var hog in hogs) await hog.DisposeAsync();
        await Until.TrueAsync("the server to have room again", async () => await TryAppendAsync(store, "crowd"), Patience);
        Assert.True((await store.GetHighWaterMarkAsync()) > 0);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_subscription_and_a_projection_survive_restarts_of_the_server()
    {
        await using var server = await OwnServer.StartAsync();
        await PostgresEnsureAsync(server);
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await using var store = new PostgresEventStore(source, Facts.Serializer, TimeProvider.System);
        var seen = new List<long>();
        var runner = new SubscriptionRunner(
            store, new PostgresCheckpointStore(source),
            new SubscriptionOptions("restart") { RetryDelay = TimeSpan.FromMilliseconds(50), OwnershipInterval = TimeSpan.FromMilliseconds(100) },
            (batch, _) =>
            {
                lock (seen) seen.AddRange(batch.Select(e => e.Position));
                return ValueTask.CompletedTask;
            },
            TimeProvider.System);
        var daemon = new ProjectionDaemon(source, store, [new PositionRows("Restart")], TimeProvider.System, Children.ChildDaemon.Options);
        using var stop = new CancellationTokenSource();
        var running = Task.WhenAll(runner.RunAsync(stop.Token), daemon.RunAsync(stop.Token));
        for (var restart = 0; restart < 3; restart++)
        {
            EventData[] batch = [Facts.Raised(restart)];
            await Until.TrueAsync("an append to get through", async () => await TryAppendAsync(store, "s", batch), Patience);
            var last = await store.ReadStreamAsync("acme", "s").LastAsync();
            await daemon.WaitForAsync("Restart", last.Position, Patience);
            await Until.TrueAsync("the subscription to see it", () => Task.FromResult(Seen(seen).Contains(last.Position)), Patience);
            if (restart == 1) server.Kill();
            else await server.StopImmediatelyAsync();
            await server.StartAgainAsync();
        }
        await Until.TrueAsync("an append after the last restart", async () => await TryAppendAsync(store, "s"), Patience);
        var end = await store.GetHighWaterMarkAsync();
        await daemon.WaitForAsync("Restart", end, Patience);
        await Until.TrueAsync("the subscription to see the last event", () => Task.FromResult(Seen(seen).Contains(end)), Patience);
        await stop.CancelAsync();
        await running;

        Assert.Equal(await store.ReadAllAsync(0, 100).Select(e => e.Position).ToListAsync(), Seen(seen).Distinct());
        Assert.Equal(await PositionRows.ExpectedAsync(source), await PositionRows.ActualAsync(source, "Restart"));
    }

    [SmallDiskFact]
    [Trait("Category", "Slow")]
    public async Task When_the_disk_has_room_again_the_store_goes_on_and_has_lost_nothing()
    {
        await using var server = await OwnServer.StartAsync();
        await using var disk = await SmallDisk.MountAsync(server.Folder, megabytes: 24);
        await using (var admin = NpgsqlDataSource.Create(server.ConnectionString))
        {
            foreach (var sql in new[] { $"create tablespace small location '{disk.Path}'", "create database onsmall template template0 encoding 'UTF8' tablespace small" })
            {
                await using var command = admin.CreateCommand(sql);
                await command.ExecuteNonQueryAsync();
            }
        }
        await using var source = NpgsqlDataSource.Create(server.ConnectionString.Replace("Database=postgres", "Database=onsmall", StringComparison.Ordinal));
        await using var store = new PostgresEventStore(source, Facts.Serializer, TimeProvider.System);
        await store.EnsureSchemaAsync();
        await disk.FillAsync(leaveKilobytes: 600);
        var (acknowledged, refused) = await AppendUntilFullAsync(store);
        Assert.Contains("disk", refused.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(acknowledged, (await store.GetStreamStateAsync("acme", "full"))?.Version ?? 0);

        disk.Free();
        Assert.Equal(acknowledged + 1, (await AppendAsync(store, "full")).Version);
        Assert.Equal(acknowledged + 1, await store.ReadStreamAsync("acme", "full").CountAsync());
        Assert.Equal(acknowledged + 1, await store.ReadAllAsync(0, int.MaxValue).CountAsync());
    }

    private static async Task<(long Acknowledged, EventStoreUnavailableException Refused)> AppendUntilFullAsync(PostgresEventStore store)
    {
        const int maxAppends = 5_000;
        // Random letters, which the storage cannot press together.
        var dice = new Random(1);
        for (var done = 0L; done < maxAppends; done++)
        {
            try
            {
                var text = string.Concat(Enumerable.Range(0, 6_000).Select(_ => (char)dice.Next('0', 'z')));
                await AppendAsync(store, "full", EventData.Of(new NoteTaken(text)));
            }
            catch (EventStoreUnavailableException full)
            {
                return (done, full);
            }
        }
        throw new InvalidOperationException("The small disk took everything.");
    }

    private static async Task PostgresEnsureAsync(OwnServer server)
    {
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await PostgresSchema.EnsureAsync(source);
    }

    private static async Task<NpgsqlConnection> OpenAsync(string address)
    {
        var connection = new NpgsqlConnection(address);
        await connection.OpenAsync();
        return connection;
    }

    private static async Task<bool> TryAppendAsync(IEventStore store, string stream, params EventData[] events)
    {
        try
        {
            await AppendAsync(store, stream, events);
            return true;
        }
        catch (EventStoreUnavailableException)
        {
            return false;
        }
    }

    private static List<long> Seen(List<long> seen)
    {
        lock (seen) return [.. seen];
    }
}
