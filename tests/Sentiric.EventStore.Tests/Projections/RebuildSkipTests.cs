using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Xunit;

namespace Sentiric.EventStore.Tests.Projections;

/// <summary>What an operator had left out stays out when the rows are made anew.</summary>
public sealed class RebuildSkipTests : IAsyncLifetime
{
    private const string Rows = "select id, total from counter_row order by 1";
    private const string Documents = "select id, data ->> 'Total' from mt_doc_counterview order by 1";
    private static readonly ProjectionOptions Options = new() { BatchSize = 10, RebuildBatchSize = 2, RetryDelay = TimeSpan.FromMilliseconds(1) };

    private readonly PostgresFixture _postgres = new();

    private ProjectionManager Manager => new(_postgres.Source, _postgres.Store, TimeProvider.System);

    public Task InitializeAsync() => _postgres.InitializeAsync();

    public Task DisposeAsync() => _postgres.DisposeAsync();

    private ProjectionDaemon Daemon(ITableProjection projection) => new(_postgres.Source, _postgres.Store, [projection], TimeProvider.System, Options);

    private async Task<long> RaiseAsync(string stream, params int[] amounts) =>
        (await _postgres.Store.AppendToStreamAsync("acme", stream, ExpectedVersion.Any, [.. amounts.Select(by => Facts.Raised(by))])).LastPosition;

    private async Task<IEnumerable<(long, string)>> ParkedAsync(string name) => (await Manager.ListParkedAsync(name)).Select(p => (p.Position, p.ErrorType));

    private async Task<long> SkipSecondAsync(ITableProjection projection)
    {
        await RaiseAsync("a", 1);
        await Daemon(projection).CatchUpAsync();
        var last = await RaiseAsync("a", 10, 100);
        await Manager.SkipAsync(projection.Name, last - 1);
        await RaiseAsync("b", 5, 6);
        await Daemon(projection).CatchUpAsync();
        return last - 1;
    }

    [Theory]
    [InlineData(1, long.MaxValue)]
    [InlineData(2, long.MaxValue)]
    [InlineData(2, 1)]
    public async Task A_rebuilt_document_leaves_a_skipped_event_out(int workers, long memoryBudget)
    {
        var skipped = await SkipSecondAsync(new CounterViews());
        Assert.Equal(["a | 101", "b | 11"], await _postgres.LinesAsync(Documents));

        // Rows are compared: one that took the event in would be refused.
        await Daemon(new CounterViews()).RebuildAsync("CounterView", new RebuildOptions { Parallelism = workers, MemoryBudget = memoryBudget });
        Assert.Equal(["a | 101", "b | 11"], await _postgres.LinesAsync(Documents));
        Assert.Equal([(skipped, "Skipped")], await ParkedAsync("CounterView"));

        await Daemon(new CounterViews()).RebuildStreamAsync("CounterView", "acme", "a");
        Assert.Equal(["a | 101", "b | 11"], await _postgres.LinesAsync(Documents));
    }

    [Fact]
    public async Task A_rebuilt_stream_leaves_a_parked_event_out_until_it_is_tried_again()
    {
        var moody = new MoodyViews { Refuses = 10 };
        var last = await RaiseAsync("a", 1, 10, 100);
        await Daemon(moody).CatchUpAsync();
        Assert.Equal([(last - 1, nameof(InvalidOperationException))], await ParkedAsync("CounterView"));
        Assert.Equal(["a | 101"], await _postgres.LinesAsync(Documents));

        // The cause is mended, but whether the event counts is the operator's to say.
        moody.Refuses = 0;
        await Daemon(moody).RebuildStreamAsync("CounterView", "acme", "a");
        Assert.Equal(["a | 101"], await _postgres.LinesAsync(Documents));
        Assert.Equal([(last - 1, nameof(InvalidOperationException))], await ParkedAsync("CounterView"));
    }

    private sealed class MoodyViews() : SingleStreamProjection<CounterView>("CounterView", ViewsJson.Default.CounterView)
    {
        public int Refuses { get; set; }

        public override bool Wants(string eventType) => eventType == "counter_raised";

        public override CounterView? Evolve(CounterView? document, RecordedEvent recorded, object @event) => @event is CounterRaised raised && raised.By != Refuses
            ? new CounterView("?", (document?.Total ?? 0) + raised.By)
            : throw new InvalidOperationException("not this one");
    }

    [Fact]
    public async Task Rebuilt_rows_leave_a_skipped_event_out_in_the_next_version_too()
    {
        var skipped = await SkipSecondAsync(new CounterRows());
        await Daemon(new CounterRows()).RebuildAsync("CounterRows");
        Assert.Equal(["a | 101", "b | 11"], await _postgres.LinesAsync(Rows));

        await Daemon(new CounterRows(version: 2)).CatchUpAsync();
        Assert.Equal(["a | 202", "b | 22"], await _postgres.LinesAsync(Rows));
        Assert.Equal([(skipped, "Skipped")], await ParkedAsync("CounterRows"));
    }

    [Fact]
    public async Task A_rebuild_takes_in_what_was_applied_by_a_later_retry()
    {
        var skipped = await SkipSecondAsync(new CounterRows());
        using var stop = new CancellationTokenSource();
        var daemon = Daemon(new CounterRows());
        var running = daemon.RunAsync(stop.Token);
        Assert.Equal(RetryOutcome.Applied, (await Manager.RetryParkedAsync("CounterRows", skipped)).Outcome);
        await stop.CancelAsync();
        await running;
        await Daemon(new CounterRows()).RebuildAsync("CounterRows", new RebuildOptions { AcceptDifferences = true });
        Assert.Equal(["a | 111", "b | 11"], await _postgres.LinesAsync(Rows));
        Assert.Empty(await ParkedAsync("CounterRows"));
    }

    [Fact]
    public async Task An_event_that_is_skipped_behind_the_rebuilds_back_stops_the_switch()
    {
        await RaiseAsync("a", 1);
        await Daemon(new CounterRows()).CatchUpAsync();
        var late = await RaiseAsync("a", 10);
        var told = false;
        var progress = new Heard(p =>
        {
            if (told || p.Position < late) return;
            told = true;
            Manager.SkipAsync("CounterRows", late).AsTask().GetAwaiter().GetResult();
        });

        var overtaken = await Assert.ThrowsAsync<RebuildOvertakenException>(
            async () => await Daemon(new CounterRows()).RebuildAsync("CounterRows", new RebuildOptions { AcceptDifferences = true }, progress));
        Assert.Contains($"event {late} ", overtaken.Message, StringComparison.Ordinal);
        Assert.Equal(["a | 1"], await _postgres.LinesAsync(Rows));

        await Daemon(new CounterRows()).RebuildAsync("CounterRows", new RebuildOptions { AcceptDifferences = true });
        Assert.Equal(["a | 1"], await _postgres.LinesAsync(Rows));
    }

    private sealed class Heard(Action<RebuildProgress> hear) : IProgress<RebuildProgress>
    {
        public void Report(RebuildProgress value) => hear(value);
    }
}
