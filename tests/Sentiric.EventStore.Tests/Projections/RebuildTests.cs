using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Xunit;

namespace Sentiric.EventStore.Tests.Projections;

/// <summary>What operators do with a rebuild: let it continue, stop it, take it back, read why it did not switch.</summary>
public sealed class RebuildTests : IAsyncLifetime
{
    private const string Rows = "select tenant_id, id, total, last_position from counter_row order by 1, 2";
    private const string Documents = "select tenant_id, id, data::text, mt_last_modified, mt_dotnet_type, mt_version from mt_doc_counterview order by 1, 2";
    private const string ExtraTables = "select relname from pg_class where relnamespace = 'public'::regnamespace and relname ~ '__sx' order by 1";
    private static readonly ProjectionOptions Options = new() { BatchSize = 10, RebuildBatchSize = 5, RetryDelay = TimeSpan.FromMilliseconds(1) };

    private readonly PostgresFixture _postgres = new();

    public Task InitializeAsync() => _postgres.InitializeAsync();

    public Task DisposeAsync() => _postgres.DisposeAsync();

    private ProjectionDaemon Daemon(params ITableProjection[] projections) => new(_postgres.Source, _postgres.Store, projections, TimeProvider.System, Options);

    private async Task RaiseAsync(string stream, params int[] amounts) =>
        await _postgres.Store.AppendToStreamAsync("acme", stream, ExpectedVersion.Any, [.. amounts.Select(by => Facts.Raised(by))]);

    [Fact]
    public async Task An_interrupted_rebuild_goes_on_where_it_stood()
    {
        for (var i = 0; i < 10; i++) await RaiseAsync($"s-{i}", i, 1);
        var daemon = Daemon(new CounterRows());
        await daemon.CatchUpAsync();
        using var crash = new CancellationTokenSource();
        var dying = new Watch(p => { if (p.Position >= 10) crash.Cancel(); });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await daemon.RebuildAsync("CounterRows", new RebuildOptions(), dying, crash.Token));
        var status = await Daemon(new CounterRows()).RebuildStatusAsync("CounterRows");
        Assert.Equal((RebuildState.Interrupted, 10L), (status.State, status.Progress.Position));

        var heard = new Watch();
        await Daemon(new CounterRows()).RebuildAsync("CounterRows", new RebuildOptions(), heard);
        Assert.Equal(15, heard.Positions[0]);
        Assert.Equal(RebuildState.Switched, (await daemon.RebuildStatusAsync("CounterRows")).State);
        Assert.Equal(10, (await _postgres.LinesAsync(Rows)).Count);
        Assert.Equal(["20"], await _postgres.LinesAsync("select count(*) from counter_entry"));
    }

    [Fact]
    public async Task Rows_that_differ_are_reported_and_the_living_ones_stay()
    {
        await RaiseAsync("a", 1, 2);
        await RaiseAsync("b", 5);
        var daemon = Daemon(new CounterRows());
        await daemon.CatchUpAsync();
        await _postgres.ExecuteAsync("update counter_row set total = 77 where id = 'b'");

        var differs = await Assert.ThrowsAsync<RebuildDiffersException>(async () => await daemon.RebuildAsync("CounterRows"));
        Assert.Equal([new TableDifference("counter_row", 2, 2, 1, 1)], differs.Differences);
        Assert.Equal(["acme | a | 3 | 2", "acme | b | 77 | 3"], await _postgres.LinesAsync(Rows));
        Assert.Equal((RebuildState.Differs, differs.Message), ((await daemon.RebuildStatusAsync("CounterRows")).State, (await daemon.RebuildStatusAsync("CounterRows")).Error));

        await RaiseAsync("b", 1);
        await daemon.RebuildAsync("CounterRows", new RebuildOptions { AcceptDifferences = true });
        Assert.Equal(["acme | a | 3 | 2", "acme | b | 6 | 4"], await _postgres.LinesAsync(Rows));
    }

    [Fact]
    public async Task A_switch_can_be_rolled_back_and_repeated()
    {
        await RaiseAsync("a", 1, 2);
        var (old, young) = (Daemon(new CounterRows()), Daemon(new CounterRows(version: 2)));
        await old.CatchUpAsync();
        await young.CatchUpAsync();
        await RaiseAsync("a", 4);
        await young.CatchUpAsync();
        Assert.Equal(["acme | a | 14 | 3"], await _postgres.LinesAsync(Rows));

        Assert.True(await young.RollbackSwitchAsync("CounterRows"));
        Assert.Equal(["acme | a | 3 | 2"], await _postgres.LinesAsync(Rows));
        await Assert.ThrowsAsync<ProjectionRolledBackException>(async () => await young.CatchUpAsync());
        await old.CatchUpAsync();
        Assert.Equal(["acme | a | 7 | 3"], await _postgres.LinesAsync(Rows));

        Assert.True(await young.RollbackSwitchAsync("CounterRows"));
        Assert.Equal(["acme | a | 14 | 3"], await _postgres.LinesAsync(Rows));
        await RaiseAsync("a", 1);
        await young.CatchUpAsync();
        Assert.Equal(["acme | a | 16 | 4"], await _postgres.LinesAsync(Rows));
    }

    [Fact]
    public async Task The_previous_tables_stay_until_they_are_dropped()
    {
        await RaiseAsync("a", 1);
        var daemon = Daemon(new CounterRows());
        await daemon.CatchUpAsync();
        Assert.False(await daemon.RollbackSwitchAsync("CounterRows"));
        await daemon.RebuildAsync("CounterRows");
        await daemon.RebuildAsync("CounterRows");
        Assert.Contains("counter_row__sx_prev", await _postgres.LinesAsync(ExtraTables));
        Assert.Equal(1, (await daemon.RebuildStatusAsync("CounterRows")).PreviousVersion);

        Assert.True(await daemon.DropPreviousAsync("CounterRows"));
        Assert.False(await daemon.DropPreviousAsync("CounterRows"));
        Assert.False(await daemon.RollbackSwitchAsync("CounterRows"));
        Assert.Empty(await _postgres.LinesAsync(ExtraTables));
    }

    [Fact]
    public async Task A_cancelled_rebuild_leaves_nothing_behind()
    {
        for (var i = 0; i < 10; i++) await RaiseAsync("a", 1, 1);
        var daemon = Daemon(new CounterRows());
        await daemon.CatchUpAsync();
        Assert.False(await daemon.CancelRebuildAsync("CounterRows"));
        using var crash = new CancellationTokenSource();
        var dying = new Watch(p => { if (p.Position >= 10) crash.Cancel(); });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await daemon.RebuildAsync("CounterRows", new RebuildOptions(), dying, crash.Token));

        Assert.True(await daemon.CancelRebuildAsync("CounterRows"));
        Assert.Equal(RebuildState.Cancelled, (await daemon.RebuildStatusAsync("CounterRows")).State);
        Assert.Empty(await _postgres.LinesAsync(ExtraTables));
        await daemon.RebuildAsync("CounterRows");
        Assert.Equal(["acme | a | 20 | 20"], await _postgres.LinesAsync(Rows));
    }

    [Fact]
    public async Task A_rebuild_ends_when_another_process_asks_for_it()
    {
        for (var i = 0; i < 10; i++) await RaiseAsync("a", 1, 1);
        var daemon = Daemon(new CounterRows());
        await daemon.CatchUpAsync();
        var asking = new Watch(p => { if (p is { Phase: RebuildPhase.Filling or RebuildPhase.CatchingUp }) Daemon(new CounterRows()).CancelRebuildAsync("CounterRows").AsTask().Wait(); });
        await Assert.ThrowsAsync<RebuildCancelledException>(async () => await daemon.RebuildAsync("CounterRows", new RebuildOptions(), asking));
        Assert.Empty(await _postgres.LinesAsync(ExtraTables));
        Assert.Equal(["acme | a | 20 | 20"], await _postgres.LinesAsync(Rows));
    }

    [Fact]
    public async Task One_streams_document_is_built_anew_without_touching_the_others()
    {
        await RaiseAsync("a", 1, 2);
        await RaiseAsync("b", 5);
        await RaiseAsync("gone", 5, -1);
        var daemon = Daemon(new CounterViews(), new CounterRows());
        await daemon.CatchUpAsync();
        var before = await _postgres.LinesAsync(Documents);
        await _postgres.ExecuteAsync("update mt_doc_counterview set data = '{}', mt_version = 1 where id = 'a'; update mt_doc_counterview set mt_dotnet_type = 'touched' where id = 'b'");
        await RaiseAsync("a", 10);

        await daemon.RebuildStreamAsync("CounterView", "acme", "a");
        await daemon.RebuildStreamAsync("CounterView", "acme", "gone");
        var after = await _postgres.LinesAsync(Documents);
        Assert.Equal((2, before[0]), (after.Count, after[0]));
        Assert.Contains("touched", after[1]);
        await daemon.CatchUpAsync();
        Assert.StartsWith("acme | a | {\"Name\": \"?\", \"Total\": 13}", (await _postgres.LinesAsync(Documents))[0]);
        await Assert.ThrowsAsync<NotSupportedException>(async () => await daemon.RebuildStreamAsync("CounterRows", "acme", "a"));
    }

    [Fact]
    public async Task Archived_streams_stay_in_the_read_model()
    {
        await RaiseAsync("a", 1);
        await _postgres.Store.ArchiveStreamAsync("acme", "a");
        var daemon = Daemon(new CounterViews());
        await daemon.CatchUpAsync();
        await daemon.RebuildAsync("CounterView");
        Assert.Single(await _postgres.LinesAsync(Documents));
    }
}

/// <summary>Hears the progress at once, on the rebuild's own thread.</summary>
internal sealed class Watch(Action<RebuildProgress>? then = null) : IProgress<RebuildProgress>
{
    public List<long> Positions { get; } = [];

    public void Report(RebuildProgress value)
    {
        Positions.Add(value.Position);
        then?.Invoke(value);
    }
}
