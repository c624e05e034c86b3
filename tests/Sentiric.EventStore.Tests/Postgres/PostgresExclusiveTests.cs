using Sentiric.EventStore.Tests.Contract;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

public sealed class PostgresExclusiveTests(PostgresFixture postgres) : ExclusiveContract, IClassFixture<PostgresFixture>
{
    protected override IExclusiveStreams Store => postgres.Store;

    [Fact]
    public async Task A_stream_that_another_process_keeps_is_told_and_spoils_nobody()
    {
        await using var elsewhere = postgres.NewStore();
        await using var here = postgres.NewStore(postgres.Options with { AppendLockTimeout = TimeSpan.FromMilliseconds(100) });
        await postgres.Store.AppendToStreamAsync(Tenant, "kept", ExpectedVersion.NoStream, [Facts.Raised(1)]);
        await using var kept = await elsewhere.LockStreamAsync(Tenant, "kept");
        var neighbours = Enumerable.Range(0, 20).Select(i => here.AppendToStreamAsync(Tenant, $"n-{i}", ExpectedVersion.NoStream, [Facts.Raised(1)]).AsTask()).ToList();

        var locked = await Assert.ThrowsAsync<StreamLockedException>(async () => await here.AppendToStreamAsync(Tenant, "kept", ExpectedVersion.Any, [Facts.Raised(1)]));
        Assert.Equal("kept", locked.StreamId);
        await Assert.ThrowsAsync<StreamLockedException>(async () => await here.LockStreamAsync(Tenant, "kept"));
        await Assert.ThrowsAsync<StreamLockedException>(async () =>
            await here.AppendToStreamsAsync(Tenant, [new StreamAppend(null, "kept", ExpectedVersion.Any, [Facts.Raised(1)])]));
        Assert.All(await Task.WhenAll(neighbours), r => Assert.Equal(1, r.Version));
        Assert.Equal(2, (await kept.AppendAsync([Facts.Raised(1)])).Version);
    }
}

public sealed class GuidExclusiveTests(GuidFixture postgres) : IClassFixture<GuidFixture>
{
    [Fact]
    public async Task A_stream_with_a_guid_is_kept_and_started()
    {
        var id = Guid.NewGuid().ToString("D");
        await using var kept = await postgres.Store.LockStreamAsync("acme", id);
        Assert.Equal(1, (await kept.AppendAsync([Facts.Raised(1)])).Version);
    }
}
