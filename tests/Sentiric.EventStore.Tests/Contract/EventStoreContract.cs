using System.Text.Json;
using Xunit;

namespace Sentiric.EventStore.Tests.Contract;

/// <summary>What every store must do. Each implementation runs this suite; each test works in a tenant of its own.</summary>
public abstract class EventStoreContract
{
    protected const string Stream = "counter-1";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    protected string Tenant { get; } = "t-" + Guid.NewGuid().ToString("N")[..8];

    protected abstract ValueTask<IEventStore> StoreAsync();

    [Fact]
    public async Task What_was_appended_is_read_back_in_order()
    {
        var store = await StoreAsync();
        var opened = EventData.Of(new CounterOpened("çağrı"));
        var result = await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.NoStream, [opened, Facts.Raised(5)]);
        var read = await store.ReadStreamAsync(Tenant, Stream).ToListAsync();

        Assert.Equal(2, result.Version);
        Assert.Equal(result.Positions, read.Select(e => e.Position));
        Assert.Equal([1L, 2L], read.Select(e => e.Version));
        Assert.Equal(opened.EventId, read[0].EventId);
        Assert.Equal("counter_opened", read[0].EventType);
        Assert.Equal(Tenant, read[0].Tenant);
        Assert.Equal([new CounterOpened("çağrı"), new CounterRaised(5)], read.Select(store.Serializer.Deserialize));
    }

    [Fact]
    public async Task Metadata_travels_with_the_event()
    {
        var store = await StoreAsync();
        var occurred = new DateTimeOffset(2026, 3, 1, 12, 30, 0, 123, TimeSpan.Zero);
        var metadata = new EventMetadata("corr", "cause", "ayşe", occurred, new Dictionary<string, string> { ["pii_key"] = "k1" });
        await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Any, [EventData.Of(new NoteTaken("x"), metadata), Facts.Raised(1)]);
        var read = await store.ReadStreamAsync(Tenant, Stream).ToListAsync();

        Assert.Equal(metadata with { Headers = null }, read[0].Metadata with { Headers = null });
        Assert.Equal(metadata.Headers, read[0].Metadata.Headers);
        Assert.Equal(occurred, read[0].OccurredAt);
        Assert.Equal(EventMetadata.None, read[1].Metadata);
        Assert.Equal(read[1].RecordedAt, read[1].OccurredAt);
    }

    [Theory]
    [InlineData(-2, true, true)]
    [InlineData(-1, false, true)]
    [InlineData(0, true, false)]
    [InlineData(1, false, false)]
    [InlineData(2, false, true)]
    [InlineData(3, false, false)]
    public async Task The_expected_version_decides(long expected, bool onNothing, bool onVersionTwo)
    {
        var store = await StoreAsync();
        var belief = expected switch { -2 => ExpectedVersion.Any, -1 => ExpectedVersion.StreamExists, _ => ExpectedVersion.Exact(expected) };
        await store.AppendToStreamAsync(Tenant, "two", ExpectedVersion.NoStream, Facts.Raised(2, 1));

        Assert.Equal(onNothing, await IsAccepted(store, "none", belief, 0));
        Assert.Equal(onVersionTwo, await IsAccepted(store, "two", belief, 2));
    }

    private async Task<bool> IsAccepted(IEventStore store, string stream, ExpectedVersion expected, long actual)
    {
        try
        {
            await store.AppendToStreamAsync(Tenant, stream, expected, [Facts.Raised(1)]);
            return true;
        }
        catch (WrongExpectedVersionException wrong)
        {
            Assert.Equal((stream, expected, actual), (wrong.StreamId, wrong.Expected, wrong.Actual));
            Assert.Equal(actual, await store.ReadStreamAsync(Tenant, stream).CountAsync());
            return false;
        }
    }

    [Fact]
    public async Task Appending_nothing_is_quiet_and_tells_the_version()
    {
        var store = await StoreAsync();
        await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Any, Facts.Raised(3, 1));
        var result = await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.NoStream, []);

        Assert.Equal(3, result.Version);
        Assert.Empty(result.Positions);
    }

    [Fact]
    public async Task Reading_starts_and_stops_where_it_is_told()
    {
        var store = await StoreAsync();
        await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Any, Facts.Raised(5, 1));

        Assert.Equal([2L, 3L], await store.ReadStreamAsync(Tenant, Stream, fromVersion: 2, maxCount: 2).Select(e => e.Version).ToListAsync());
        Assert.Empty(await store.ReadStreamAsync(Tenant, Stream, fromVersion: 6).ToListAsync());
        Assert.Empty(await store.ReadStreamAsync(Tenant, "no-such-stream").ToListAsync());
    }

    [Fact]
    public async Task Tenants_do_not_see_each_other()
    {
        var store = await StoreAsync();
        var other = Tenant + "-other";
        await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.NoStream, [Facts.Raised(1)]);
        await store.AppendToStreamAsync(other, Stream, ExpectedVersion.NoStream, [Facts.Raised(2), Facts.Raised(3)]);

        Assert.Equal([new CounterRaised(1)], await store.ReadStreamAsync(Tenant, Stream).Select(store.Serializer.Deserialize).ToListAsync());
        Assert.Equal(2, (await store.GetStreamStateAsync(other, Stream))?.Version);
        Assert.Null(await store.GetStreamStateAsync(Tenant + "-third", Stream));
        Assert.False(await store.ArchiveStreamAsync(Tenant + "-third", Stream));
    }

    [Fact]
    public async Task All_events_come_in_global_order()
    {
        var store = await StoreAsync();
        var before = await store.GetHighWaterMarkAsync();
        foreach (var stream in new[] { "a", "b", "a", "c" })
            await store.AppendToStreamAsync(Tenant, stream, ExpectedVersion.Any, [Facts.Raised(1)]);
        var mine = await store.ReadAllAsync(before, int.MaxValue).Where(e => e.Tenant == Tenant).ToListAsync();

        Assert.Equal(["a", "b", "a", "c"], mine.Select(e => e.StreamId));
        Assert.Equal(mine.Select(e => e.Position).Order(), mine.Select(e => e.Position));
        Assert.True(await store.GetHighWaterMarkAsync() >= mine[^1].Position);
        Assert.Single(await store.ReadAllAsync(mine[^1].Position - 1, 1).ToListAsync());
    }

    [Fact]
    public async Task The_stream_state_tells_where_it_stands()
    {
        var store = await StoreAsync();
        await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.NoStream, [Facts.Raised(1)], new AppendOptions(AggregateType: "counter"));
        await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Any, [Facts.Raised(1)]);
        var state = await store.GetStreamStateAsync(Tenant, Stream);
        var read = await store.ReadStreamAsync(Tenant, Stream).ToListAsync();

        Assert.Equal(new StreamState(Tenant, Stream, "counter", 2, read[0].RecordedAt, read[1].RecordedAt, IsArchived: false), state);
    }

    [Fact]
    public async Task An_archived_stream_is_readable_and_closed()
    {
        var store = await StoreAsync();
        await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.NoStream, [Facts.Raised(1)]);
        Assert.True(await store.ArchiveStreamAsync(Tenant, Stream));
        Assert.True(await store.ArchiveStreamAsync(Tenant, Stream));

        foreach (var expected in new[] { ExpectedVersion.Any, ExpectedVersion.StreamExists, ExpectedVersion.Exact(1), ExpectedVersion.NoStream })
            await Assert.ThrowsAsync<StreamArchivedException>(async () => await store.AppendToStreamAsync(Tenant, Stream, expected, [Facts.Raised(1)]));
        Assert.Single(await store.ReadStreamAsync(Tenant, Stream).ToListAsync());
        Assert.True((await store.GetStreamStateAsync(Tenant, Stream))?.IsArchived);
    }

    [Fact]
    public async Task Several_streams_are_appended_together()
    {
        var store = await StoreAsync();
        var other = Tenant + "-other";
        var results = await store.AppendToStreamsAsync(Tenant,
        [
            new StreamAppend(null, "b", ExpectedVersion.NoStream, Facts.Raised(2, 1)),
            new StreamAppend(other, "a", ExpectedVersion.Any, [Facts.Raised(1)]),
        ]);

        Assert.Equal([(Tenant, "b", 2L), (other, "a", 1L)], results.Select(r => (r.Tenant, r.StreamId, r.Version)));
        Assert.Equal(results[0].Positions, await store.ReadStreamAsync(Tenant, "b").Select(e => e.Position).ToListAsync());
        Assert.Equal(results[1].Positions, await store.ReadStreamAsync(other, "a").Select(e => e.Position).ToListAsync());
    }

    [Fact]
    public async Task One_refused_stream_refuses_them_all()
    {
        var store = await StoreAsync();
        await store.AppendToStreamAsync(Tenant, "b", ExpectedVersion.NoStream, [Facts.Raised(1)]);
        var wrong = await Assert.ThrowsAsync<WrongExpectedVersionException>(async () => await store.AppendToStreamsAsync(Tenant,
        [
            new StreamAppend(null, "a", ExpectedVersion.NoStream, [Facts.Raised(1)]),
            new StreamAppend(null, "b", ExpectedVersion.NoStream, [Facts.Raised(1)]),
        ]));

        Assert.Equal(("b", 1L), (wrong.StreamId, wrong.Actual));
        Assert.Null(await store.GetStreamStateAsync(Tenant, "a"));
        Assert.Equal(1, (await store.GetStreamStateAsync(Tenant, "b"))?.Version);
    }

    [Fact]
    public async Task A_repeated_idempotent_batch_returns_the_original_positions()
    {
        var store = await StoreAsync();
        var idempotent = new AppendOptions(Idempotent: true);
        EventData[] batch = [Facts.Raised(1), Facts.Raised(2)];
        var first = await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.NoStream, batch, idempotent);
        await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Any, [Facts.Raised(3)]);
        var again = await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.NoStream, batch, idempotent);

        Assert.Equal((false, true), (first.AlreadyStored, again.AlreadyStored));
        Assert.Equal(first.Positions, again.Positions);
        Assert.Equal(2, again.Version);
        Assert.Equal(3, (await store.GetStreamStateAsync(Tenant, Stream))?.Version);
    }

    [Fact]
    public async Task An_event_id_belongs_to_one_batch()
    {
        var store = await StoreAsync();
        var idempotent = new AppendOptions(Idempotent: true);
        var shared = Facts.Raised(1);
        await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Any, [shared], idempotent);

        async Task Refused(string stream, params EventData[] events) => Assert.Equal(
            shared.EventId,
            (await Assert.ThrowsAsync<EventIdReusedException>(
                async () => await store.AppendToStreamAsync(Tenant, stream, ExpectedVersion.Any, events, idempotent))).EventId);

        await Refused(Stream, shared, Facts.Raised(2));
        await Refused("another", shared);
        Assert.False((await store.AppendToStreamAsync(Tenant + "-other", Stream, ExpectedVersion.Any, [shared], idempotent)).AlreadyStored);
    }

    [Fact]
    public async Task An_event_id_twice_in_one_idempotent_batch_is_refused()
    {
        var store = await StoreAsync();
        var twice = Facts.Raised(1);
        await Assert.ThrowsAsync<EventIdReusedException>(async () =>
            await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Any, [twice, twice], new AppendOptions(Idempotent: true)));
        Assert.Null(await store.GetStreamStateAsync(Tenant, Stream));
    }

    [Fact]
    public async Task The_same_batch_sent_twice_at_once_is_stored_once()
    {
        var store = await StoreAsync();
        EventData[] batch = [Facts.Raised(1), Facts.Raised(2)];
        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
            await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Any, batch, new AppendOptions(Idempotent: true)))));

        Assert.Single(results, r => !r.AlreadyStored);
        Assert.All(results, r => Assert.Equal(results[0].Positions, r.Positions));
        Assert.Equal(2, (await store.GetStreamStateAsync(Tenant, Stream))?.Version);
    }

    [Fact]
    public async Task Sixteen_writers_of_one_stream_make_each_version_once()
    {
        var store = await StoreAsync();
        const int perWriter = 10;
        await Task.WhenAll(Enumerable.Range(0, 16).Select(writer => Task.Run(() => RaiseAsync(store, perWriter))));
        var versions = await store.ReadStreamAsync(Tenant, Stream).Select(e => e.Version).ToListAsync();

        Assert.Equal(Enumerable.Range(1, 16 * perWriter).Select(v => (long)v), versions);
        Assert.Equal(16 * perWriter, await store.AggregateStreamAsync(Tenant, Stream, 0, Facts.Sum));
    }

    private async Task RaiseAsync(IEventStore store, int times)
    {
        for (var done = 0; done < times;)
        {
            var handle = await store.FetchForWritingAsync(Tenant, Stream, 0, Facts.Sum);
            try
            {
                await handle.AppendAsync([Facts.Raised(1)]);
                done++;
            }
            catch (WrongExpectedVersionException)
            {
                // Somebody was faster: load and decide again.
                continue;
            }
        }
    }

    [Fact]
    public async Task A_stream_folds_to_its_state_now_and_then()
    {
        var store = await StoreAsync();
        await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.NoStream, [Facts.Raised(1), Facts.Raised(2), Facts.Raised(4)]);
        var handle = await store.FetchForWritingAsync(Tenant, Stream, 0, Facts.Sum);
        var recorded = (await store.ReadStreamAsync(Tenant, Stream).FirstAsync()).RecordedAt;

        Assert.Equal((7, 3L), (handle.State, handle.Version));
        Assert.Equal(3, await store.AggregateStreamAsync(Tenant, Stream, 0, Facts.Sum, new FoldBound(Version: 2)));
        Assert.Equal(7, await store.AggregateStreamAsync(Tenant, Stream, 0, Facts.Sum, new FoldBound(RecordedUpTo: recorded)));
        Assert.Equal(0, await store.AggregateStreamAsync(Tenant, Stream, 0, Facts.Sum, new FoldBound(RecordedUpTo: recorded.AddTicks(-10))));
        Assert.Equal((0, 0L), ((await store.FetchForWritingAsync(Tenant, "none", 0, Facts.Sum)).State, 0L));
    }

    [Fact]
    public async Task An_oversized_event_is_refused_and_one_at_the_bound_is_stored()
    {
        var store = await StoreAsync();
        var wrapper = JsonSerializer.SerializeToUtf8Bytes(new NoteTaken(""), FactsJson.Default.NoteTaken).Length;
        var fits = EventData.Of(new NoteTaken(new string('x', EventStoreLimits.MaxEventBytes - wrapper)));
        var tooLarge = EventData.Of(new NoteTaken(new string('x', EventStoreLimits.MaxEventBytes - wrapper + 1)));

        var refused = await Assert.ThrowsAsync<EventTooLargeException>(async () =>
            await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Any, [Facts.Raised(1), tooLarge]));
        Assert.Equal(EventStoreLimits.MaxEventBytes + 1, refused.Bytes);
        Assert.Equal(1, (await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.NoStream, [fits])).Version);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("")]
    [InlineData("{\"a\": 1} x")]
    [InlineData("{\"a\": \"\\u0000\"}")]
    [InlineData("{\"a\": \"\\ud800\"}")]
    [InlineData("{\"\\u0000\": 1}")]
    public async Task What_is_not_storable_json_is_refused(string json)
    {
        var store = await StoreAsync();
        await Assert.ThrowsAsync<EventDataRejectedException>(async () =>
            await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Any, [EventData.Of(new RawFact(json))]));
        Assert.Null(await store.GetStreamStateAsync(Tenant, Stream));
    }

    [Fact]
    public async Task An_unlisted_fact_is_refused()
    {
        var store = await StoreAsync();
        await Assert.ThrowsAsync<UnknownEventTypeException>(async () =>
            await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Any, [EventData.Of(new Unlisted(1))]));
    }

    [Theory]
    [InlineData("", Stream, "tenant")]
    [InlineData(" ", Stream, "tenant")]
    [InlineData("a\0b", Stream, "tenant")]
    [InlineData("acme", "", "stream")]
    public async Task A_stream_has_a_tenant_and_a_name(string tenant, string stream, string which)
    {
        var store = await StoreAsync();
        var refused = await Assert.ThrowsAsync<StreamNameRejectedException>(async () =>
            await store.AppendToStreamAsync(tenant, stream, ExpectedVersion.Any, [Facts.Raised(1)]));
        Assert.Equal(which, refused.Which);
        await Assert.ThrowsAsync<StreamNameRejectedException>(async () => await store.GetStreamStateAsync(tenant, stream));
        await Assert.ThrowsAsync<StreamNameRejectedException>(async () => await store.ReadStreamAsync(tenant, stream).ToListAsync());
    }

    [Fact]
    public async Task The_longest_names_are_stored_and_longer_ones_are_refused()
    {
        var store = await StoreAsync();
        var (tenant, stream) = (Tenant.PadRight(EventStoreLimits.MaxTenantLength, 'ı'), new string('ğ', EventStoreLimits.MaxStreamIdLength));
        await store.AppendToStreamAsync(tenant, stream, ExpectedVersion.NoStream, [Facts.Raised(1)]);
        Assert.Equal(1, await store.ReadStreamAsync(tenant, stream).CountAsync());

        await Assert.ThrowsAsync<StreamNameRejectedException>(async () => await store.AppendToStreamAsync(tenant + "x", "s", ExpectedVersion.Any, [Facts.Raised(1)]));
        // Half of a surrogate pair; as an argument of a theory it would not survive the runner.
        await Assert.ThrowsAsync<StreamNameRejectedException>(async () => await store.AppendToStreamAsync("t", "x\ud800", ExpectedVersion.Any, [Facts.Raised(1)]));
        await Assert.ThrowsAsync<StreamNameRejectedException>(async () => await store.AppendToStreamAsync("t", stream + "x", ExpectedVersion.Any, [Facts.Raised(1)]));
    }

    [Fact]
    public async Task Bounds_on_the_size_of_an_append_are_kept()
    {
        var store = await StoreAsync();
        await Assert.ThrowsAsync<AppendTooLargeException>(async () =>
            await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Any, Facts.Raised(EventStoreLimits.MaxEventsPerAppend + 1, 1)));
        await Assert.ThrowsAsync<AppendTooLargeException>(async () => await store.AppendToStreamsAsync(Tenant,
            [.. Enumerable.Range(0, EventStoreLimits.MaxStreamsPerAppend + 1).Select(i => new StreamAppend(null, $"s-{i}", ExpectedVersion.Any, [Facts.Raised(1)]))]));
        await Assert.ThrowsAsync<ArgumentException>(async () => await store.AppendToStreamsAsync(Tenant,
        [
            new StreamAppend(null, "a", ExpectedVersion.Any, [Facts.Raised(1)]),
            new StreamAppend(null, "a", ExpectedVersion.Any, [Facts.Raised(1)]),
        ]));
        Assert.Equal(
            EventStoreLimits.MaxEventsPerAppend,
            (await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Any, Facts.Raised(EventStoreLimits.MaxEventsPerAppend, 1))).Version);
    }

    [Fact]
    public async Task An_append_wakes_who_waits()
    {
        var store = await StoreAsync();
        var mark = await store.GetHighWaterMarkAsync();
        var waiting = store.WaitForChangeAsync(mark, TimeSpan.FromMinutes(5)).AsTask();
        await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Any, [Facts.Raised(1)]);

        await waiting.WaitAsync(Patience);
        Assert.True(await store.GetHighWaterMarkAsync() > mark);
    }

    [Fact]
    public async Task Who_is_behind_does_not_wait()
    {
        var store = await StoreAsync();
        var result = await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Any, [Facts.Raised(1)]);
        await store.WaitForChangeAsync(result.LastPosition - 1, TimeSpan.FromMinutes(5)).AsTask().WaitAsync(Patience);
    }

    [Fact]
    public async Task A_cancelled_append_stores_nothing()
    {
        var store = await StoreAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            await store.AppendToStreamAsync(Tenant, Stream, ExpectedVersion.Any, [Facts.Raised(1)], ct: new CancellationToken(canceled: true)));
        Assert.Null(await store.GetStreamStateAsync(Tenant, Stream));
    }
}
