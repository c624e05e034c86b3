using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Xunit;

namespace Sentiric.EventStore.Tests.Projections;

public sealed class MultiStreamTests : IAsyncLifetime
{
    private const string Documents = "select tenant_id, id, data::text, mt_version, mt_dotnet_type from mt_doc_amountview order by 1, 2";
    private const string Seen = "select position, stream_id from amount_seen order by 1";

    private readonly PostgresFixture _postgres = new();

    public Task InitializeAsync() => _postgres.InitializeAsync();

    public Task DisposeAsync() => _postgres.DisposeAsync();

    private ProjectionDaemon Daemon(int batch, params ITableProjection[] projections) => new(
        _postgres.Source, _postgres.Store, projections, TimeProvider.System,
        new ProjectionOptions { BatchSize = batch, RetryDelay = TimeSpan.FromMilliseconds(1), RebuildBatchSize = 3 });

    private async Task<long> RaiseAsync(string tenant, string stream, params int[] amounts) =>
        (await _postgres.Store.AppendToStreamAsync(tenant, stream, ExpectedVersion.Any, [.. amounts.Select(by => Facts.Raised(by))])).LastPosition;

    [Fact]
    public async Task Documents_gather_events_of_many_streams_in_the_order_of_positions()
    {
        var daemon = Daemon(2, new Amounts());
        await RaiseAsync("acme", "a", 5, 7);
        await RaiseAsync("acme", "b", 5);
        await daemon.CatchUpAsync();
        await RaiseAsync("acme", "c", 5, 5);
        await RaiseAsync("other", "a", 5);
        var last = await RaiseAsync("acme", "a", 7);
        await daemon.CatchUpAsync();

        Assert.Equal(
        [
            """acme | 5 | {"Name": " a b c c", "Total": 4} | 5 | Sentiric.EventStore.Tests.Projections.CounterView""",
            $$"""acme | 7 | {"Name": " a a", "Total": 2} | {{last}} | Sentiric.EventStore.Tests.Projections.CounterView""",
            """other | 5 | {"Name": " a", "Total": 1} | 6 | Sentiric.EventStore.Tests.Projections.CounterView""",
        ], await _postgres.LinesAsync(Documents));
        Assert.Equal(["1 | a", "2 | a", "3 | b", "4 | c", "5 | c", "6 | a", "7 | a"], await _postgres.LinesAsync(Seen));
        Assert.Equal(["AmountView:All | 7"], await _postgres.LinesAsync("select name, last_seq_id from mt_event_progression where name like 'Amount%'"));
    }

    [Fact]
    public async Task A_rebuild_gives_the_same_documents_and_side_rows()
    {
        var daemon = Daemon(100, new Amounts());
        for (var i = 0; i < 20; i++) await RaiseAsync("acme", $"s-{i % 3}", i % 4, i % 5);
        await RaiseAsync("acme", "gone", -3);
        await daemon.CatchUpAsync();
        var (documents, seen) = (await _postgres.LinesAsync(Documents), await _postgres.LinesAsync(Seen));
        Assert.DoesNotContain(documents, d => d.Contains("| 3 |", StringComparison.Ordinal) && d.StartsWith("acme | 3", StringComparison.Ordinal));
        await daemon.RebuildAsync("AmountView");

        Assert.Equal(documents, await _postgres.LinesAsync(Documents));
        Assert.Equal(seen, await _postgres.LinesAsync(Seen));

        var inMemory = new InMemoryDocuments<CounterView>(new Amounts(), _postgres.Store);
        await inMemory.CatchUpAsync();
        Assert.Equal(documents.Count, inMemory.All("acme").Count);
        Assert.Contains(documents, d => d.Contains($"\"Total\": {inMemory.Load("acme", "4")?.Total}}}", StringComparison.Ordinal) && d.StartsWith("acme | 4", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Several_projections_share_pages_and_each_gets_what_it_declared()
    {
        await _postgres.Store.AppendToStreamAsync("acme", "n", ExpectedVersion.Any, [EventData.Of(new NoteTaken("x")), EventData.Of(new RawFact("{}"))]);
        for (var i = 0; i < 30; i++) await RaiseAsync("acme", "a", 1);
        var (amounts, opened) = (new Amounts(), new Openings());
        var last = (await _postgres.Store.AppendToStreamAsync("acme", "n", ExpectedVersion.Any, [EventData.Of(new CounterOpened("y"))])).LastPosition;
        var daemon = Daemon(4, amounts, opened);
        await daemon.CatchUpAsync();

        Assert.Equal(["30"], await _postgres.LinesAsync("select data ->> 'Total' from mt_doc_amountview"));
        Assert.Equal([$"{last}"], await _postgres.LinesAsync("select position from opening"));
        Assert.Equal([$"AmountView:All | {last}", $"Openings:All | {last}"], await _postgres.LinesAsync("select name, last_seq_id from mt_event_progression where name like '%:All' order by 1"));
        Assert.Empty(await _postgres.LinesAsync("select 1 from mt_doc_deadletterevent"));
        Assert.Equal(["counter_opened"], opened.Offered.Distinct());
    }

    /// <summary>How often each amount was raised, and by which streams; -3 deletes the document of 3.</summary>
    private sealed class Amounts() : MultiStreamProjection<CounterView>("AmountView", ViewsJson.Default.CounterView)
    {
        public override IReadOnlyCollection<string>? EventTypes { get; } = ["counter_raised"];

        protected override IReadOnlyList<string> SideTables => ["amount_seen"];

        protected override string SideSchemaSql(string suffix) =>
            $"create table if not exists amount_seen{suffix} (position bigint not null, stream_id text not null, constraint pkey_amount_seen{suffix} primary key (position));";

        public override IEnumerable<string> KeysOf(RecordedEvent recorded, object @event) =>
            @event is CounterRaised raised ? [Math.Abs(raised.By).ToString(System.Globalization.CultureInfo.InvariantCulture)] : [];

        public override CounterView? Evolve(string key, CounterView? document, RecordedEvent recorded, object @event) =>
            @event is CounterRaised { By: < 0 } ? null : new CounterView($"{document?.Name} {recorded.StreamId}", (document?.Total ?? 0) + 1);

        protected override void WriteAside(IProjectionWriter writer, RecordedEvent recorded, object @event) =>
            writer.Rows("amount_seen", "position").Insert([recorded.Position], ("stream_id", recorded.StreamId));
    }

    private sealed class Openings : EventProjection
    {
        public List<string> Offered { get; } = [];

        public override IReadOnlyList<string> Tables { get; } = ["opening"];

        public override IReadOnlyCollection<string>? EventTypes { get; } = ["counter_opened"];

        public override string SchemaSql(string suffix) => $"create table if not exists opening{suffix} (position bigint, constraint pkey_opening{suffix} primary key (position));";

        public override void Apply(IProjectionWriter writer, RecordedEvent recorded, object @event)
        {
            Offered.Add(recorded.EventType);
            writer.BulkUpsert("opening", ["position"], [], [[recorded.Position]]);
        }
    }
}
