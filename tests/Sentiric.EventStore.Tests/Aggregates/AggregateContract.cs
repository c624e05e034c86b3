using System.Text.Json.Serialization;
using Npgsql;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Xunit;

namespace Sentiric.EventStore.Tests.Aggregates;

/// <summary>A state that depends on the order and on every event, so that a fold that misses or repeats one shows.</summary>
public sealed record Tally(long Count, long Mixed)
{
    public static Tally None { get; } = new(0, 7);

    public static Tally Evolve(Tally tally, object @event) => @event is CounterRaised raised
        ? new Tally(tally.Count + 1, unchecked(tally.Mixed * 31 + raised.By))
        : tally with { Mixed = unchecked(tally.Mixed * 17) };

    /// <summary>What another program made of the same events.</summary>
    public static Tally EvolveOtherwise(Tally tally, object @event) => Evolve(tally, @event) with { Count = tally.Count + 100 };
}

[JsonSerializable(typeof(Tally))]
public sealed partial class TallyJson : JsonSerializerContext;

/// <summary>However a state is kept, fetching gives what folding every event gives.</summary>
public abstract class AggregateContract
{
    private const string Tenant = "acme";
    private const int Rounds = 120;

    protected abstract IEventStore Store { get; }

    private static Aggregate<Tally> Snapshotting(int everyEvents, int shape = 1, StateCache<Tally>? cache = null) => new("tally", Tally.None, Tally.Evolve)
    {
        Snapshots = new Snapshots<Tally>(TallyJson.Default.Tally, shape) { EveryEvents = everyEvents },
        Cache = cache,
    };

    private static string NewStream() => "s-" + Guid.CreateVersion7().ToString("N");

    private Task<Tally> WholeAsync(string stream) => Store.AggregateStreamAsync(Tenant, stream, Tally.None, Tally.Evolve).AsTask();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task What_was_kept_and_the_events_behind_it_are_the_whole_fold(int seed)
    {
        var random = new Random(seed);
        var streams = Enumerable.Range(0, 4).Select(_ => NewStream()).ToArray();
        Aggregate<Tally>[] ways =
        [
            Snapshotting(everyEvents: 1), Snapshotting(everyEvents: 5), Snapshotting(everyEvents: 7, shape: 2), Snapshotting(everyEvents: 5, cache: new StateCache<Tally>(2)),
            new("tally", Tally.None, Tally.Evolve) { Cache = new StateCache<Tally>(3) },
        ];
        for (var round = 0; round < Rounds; round++)
        {
            var stream = streams[random.Next(streams.Length)];
            var handle = await Store.FetchForWritingAsync(Tenant, stream, ways[random.Next(ways.Length)]);
            Assert.Equal(await WholeAsync(stream), handle.State);
            Assert.Equal((await Store.GetStreamStateAsync(Tenant, stream))?.Version ?? 0, handle.Version);
            if (random.Next(3) > 0) await handle.AppendAsync([.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => Facts.Raised(random.Next(100)))]);
        }
    }

    [Fact]
    public async Task A_handle_that_was_overtaken_is_refused()
    {
        var stream = NewStream();
        var aggregate = Snapshotting(everyEvents: 1, cache: new StateCache<Tally>());
        await (await Store.FetchForWritingAsync(Tenant, stream, aggregate)).AppendAsync([Facts.Raised(1)]);
        var (first, second) = (await Store.FetchForWritingAsync(Tenant, stream, aggregate), await Store.FetchForWritingAsync(Tenant, stream, aggregate));
        await first.AppendAsync([Facts.Raised(2)]);
        var refused = await Assert.ThrowsAsync<WrongExpectedVersionException>(async () => await second.AppendAsync([Facts.Raised(3)]));
        Assert.Equal(2, refused.Actual);
        Assert.Equal(2, (await Store.FetchForWritingAsync(Tenant, stream, aggregate)).State.Count);
    }

    [Fact]
    public async Task A_changed_shape_ignores_the_old_snapshots()
    {
        var stream = NewStream();
        await Store.AppendToStreamAsync(Tenant, stream, ExpectedVersion.NoStream, [.. Enumerable.Range(0, 10).Select(i => Facts.Raised(i))]);
        await Store.FetchForWritingAsync(Tenant, stream, Snapshotting(everyEvents: 1));
        var changed = new Aggregate<Tally>("tally", Tally.None, Tally.EvolveOtherwise) { Snapshots = new Snapshots<Tally>(TallyJson.Default.Tally, 2) { EveryEvents = 1 } };
        Assert.Equal(1000, (await Store.FetchForWritingAsync(Tenant, stream, changed)).State.Count);
        Assert.Equal(1000, (await Store.FetchForWritingAsync(Tenant, stream, changed)).State.Count);
        Assert.Equal(10, (await Store.FetchForWritingAsync(Tenant, stream, Snapshotting(everyEvents: 1))).State.Count);
    }

    [Fact]
    public async Task Kept_states_are_of_one_tenant()
    {
        var stream = NewStream();
        var aggregate = Snapshotting(everyEvents: 1, cache: new StateCache<Tally>());
        await Store.AppendToStreamAsync(Tenant, stream, ExpectedVersion.NoStream, [Facts.Raised(1)]);
        await Store.FetchForWritingAsync(Tenant, stream, aggregate);
        Assert.Equal((0L, 0L), ((await Store.FetchForWritingAsync("other", stream, aggregate)).Version, (await Store.FetchForWritingAsync("other", stream, aggregate)).State.Count));
        await Store.DeleteSnapshotsAsync(Tenant, stream);
        Assert.Equal(1, (await Store.FetchForWritingAsync(Tenant, stream, Snapshotting(everyEvents: 1))).State.Count);
    }

    [Fact]
    public async Task A_cache_keeps_no_more_than_it_was_told()
    {
        var cache = new StateCache<Tally>(3);
        var aggregate = new Aggregate<Tally>("tally", Tally.None, Tally.Evolve) { Cache = cache };
        for (var i = 0; i < 5; i++)
        {
            var stream = NewStream();
            await Store.AppendToStreamAsync(Tenant, stream, ExpectedVersion.NoStream, [Facts.Raised(i)]);
            await Store.FetchForWritingAsync(Tenant, stream, aggregate);
        }
        Assert.Equal(3, cache.Count);
        cache.Clear();
        Assert.Equal(0, cache.Count);
    }
}

public sealed class InMemoryAggregateTests : AggregateContract
{
    protected override IEventStore Store { get; } = new InMemoryEventStore(Facts.Serializer, TimeProvider.System);
}

public sealed class PostgresAggregateTests(PostgresFixture postgres) : AggregateContract, IClassFixture<PostgresFixture>
{
    protected override IEventStore Store => postgres.Store;

    [Fact]
    public async Task A_snapshot_that_cannot_be_read_is_no_snapshot()
    {
        var aggregate = new Aggregate<Tally>("broken", Tally.None, Tally.Evolve) { Snapshots = new Snapshots<Tally>(TallyJson.Default.Tally, 1) { EveryEvents = 1 } };
        await Store.AppendToStreamAsync("acme", "broken", ExpectedVersion.NoStream, [Facts.Raised(1), Facts.Raised(2)]);
        await Store.FetchForWritingAsync("acme", "broken", aggregate);
        Assert.Equal(["2"], await postgres.LinesAsync("select version from sx_snapshot where name = 'broken'"));
        await postgres.ExecuteAsync("""update sx_snapshot set data = '{"Count": "many"}' where name = 'broken'""");
        Assert.Equal(2, (await Store.FetchForWritingAsync("acme", "broken", aggregate)).State.Count);
    }

    [Fact]
    public async Task A_snapshot_ahead_of_its_stream_is_not_used()
    {
        var aggregate = new Aggregate<Tally>("ahead", Tally.None, Tally.Evolve) { Snapshots = new Snapshots<Tally>(TallyJson.Default.Tally, 1) };
        await Store.AppendToStreamAsync("acme", "ahead", ExpectedVersion.NoStream, [Facts.Raised(1), Facts.Raised(2)]);
        await postgres.ExecuteAsync("""insert into sx_snapshot (tenant_id, stream_id, name, shape, version, data) values ('acme', 'ahead', 'ahead', 1, 9, '{"Count": 9, "Mixed": 9}')""");
        var handle = await Store.FetchForWritingAsync("acme", "ahead", aggregate);
        Assert.Equal((2L, 2L), (handle.Version, handle.State.Count));
    }

    [Fact]
    public async Task A_dead_connection_is_replaced_and_the_read_repeated()
    {
        await using var source = NpgsqlDataSource.Create(postgres.ConnectionString + ";Application Name=cut");
        await using var reader = new PostgresEventStore(source, Facts.Serializer, TimeProvider.System);
        await Store.AppendToStreamAsync("acme", "cut", ExpectedVersion.NoStream, [Facts.Raised(5)]);
        Assert.Equal(1, (await reader.AggregateStreamAsync("acme", "cut", Tally.None, Tally.Evolve)).Count);
        await postgres.ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cut' and datname = current_database()");
        Assert.Equal(1, (await reader.AggregateStreamAsync("acme", "cut", Tally.None, Tally.Evolve)).Count);
    }
}
