using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Sentiric.EventStore.Tests.Projections;
using Xunit;

namespace Sentiric.EventStore.Tests.Lifecycle;

public sealed class InMemoryLifecycleTests : LifecycleContract
{
    protected override IEventStore Store { get; } = new InMemoryEventStore(Facts.Serializer, TimeProvider.System);

    protected override string? DotnetType => null;
}

public abstract class PostgresLifecycleContract(PostgresFixture postgres) : LifecycleContract
{
    protected override IEventStore Store => postgres.Store;

    protected override string? DotnetType => "Sentiric.EventStore.Tests.Contract.CounterRaised, Sentiric.EventStore.Tests";
}

public sealed class PostgresLifecycleTests(PostgresFixture postgres) : PostgresLifecycleContract(postgres), IClassFixture<PostgresFixture>;

public sealed class Marten8GuidLifecycleTests(Marten8GuidFixture postgres) : PostgresLifecycleContract(postgres), IClassFixture<Marten8GuidFixture>;

[Trait("Category", "Slow")]
public sealed class PartitionedLifecycleTests(PartitionedFixture postgres) : PostgresLifecycleContract(postgres), IClassFixture<PartitionedFixture>;

/// <summary>Truncation and those who read.</summary>
public sealed class TruncationAndReadersTests : IAsyncLifetime
{
    private readonly PostgresFixture _postgres = new();

    public Task InitializeAsync() => _postgres.InitializeAsync();

    public Task DisposeAsync() => _postgres.DisposeAsync();

    private ProjectionDaemon Daemon() => new(_postgres.Source, _postgres.Store, [new CounterRows(), new CounterViews()], TimeProvider.System);

    [Fact]
    public async Task What_a_projection_has_not_read_is_not_deleted()
    {
        var store = _postgres.Store;
        await store.AppendToStreamAsync("acme", "a", ExpectedVersion.NoStream, Facts.Raised(2, 1));
        await Daemon().CatchUpAsync();
        await store.AppendToStreamAsync("acme", "a", ExpectedVersion.Any, Facts.Raised(3, 1));
        var refused = await Assert.ThrowsAsync<TruncationRefusedException>(async () => await store.TruncateStreamAsync("acme", "a", 5, new TruncationReason("retention")));
        Assert.Contains(":All", refused.Message);
        Assert.Equal(5, await store.ReadStreamAsync("acme", "a").CountAsync());

        await Daemon().CatchUpAsync();
        Assert.Equal(4, (await store.TruncateStreamAsync("acme", "a", 5, new TruncationReason("retention")))?.Events);
    }

    [Fact]
    public async Task Read_models_stay_and_go_on_and_a_rebuild_that_would_lose_rows_is_refused()
    {
        var store = _postgres.Store;
        await store.AppendToStreamAsync("acme", "a", ExpectedVersion.NoStream, Facts.Raised(4, 1));
        await Daemon().CatchUpAsync();
        await store.TruncateStreamAsync("acme", "a", 4, new TruncationReason("retention"));
        await store.AppendToStreamAsync("acme", "a", ExpectedVersion.Exact(4), [Facts.Raised(10)]);
        await Daemon().CatchUpAsync();
        Assert.Equal(["14"], await _postgres.LinesAsync("select total from counter_row"));
        Assert.Equal(["14 | 5"], await _postgres.LinesAsync("select data ->> 'Total', mt_version from mt_doc_counterview"));

        await Assert.ThrowsAsync<RebuildDiffersException>(async () => await Daemon().RebuildAsync("CounterRows"));
        Assert.Equal(["14"], await _postgres.LinesAsync("select total from counter_row"));
    }

    [Fact]
    public async Task A_fresh_process_passes_the_hole_of_a_truncation()
    {
        var store = _postgres.Store;
        await store.AppendToStreamAsync("acme", "a", ExpectedVersion.NoStream, Facts.Raised(5, 1));
        await store.TruncateStreamAsync("acme", "a", 5, new TruncationReason("retention"));
        var last = await store.AppendToStreamAsync("acme", "b", ExpectedVersion.NoStream, [Facts.Raised(1)]);
        await using var fresh = _postgres.NewStore();
        await fresh.WaitForChangeAsync(last.LastPosition - 1, TimeSpan.FromSeconds(20));

        Assert.Equal([5L, 1L], await fresh.ReadAllAsync(0, 100).Select(e => e.Version).ToListAsync());
    }
}
