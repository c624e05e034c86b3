using Npgsql;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Projections;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>Read models that are written with the append: they are there when the answer is, or neither is.</summary>
public sealed class InlineProjectionTests : IAsyncLifetime
{
    private readonly InlineFixture _postgres = new();

    public Task InitializeAsync() => _postgres.InitializeAsync();

    public Task DisposeAsync() => _postgres.DisposeAsync();

    [Fact]
    public async Task The_rows_are_there_when_the_append_answers()
    {
        var result = await _postgres.Store.AppendToStreamAsync("acme", "a", ExpectedVersion.NoStream, [EventData.Of(new CounterOpened("çay")), Facts.Raised(5)]);

        Assert.Equal([$"a | 5 | {result.LastPosition}"], await _postgres.LinesAsync("select id, total, last_position from counter_row"));
        Assert.Equal(["a | 2 | çay"], await _postgres.LinesAsync("select id, mt_version, data->>'Name' from mt_doc_counterview"));
    }

    [Fact]
    public async Task A_failing_projection_refuses_its_append_and_no_other()
    {
        // The table refuses a total below zero.
        var appends = Enumerable.Range(0, 20).Select(i => _postgres.Store.AppendToStreamAsync("acme", $"s-{i}", ExpectedVersion.NoStream, [Facts.Raised(i == 7 ? -5 : 1)]).AsTask()).ToList();
        var refused = await Assert.ThrowsAsync<InlineProjectionException>(() => appends[7]);
        await Task.WhenAll(appends.Where((_, i) => i != 7));

        Assert.Equal("CounterRows", refused.Projection);
        Assert.IsType<PostgresException>(refused.InnerException);
        Assert.Null(await _postgres.Store.GetStreamStateAsync("acme", "s-7"));
        Assert.Equal(["19"], await _postgres.LinesAsync("select count(*) from counter_row"));
    }

    [Fact]
    public async Task Several_streams_and_their_rows_stand_or_fall_together()
    {
        StreamAppend[] Both(int second) =>
            [new(null, "a", ExpectedVersion.NoStream, [Facts.Raised(1)]), new(null, "b", ExpectedVersion.NoStream, [Facts.Raised(second)])];
        await Assert.ThrowsAsync<InlineProjectionException>(async () => await _postgres.Store.AppendToStreamsAsync("acme", Both(-3)));
        Assert.Empty(await _postgres.LinesAsync("select 1 from counter_row union all select 1 from mt_events"));

        await _postgres.Store.AppendToStreamsAsync("acme", Both(2));
        Assert.Equal(["a | 1", "b | 2"], await _postgres.LinesAsync("select id, total from counter_row order by id"));
    }

    [Fact]
    public async Task A_repeated_append_is_applied_once()
    {
        EventData[] batch = [Facts.Raised(5)];
        for (var i = 0; i < 2; i++) await _postgres.Store.AppendToStreamAsync("acme", "a", ExpectedVersion.Any, batch, new AppendOptions(Idempotent: true));
        Assert.Equal(["5"], await _postgres.LinesAsync("select total from counter_row"));
    }

    [Fact]
    public async Task Kept_streams_and_imports_are_applied_as_well()
    {
        await using (var kept = await _postgres.Store.LockStreamAsync("acme", "a")) await kept.AppendAsync([Facts.Raised(1)]);
        var imported = new ImportedEvent("acme", "a", 2, Guid.CreateVersion7(), "counter_raised", DateTimeOffset.UnixEpoch, "{\"By\": 6}"u8.ToArray(), EventMetadata.None);
        await _postgres.Store.ImportAsync(new[] { imported }.ToAsyncEnumerable());

        Assert.Equal(["7"], await _postgres.LinesAsync("select total from counter_row"));
    }

    [Fact]
    public async Task Many_writers_of_one_row_get_through()
    {
        await Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
            await _postgres.Store.AppendToStreamAsync("acme", $"s-{i % 5}", ExpectedVersion.Any, [Facts.Raised(1)])));
        Assert.Equal(["100"], await _postgres.LinesAsync("select sum(total) from counter_row"));
    }

    [Fact]
    public async Task Another_version_of_the_tables_stops_the_start()
    {
        await using var newer = _postgres.NewStore(_postgres.Options with { InlineProjections = [new CounterRows(version: 2)] });
        await Assert.ThrowsAsync<ProjectionSupersededException>(async () => await newer.EnsureSchemaAsync());
    }

    private sealed class InlineFixture : PostgresFixture
    {
        private static readonly PostgresEventStoreOptions Inline = new() { InlineProjections = [new CounterRows(), new CounterViews()] };

        public override PostgresEventStoreOptions Options => Inline;
    }
}
