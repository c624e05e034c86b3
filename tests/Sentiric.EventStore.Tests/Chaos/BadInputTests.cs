using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Sentiric.EventStore.Tests.Projections;
using Sentiric.Testing;

namespace Sentiric.EventStore.Tests.Chaos;

/// <summary>What stands in the log that nobody expected: readers park it and go on.</summary>
public sealed class BadInputTests : IAsyncLifetime
{
    private readonly PostgresFixture _postgres = new();

    public Task InitializeAsync() => _postgres.InitializeAsync();

    public Task DisposeAsync() => _postgres.DisposeAsync();

    /// <summary>An event as a newer program, or a broken one, might have left it.</summary>
    private Task StrangeAsync(string stream, string type, string json) => _postgres.ExecuteAsync($"""
        insert into mt_streams (tenant_id, id, version) values ('acme', '{stream}', 1);
        insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id)
        values (nextval('mt_events_sequence'), gen_random_uuid(), '{stream}', 1, '{json}', '{type}', now(), 'acme')
        """);

    [Theory]
    [InlineData("never_heard_of", "{}")]
    [InlineData("counter_raised_v7", """{"By": 1}""")]
    [InlineData("counter_raised", """{"By": "many"}""")]
    [InlineData("counter_raised", "null")]
    [InlineData("counter_raised", "[1, 2]")]
    public async Task An_unknown_type_version_or_shape_is_parked_and_the_reader_goes_on(string type, string json)
    {
        await _postgres.Store.AppendToStreamAsync("acme", "a", ExpectedVersion.Any, [Facts.Raised(1)]);
        await StrangeAsync("strange", type, json);
        await _postgres.Store.AppendToStreamAsync("acme", "a", ExpectedVersion.Any, [Facts.Raised(2)]);
        var handled = new List<long>();
        var checkpoints = new PostgresCheckpointStore(_postgres.Source);
        var runner = new SubscriptionRunner(
            _postgres.Store, checkpoints, new SubscriptionOptions("strange") { RetryDelay = TimeSpan.FromMilliseconds(1) },
            (batch, _) =>
            {
                foreach (var recorded in batch) _postgres.Store.Serializer.Deserialize(recorded);
                handled.AddRange(batch.Select(e => e.Position));
                return ValueTask.CompletedTask;
            },
            TimeProvider.System);
        var daemon = new ProjectionDaemon(
            _postgres.Source, _postgres.Store, [new CounterRows()], TimeProvider.System, new ProjectionOptions { RetryDelay = TimeSpan.FromMilliseconds(1) });
        await runner.CatchUpAsync();
        await daemon.CatchUpAsync();

        Assert.Equal([1L, 3L], handled);
        Assert.Equal([2L], (await checkpoints.ListParkedAsync(ShardName.Of("strange"))).Select(p => p.Position));
        Assert.Equal([2L], (await checkpoints.ListParkedAsync(ShardName.Of("CounterRows"))).Select(p => p.Position));
        Assert.Equal(["acme | a | 3 | 3"], await _postgres.LinesAsync("select tenant_id, id, total, last_position from counter_row"));
    }

    [Fact]
    public async Task A_wrong_tenant_sees_and_changes_nothing()
    {
        await _postgres.Store.AppendToStreamAsync("acme", "secret", ExpectedVersion.Any, [Facts.Raised(41)]);
        foreach (var tenant in new[] { "ACME", "acme ", "acme' or '1'='1", "%", "*DEFAULT*", "umbrella" })
        {
            Assert.Empty(await _postgres.Store.ReadStreamAsync(tenant, "secret").ToListAsync());
            Assert.Null(await _postgres.Store.GetStreamStateAsync(tenant, "secret"));
            Assert.Equal(0, await _postgres.Store.AggregateStreamAsync(tenant, "secret", 0, Facts.Sum));
            Assert.False(await _postgres.Store.ArchiveStreamAsync(tenant, "secret"));
            await Assert.ThrowsAsync<WrongExpectedVersionException>(async () =>
                await _postgres.Store.AppendToStreamAsync(tenant, "secret", ExpectedVersion.StreamExists, [Facts.Raised(1)]));
            await _postgres.Store.AppendToStreamAsync(tenant, "secret", ExpectedVersion.NoStream, [Facts.Raised(1)]);
        }
        Assert.Equal(41, await _postgres.Store.AggregateStreamAsync("acme", "secret", 0, Facts.Sum));
        Assert.False((await _postgres.Store.GetStreamStateAsync("acme", "secret"))?.IsArchived);
    }

    [Fact]
    public async Task A_clock_that_jumps_changes_neither_order_nor_versions_and_no_streams_time_runs_backwards()
    {
        var clock = new ManualTime();
        await using var store = new PostgresEventStore(_postgres.Source, Facts.Serializer, clock);
        var start = clock.GetUtcNow();
        foreach (var jump in new[] { TimeSpan.Zero, TimeSpan.FromDays(-400), TimeSpan.FromDays(9_000), TimeSpan.FromDays(-20_000), TimeSpan.FromMicroseconds(1) })
        {
            clock.Advance(jump);
            await store.AppendToStreamAsync("acme", "jumpy", ExpectedVersion.Any, [Facts.Raised(1)]);
        }
        var read = await store.ReadStreamAsync("acme", "jumpy").ToListAsync();

        Assert.Equal([1L, 2L, 3L, 4L, 5L], read.Select(e => e.Version));
        Assert.Equal(read.Select(e => e.Position).Order(), read.Select(e => e.Position));
        // A stream's time stands still while the clock is behind it, and follows it again when it is ahead.
        Assert.Equal([0, 0, 8_600, 8_600, 8_600], read.Select(e => (int)(e.RecordedAt - start).TotalDays));
        Assert.Equal(read, await store.ReadAllAsync(0, 10).ToListAsync(), (a, b) => a.EventId == b.EventId && a.RecordedAt == b.RecordedAt);
        Assert.Equal(read[^1].RecordedAt, (await store.GetStreamStateAsync("acme", "jumpy"))?.LastChanged);
        Assert.Equal(2, await store.AggregateStreamAsync("acme", "jumpy", 0, Facts.Sum, new FoldBound(RecordedUpTo: start)));
        await new ProjectionDaemon(_postgres.Source, store, [new CounterRows()], clock).CatchUpAsync();
        Assert.Equal(["acme | jumpy | 5 | 5"], await _postgres.LinesAsync("select tenant_id, id, total, last_position from counter_row"));
    }
}
