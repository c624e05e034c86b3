using Xunit;

namespace Sentiric.EventStore.Tests.Contract;

/// <summary>What a store must do that lets one writer keep a stream.</summary>
public abstract class ExclusiveContract
{
    private const string Stream = "counter-1";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    protected string Tenant { get; } = "x-" + Guid.NewGuid().ToString("N")[..8];

    protected abstract IExclusiveStreams Store { get; }

    [Fact]
    public async Task Nobody_else_appends_until_the_keeper_has_appended()
    {
        await Store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.NoStream, [Facts.Raised(1), Facts.Raised(2)]);
        await using var kept = await Store.FetchForExclusiveWritingAsync(Tenant, Stream, 0, Facts.Sum);
        var other = Store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Any, [Facts.Raised(10)]).AsTask();
        await Store.AppendToStreamAsync(Tenant, "another", ExpectedVersion.Any, [Facts.Raised(1)]);
        Assert.Equal((3, 2L, false), (kept.State, kept.Version, other.IsCompleted));

        Assert.Equal(3, (await kept.AppendAsync([Facts.Raised(4)])).Version);
        Assert.Equal(4, (await other.WaitAsync(Patience)).Version);
    }

    [Fact]
    public async Task One_keeper_follows_the_other()
    {
        await using var first = await Store.LockStreamAsync(Tenant, Stream);
        var next = Store.LockStreamAsync(Tenant, Stream).AsTask();
        Assert.False(next.IsCompleted);

        await first.AppendAsync([Facts.Raised(4)]);
        await using var second = await next.WaitAsync(Patience);
        Assert.Equal(1, second.Version);
    }

    [Fact]
    public async Task Letting_go_without_an_append_leaves_no_trace()
    {
        var kept = await Store.LockStreamAsync(Tenant, Stream);
        Assert.Equal(0, kept.Version);
        var other = Store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.NoStream, [Facts.Raised(1)]).AsTask();
        await kept.DisposeAsync();
        await kept.DisposeAsync();

        Assert.Equal(1, (await other.WaitAsync(Patience)).Version);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await kept.AppendAsync([Facts.Raised(1)]));
    }

    [Fact]
    public async Task A_new_stream_can_be_kept_and_started()
    {
        await using var kept = await Store.LockStreamAsync(Tenant, Stream);
        var other = Store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.NoStream, [Facts.Raised(1)]).AsTask();
        var result = await kept.AppendAsync([Facts.Raised(1), Facts.Raised(2)], new AppendOptions(AggregateType: "counter"));

        Assert.Equal(2, result.Version);
        Assert.Equal("counter", (await Store.GetStreamStateAsync(Tenant, Stream))?.AggregateType);
        await Assert.ThrowsAsync<WrongExpectedVersionException>(() => other.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_refused_exclusive_append_lets_go()
    {
        await using var kept = await Store.LockStreamAsync(Tenant, Stream);
        await Assert.ThrowsAsync<UnknownEventTypeException>(async () => await kept.AppendAsync([EventData.Of(new Unlisted(1))]));
        Assert.Equal(1, (await Store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.NoStream, [Facts.Raised(1)]).AsTask().WaitAsync(Patience)).Version);
    }

    [Fact]
    public async Task A_repeated_exclusive_append_returns_the_original_positions()
    {
        EventData[] batch = [Facts.Raised(1)];
        var idempotent = new AppendOptions(Idempotent: true);
        var first = await Store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Any, batch, idempotent);
        await using var kept = await Store.LockStreamAsync(Tenant, Stream);
        var again = await kept.AppendAsync(batch, idempotent);

        Assert.True(again.AlreadyStored);
        Assert.Equal(first.Positions, again.Positions);
    }

    [Fact]
    public async Task An_archived_stream_cannot_be_kept()
    {
        await Store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.NoStream, [Facts.Raised(1)]);
        await Store.ArchiveStreamAsync(Tenant, Stream);
        await Assert.ThrowsAsync<StreamArchivedException>(async () => await Store.LockStreamAsync(Tenant, Stream));
        await Assert.ThrowsAsync<StreamArchivedException>(async () =>
            await Store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Any, [Facts.Raised(1)]).AsTask().WaitAsync(Patience));
    }
}
