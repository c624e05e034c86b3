using Xunit;

namespace Sentiric.EventStore.Tests.Contract;

/// <summary>What every store does with streams beside appends.</summary>
public abstract class LifecycleContract
{
    private static readonly TruncationReason Reason = new("retention", "ayşe");

    private string Tenant { get; } = "t-" + Guid.NewGuid().ToString("N")[..8];

    private static readonly string Stream = NamedStreams.IdOf("lifecycle");

    protected abstract IEventStore Store { get; }

    private IStreamLifecycle Lifecycle => (IStreamLifecycle)Store;

    private async Task<IReadOnlyList<long>> AppendAsync(int count, string? tenant = null) =>
        (await Store.AppendToStreamAsync(tenant ?? Tenant, Stream, ExpectedVersion.Any, Facts.Raised(count, 1))).Positions;

    [Fact]
    public async Task An_archived_stream_can_be_opened_again()
    {
        await AppendAsync(2);
        await Store.ArchiveStreamAsync(Tenant, Stream);
        Assert.True(await Lifecycle.UnarchiveStreamAsync(Tenant, Stream));
        Assert.True(await Lifecycle.UnarchiveStreamAsync(Tenant, Stream));
        await AppendAsync(1);

        Assert.Equal([1L, 2L, 3L], await Store.ReadStreamAsync(Tenant, Stream).Select(e => e.Version).ToListAsync());
        Assert.False((await Store.GetStreamStateAsync(Tenant, Stream))?.IsArchived);
        Assert.False(await Lifecycle.UnarchiveStreamAsync(Tenant + "-other", Stream));
    }

    [Fact]
    public async Task A_truncation_deletes_what_is_before_the_version_and_nothing_else()
    {
        var before = await Store.GetHighWaterMarkAsync();
        var mine = await AppendAsync(5);
        var others = await AppendAsync(3, Tenant + "-other");
        var truncation = await Lifecycle.TruncateStreamAsync(Tenant, Stream, 4, Reason);

        Assert.Equal((4L, 3L, mine[0], mine[2], "retention", "ayşe"),
            (truncation!.BeforeVersion, truncation.Events, truncation.FirstPosition, truncation.LastPosition, truncation.Why, truncation.Actor));
        Assert.Equal([4L, 5L], await Store.ReadStreamAsync(Tenant, Stream).Select(e => e.Version).ToListAsync());
        Assert.Equal([5L], await Store.ReadStreamAsync(Tenant, Stream, fromVersion: 5).Select(e => e.Version).ToListAsync());
        Assert.Equal((5L, 4L), ((await Store.GetStreamStateAsync(Tenant, Stream))!.Version, (await Store.GetStreamStateAsync(Tenant, Stream))!.TruncatedBefore));
        Assert.Equal(0, (await Store.GetStreamStateAsync(Tenant + "-other", Stream))!.TruncatedBefore);
        var all = await Store.ReadAllAsync(before, int.MaxValue).Where(e => e.Tenant.StartsWith(Tenant, StringComparison.Ordinal)).Select(e => e.Position).ToListAsync();
        Assert.Equal([mine[3], mine[4], .. others], all);
    }

    [Fact]
    public async Task A_truncated_stream_goes_on_at_its_version()
    {
        await AppendAsync(3);
        await Lifecycle.TruncateStreamAsync(Tenant, Stream, 3, Reason);
        var result = await Store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Exact(3), [Facts.Raised(1)]);

        Assert.Equal(4, result.Version);
        Assert.Equal([3L, 4L], await Store.ReadStreamAsync(Tenant, Stream).Select(e => e.Version).ToListAsync());
        await Assert.ThrowsAsync<WrongExpectedVersionException>(async () => await Store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.NoStream, [Facts.Raised(1)]));
    }

    [Fact]
    public async Task A_truncated_stream_is_not_folded_as_if_it_were_whole()
    {
        await AppendAsync(5);
        await Lifecycle.TruncateStreamAsync(Tenant, Stream, 4, Reason);
        var gap = await Assert.ThrowsAsync<StreamTruncatedException>(async () => await Store.AggregateStreamAsync(Tenant, Stream, 0, Facts.Sum));
        await Assert.ThrowsAsync<StreamTruncatedException>(async () => await Store.FetchForWritingAsync(Tenant, Stream, 0, Facts.Sum));
        await Assert.ThrowsAsync<StreamTruncatedException>(async () => await Store.AggregateStreamAsync(Tenant, Stream, 0, Facts.Sum, new FoldBound(Version: 2)));

        Assert.Equal((4L, 0L), (gap.FirstVersion, gap.After));
        Assert.Equal(0, await Store.AggregateStreamAsync(Tenant, Stream, 0, Facts.Sum, new FoldBound(Version: 0)));
        Assert.Equal(2, await Store.AggregateStreamAsync(Tenant, Stream, 0, Facts.Sum, new FoldBound(FromTruncation: true)));
        Assert.Equal(1, await Store.AggregateStreamAsync(Tenant, Stream, 0, Facts.Sum, new FoldBound(Version: 4, FromTruncation: true)));
    }

    [Fact]
    public async Task Truncating_again_is_quiet_or_takes_the_rest_and_both_are_remembered()
    {
        await AppendAsync(6);
        await Lifecycle.TruncateStreamAsync(Tenant, Stream, 3, Reason);
        Assert.Null(await Lifecycle.TruncateStreamAsync(Tenant, Stream, 3, Reason));
        Assert.Null(await Lifecycle.TruncateStreamAsync(Tenant, Stream, 1, Reason));
        await Lifecycle.TruncateStreamAsync(Tenant, Stream, 5, Reason);
        Assert.Null(await Lifecycle.TruncateStreamAsync(Tenant + "-other", Stream, 5, Reason));

        Assert.Equal([(3L, 2L), (5L, 2L)], (await Lifecycle.ListTruncationsAsync(Tenant, Stream)).Select(t => (t.BeforeVersion, t.Events)));
        Assert.Equal([5L, 6L], await Store.ReadStreamAsync(Tenant, Stream).Select(e => e.Version).ToListAsync());
    }

    [Fact]
    public async Task The_last_event_stays()
    {
        await AppendAsync(2);
        await Assert.ThrowsAsync<TruncationRefusedException>(async () => await Lifecycle.TruncateStreamAsync(Tenant, Stream, 3, Reason));
        Assert.Equal(2, await Store.ReadStreamAsync(Tenant, Stream).CountAsync());
    }

    [Fact]
    public async Task The_hash_is_that_of_the_deleted_events()
    {
        await AppendAsync(3);
        var doomed = await Store.ReadStreamAsync(Tenant, Stream, maxCount: 2).ToListAsync();
        var truncation = await Lifecycle.TruncateStreamAsync(Tenant, Stream, 3, Reason);

        Assert.Equal(HashOf(doomed), truncation!.Sha256.ToArray());
        Assert.NotEqual(HashOf(doomed.Take(1)), truncation.Sha256.ToArray());
        Assert.Equal(truncation.Sha256.ToArray(), (await Lifecycle.ListTruncationsAsync(Tenant, Stream))[0].Sha256.ToArray());
    }

    private byte[] HashOf(IEnumerable<RecordedEvent> events)
    {
        using var hash = new RowHash();
        foreach (var recorded in events) hash.Add(StoredRow.Of(recorded) with { DotnetType = DotnetType });
        return hash.Finish();
    }

    /// <summary>What the store keeps in <c>mt_dotnet_type</c>.</summary>
    protected abstract string? DotnetType { get; }

    [Fact]
    public async Task An_idempotent_batch_is_remembered_beyond_its_truncation()
    {
        EventData[] batch = [Facts.Raised(1), Facts.Raised(2)];
        var idempotent = new AppendOptions(Idempotent: true);
        var first = await Store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Any, batch, idempotent);
        await AppendAsync(1);
        await Lifecycle.TruncateStreamAsync(Tenant, Stream, 3, Reason);
        var again = await Store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Any, batch, idempotent);

        Assert.True(again.AlreadyStored);
        Assert.Equal(first.Positions, again.Positions);
    }
}
