using Sentiric.EventStore.Tests.Postgres;
using Sentiric.Testing;
using Xunit;

namespace Sentiric.EventStore.Tests.Contract;

/// <summary>The state of a stream as it was, by version and by moment, and two tenants with one stream id.</summary>
public abstract class TimeTravelContract
{
    private static readonly string Stream = NamedStreams.IdOf("travelled");
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private string Tenant { get; } = "t-" + Guid.NewGuid().ToString("N")[..8];

    protected ManualTime Clock { get; } = new(Noon);

    protected abstract IEventStore Store { get; }

    [Fact]
    public async Task Every_version_and_every_moment_has_its_state()
    {
        for (var hour = 0; hour < 5; hour++)
        {
            await Store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Exact(hour), [Facts.Raised(1 << hour)]);
            Clock.Advance(TimeSpan.FromHours(1));
        }
        for (var version = 0; version <= 5; version++)
        {
            var expected = (1 << version) - 1;
            Assert.Equal(expected, await AtAsync(new FoldBound(Version: version)));
            Assert.Equal(expected, await AtAsync(new FoldBound(RecordedUpTo: Noon.AddHours(version).AddTicks(-10))));
            Assert.Equal((1 << Math.Min(version + 1, 5)) - 1, await AtAsync(new FoldBound(RecordedUpTo: Noon.AddHours(version))));
        }
        Assert.Equal(3, await AtAsync(new FoldBound(Version: 4, RecordedUpTo: Noon.AddHours(1))));
        Assert.Equal(31, await AtAsync(new FoldBound(Version: 99)));
        Assert.Equal(0, await AtAsync(new FoldBound(RecordedUpTo: DateTimeOffset.MinValue)));
        Assert.Equal(31, await AtAsync(new FoldBound(RecordedUpTo: DateTimeOffset.MaxValue)));
    }

    [Fact]
    public async Task A_clock_that_jumps_back_does_not_hide_later_versions_from_a_bound_by_version()
    {
        await Store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.NoStream, [Facts.Raised(1)]);
        Clock.Advance(TimeSpan.FromHours(-2));
        await Store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Exact(1), [Facts.Raised(2)]);

        Assert.Equal(3, await AtAsync(new FoldBound(Version: 2)));
        Assert.Equal([1L, 2L], await Store.ReadStreamAsync(Tenant, Stream).Select(e => e.Version).ToListAsync());
        // By moment the fold ends at the first event after it: a state that never was is not made up.
        Assert.Equal(0, await AtAsync(new FoldBound(RecordedUpTo: Noon.AddHours(-1))));
    }

    private ValueTask<int> AtAsync(FoldBound bound) => Store.AggregateStreamAsync(Tenant, Stream, 0, Facts.Sum, bound);

    [Fact]
    public async Task Two_tenants_with_one_stream_id_share_nothing()
    {
        var (other, lifecycle) = (Tenant + "-other", (IStreamLifecycle)Store);
        var shared = Facts.Raised(1);
        var idempotent = new AppendOptions(Idempotent: true);
        await Store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.NoStream, [shared, Facts.Raised(1), Facts.Raised(1)], idempotent);
        await Store.AppendToStreamAsync(other, Stream, ExpectedVersion.NoStream, [shared], idempotent);
        await Store.ArchiveStreamAsync(other, Stream);
        await Store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Exact(3), [Facts.Raised(1)]);
        await lifecycle.TruncateStreamAsync(Tenant, Stream, 2, new TruncationReason("retention"));

        Assert.Equal((4L, false, 2L), Told(await Store.GetStreamStateAsync(Tenant, Stream)));
        Assert.Equal((1L, true, 0L), Told(await Store.GetStreamStateAsync(other, Stream)));
        Assert.Equal([2L, 3L, 4L], await Store.ReadStreamAsync(Tenant, Stream).Select(e => e.Version).ToListAsync());
        Assert.All(await Store.ReadStreamAsync(other, Stream).ToListAsync(), e => Assert.Equal(other, e.Tenant));
        Assert.Empty(await lifecycle.ListTruncationsAsync(other, Stream));
        Assert.Equal(1, await Store.AggregateStreamAsync(other, Stream, 0, Facts.Sum));
        Assert.Null(await Store.GetStreamStateAsync(Tenant.ToUpperInvariant(), Stream));
    }

    private static (long, bool, long) Told(StreamState? state) => (state!.Version, state.IsArchived, state.TruncatedBefore);
}

public sealed class InMemoryTimeTravelTests : TimeTravelContract
{
    protected override IEventStore Store => field ??= new InMemoryEventStore(Facts.Serializer, Clock);
}

public sealed class PostgresTimeTravelTests(PostgresFixture postgres) : TimeTravelContract, IClassFixture<PostgresFixture>, IAsyncLifetime
{
    protected override IEventStore Store => field ??= new PostgresEventStore(postgres.Source, Facts.Serializer, Clock, postgres.Options);

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => ((PostgresEventStore)Store).DisposeAsync().AsTask();
}

public sealed class GuidTimeTravelTests(GuidFixture postgres) : TimeTravelContract, IClassFixture<GuidFixture>, IAsyncLifetime
{
    protected override IEventStore Store => field ??= new PostgresEventStore(postgres.Source, Facts.Serializer, Clock, postgres.Options);

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => ((PostgresEventStore)Store).DisposeAsync().AsTask();
}
