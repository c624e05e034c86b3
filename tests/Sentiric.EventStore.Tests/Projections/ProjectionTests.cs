using Npgsql;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Xunit;

namespace Sentiric.EventStore.Tests.Projections;

/// <summary>Each test has a database of its own: projections read the whole log.</summary>
public sealed class ProjectionTests : IAsyncLifetime
{
    private const string Rows = "select tenant_id, id, total, last_position from counter_row order by 1, 2";
    private const string Entries = "select number, tenant_id, counter_id, amount, position from counter_entry order by 1";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly PostgresFixture _postgres = new();

    public Task InitializeAsync() => _postgres.InitializeAsync();

    public Task DisposeAsync() => _postgres.DisposeAsync();

    private static readonly ProjectionOptions Options = new()
    {
        BatchSize = 10,
        RebuildBatchSize = 7,
        RetryDelay = TimeSpan.FromMilliseconds(1),
        OwnershipInterval = TimeSpan.FromMilliseconds(20),
    };

    private ProjectionDaemon Daemon(params ITableProjection[] projections) => new(_postgres.Source, _postgres.Store, projections, TimeProvider.System, Options);

    private async Task<long> RaiseAsync(string stream, params int[] amounts) =>
        (await _postgres.Store.AppendToStreamAsync("acme", stream, ExpectedVersion.Any, [.. amounts.Select(by => Facts.Raised(by))])).LastPosition;

    private Task<List<string>> LinesAsync(string sql) => _postgres.LinesAsync(sql);

    private async Task<string[]> SnapshotAsync() => [.. await LinesAsync(Rows), .. await LinesAsync(Entries)];

    [Fact]
    public async Task Rows_and_checkpoint_follow_the_log()
    {
        var daemon = Daemon(new CounterRows());
        await RaiseAsync("a", 1, 2);
        var last = await RaiseAsync("b", 5);
        await daemon.CatchUpAsync();
        await daemon.CatchUpAsync();

        Assert.Equal(["acme | a | 3 | 2", "acme | b | 5 | 3"], await LinesAsync(Rows));
        Assert.Equal([last.ToString()], await LinesAsync("select last_seq_id from mt_event_progression where name = 'CounterRows:All'"));
        Assert.Equal(("CounterRows", 0L, last), (daemon.Status[0].Name, daemon.Status[0].Lag, daemon.Status[0].Position));
    }

    [Fact]
    public async Task A_crash_before_the_commit_leaves_neither_rows_nor_checkpoint()
    {
        await RaiseAsync("a", 1, 2, 3);
        var broken = Daemon(new CrashingRows());
        await Assert.ThrowsAsync<IOException>(async () => await broken.CatchUpAsync());
        Assert.Empty(await LinesAsync(Rows));
        Assert.Empty(await LinesAsync("select 1 from mt_event_progression where name = 'CounterRows:All'"));

        await Daemon(new CounterRows()).CatchUpAsync();
        Assert.Equal(["acme | a | 6 | 3"], await LinesAsync(Rows));
    }

    [Fact]
    public async Task A_running_daemon_applies_what_is_appended()
    {
        var daemon = Daemon(new CounterRows(), new CounterViews());
        using var stop = new CancellationTokenSource();
        var running = daemon.RunAsync(stop.Token);
        var last = await RaiseAsync("a", 1, 2, 3);
        await daemon.WaitForAsync("CounterRows", last, Patience);
        await daemon.WaitForAsync("CounterView", last, Patience);
        await stop.CancelAsync();
        await running.WaitAsync(Patience);

        Assert.Equal(["acme | a | 6 | 3"], await LinesAsync(Rows));
        Assert.Equal(["""acme | a | {"Name": "?", "Total": 6} | 3 | Sentiric.EventStore.Tests.Projections.CounterView"""],
            await LinesAsync("select tenant_id, id, data::text, mt_version, mt_dotnet_type from mt_doc_counterview"));
        Assert.All(daemon.Status, s => Assert.Equal(ProjectionState.Stopped, s.State));
    }

    [Fact]
    public async Task Waiting_for_a_position_that_does_not_come_says_so()
    {
        var late = await Assert.ThrowsAsync<TimeoutException>(async () => await Daemon(new CounterRows()).WaitForAsync("CounterRows", 5, TimeSpan.FromMilliseconds(20)));
        Assert.Contains("CounterRows", late.Message);
    }

    [Fact]
    public async Task Poisonous_and_unknown_events_are_parked_and_the_rest_is_applied()
    {
        await RaiseAsync("a", 1);
        await _postgres.Store.AppendToStreamAsync("acme", "a", ExpectedVersion.Any, [EventData.Of(new RawFact("{}"))]);
        await RaiseAsync("a", -100, 4);
        await Daemon(new CounterRows()).CatchUpAsync();
        var parked = await new PostgresCheckpointStore(_postgres.Source).ListParkedAsync(ShardName.Of("CounterRows"));

        Assert.Equal(["acme | a | 5 | 4"], await LinesAsync(Rows));
        Assert.Equal([(2L, "raw_fact", nameof(UnknownEventTypeException)), (3L, "counter_raised", nameof(PostgresException))], parked.Select(p => (p.Position, p.EventType, p.ErrorType)));
    }

    [Fact]
    public async Task A_rebuild_gives_the_same_rows_and_the_same_schema()
    {
        var daemon = Daemon(new CounterRows());
        for (var i = 0; i < 10; i++) await RaiseAsync($"s-{i % 3}", i, i + 1);
        await RaiseAsync("s-1", -100);
        await daemon.CatchUpAsync();
        var (rows, schema) = (await SnapshotAsync(), await SchemaAsync());
        var heard = new List<RebuildProgress>();
        await daemon.RebuildAsync("CounterRows", new Heard(heard));
        await daemon.RebuildAsync("CounterRows");

        Assert.Equal(rows.Select(WithoutNumber), (await SnapshotAsync()).Select(WithoutNumber));
        Assert.Equal(schema, await SchemaAsync());
        Assert.Equal(21, heard[^1].Position);
        Assert.Single(await new PostgresCheckpointStore(_postgres.Source).ListParkedAsync(ShardName.Of("CounterRows")));

        await RaiseAsync("s-1", 1000);
        await daemon.CatchUpAsync();
        Assert.Contains(await LinesAsync(Rows), r => r.StartsWith("acme | s-1 | 10", StringComparison.Ordinal));
    }

    // A failed attempt draws a number of a sequence, which no rollback gives back.
    private static string WithoutNumber(string line) => line[(line.IndexOf('|', StringComparison.Ordinal) + 1)..];

    private async Task<List<string>> SchemaAsync() => await LinesAsync("""
        select relname, relkind::text from pg_class where relnamespace = 'public'::regnamespace and relname like 'counter%' and relname not like '%__sx_prev'
        union all select conname, pg_get_constraintdef(oid) from pg_constraint
        where connamespace = 'public'::regnamespace and conrelid::regclass::text like 'counter%' and conrelid::regclass::text not like '%__sx_prev'
        union all select indexname, indexdef from pg_indexes where tablename like 'counter%' and tablename not like '%__sx_prev' order by 1, 2
        """);

    [Fact]
    public async Task Readers_never_see_an_empty_table_while_it_is_rebuilt_and_written()
    {
        var daemon = Daemon(new CounterRows());
        for (var i = 0; i < 30; i++) await RaiseAsync("a", 1);
        await daemon.CatchUpAsync();
        using var stop = new CancellationTokenSource();
        var running = daemon.RunAsync(stop.Token);
        var reading = Task.Run(() => LowestTotalAsync(stop.Token));
        var last = 0L;
        for (var i = 0; i < 5; i++)
        {
            last = await RaiseAsync("a", 1);
            await daemon.RebuildAsync("CounterRows");
        }
        last = await RaiseAsync("a", 1);
        await daemon.WaitForAsync("CounterRows", last, Patience);
        await stop.CancelAsync();
        await running.WaitAsync(Patience);

        var (lowest, reads) = await reading.WaitAsync(Patience);
        Assert.InRange(lowest, 30, 36);
        Assert.True(reads > 10, $"Only {reads} reads happened.");
        Assert.Equal([$"acme | a | 36 | {last}"], await LinesAsync(Rows));
    }

    private async Task<(long Lowest, int Reads)> LowestTotalAsync(CancellationToken ct)
    {
        var (lowest, reads) = (long.MaxValue, 0);
        for (; !ct.IsCancellationRequested; reads++)
        {
            var line = await LinesAsync("select coalesce(sum(total), 0) from counter_row");
            lowest = Math.Min(lowest, long.Parse(line[0]));
        }
        return (lowest, reads);
    }

    [Fact]
    public async Task A_new_version_replaces_the_rows_and_the_old_program_stops()
    {
        var old = Daemon(new CounterRows());
        await RaiseAsync("a", 1, 2);
        await old.CatchUpAsync();
        await Daemon(new CounterRows(version: 2)).CatchUpAsync();
        Assert.Equal(["acme | a | 6 | 2"], await LinesAsync(Rows));
        Assert.Equal(["CounterRows | 2"], await LinesAsync("select name, version from sx_projection_version"));

        await RaiseAsync("a", 10);
        await Assert.ThrowsAsync<ProjectionSupersededException>(async () => await old.CatchUpAsync());
        await Assert.ThrowsAsync<ProjectionSupersededException>(async () => await Daemon(new CounterRows()).CatchUpAsync());
        await Daemon(new CounterRows(version: 2)).CatchUpAsync();
        Assert.Equal(["acme | a | 26 | 3"], await LinesAsync(Rows));
    }

    [Fact]
    public async Task Of_two_daemons_one_owns_a_projection_and_the_other_takes_over()
    {
        var (first, second) = (Daemon(new CounterRows()), Daemon(new CounterRows()));
        using var stopFirst = new CancellationTokenSource();
        using var stopSecond = new CancellationTokenSource();
        var firstLoop = first.RunAsync(stopFirst.Token);
        await first.WaitForAsync("CounterRows", await RaiseAsync("a", 1), Patience);
        await Assert.ThrowsAsync<ProjectionOwnedElsewhereException>(async () => await second.CatchUpAsync());
        await Assert.ThrowsAsync<ProjectionOwnedElsewhereException>(async () => await second.RebuildAsync("CounterRows"));

        var secondLoop = second.RunAsync(stopSecond.Token);
        await stopFirst.CancelAsync();
        await firstLoop.WaitAsync(Patience);
        await second.WaitForAsync("CounterRows", await RaiseAsync("a", 2), Patience);
        await stopSecond.CancelAsync();
        await secondLoop.WaitAsync(Patience);
        Assert.Equal(["acme | a | 3 | 2"], await LinesAsync(Rows));
    }

    [Fact]
    public async Task Documents_follow_their_streams_and_survive_a_rebuild_byte_for_byte()
    {
        const string documents = "select tenant_id, id, data::text, mt_last_modified, mt_dotnet_type, mt_version from mt_doc_counterview order by 1, 2";
        var store = _postgres.Store;
        await store.AppendToStreamAsync("acme", "a", ExpectedVersion.NoStream, [EventData.Of(new CounterOpened("çay")), Facts.Raised(3)]);
        await store.AppendToStreamAsync("other", "a", ExpectedVersion.NoStream, [Facts.Raised(4), EventData.Of(new NoteTaken("not wanted"))]);
        await store.AppendToStreamAsync("acme", "deleted", ExpectedVersion.NoStream, [Facts.Raised(4), Facts.Raised(-1)]);
        var daemon = Daemon(new CounterViews());
        await daemon.CatchUpAsync();
        await store.AppendToStreamAsync("acme", "a", ExpectedVersion.Any, [Facts.Raised(5)]);
        await daemon.CatchUpAsync();
        var live = await LinesAsync(documents);
        await daemon.RebuildAsync("CounterView");

        Assert.Equal(live, await LinesAsync(documents));
        Assert.Equal(
            ["""acme | a | {"Name": "çay", "Total": 8} | 3""", """other | a | {"Name": "?", "Total": 4} | 1"""],
            await LinesAsync("select tenant_id, id, data::text, mt_version from mt_doc_counterview order by 1, 2"));

        var inMemory = new InMemoryDocuments<CounterView>(new CounterViews(), store);
        await inMemory.CatchUpAsync();
        Assert.Equal(new CounterView("çay", 8), Assert.Single(inMemory.All("acme")));
        Assert.Equal(new CounterView("?", 4), inMemory.Load("other", "a"));
    }

    [Fact]
    public void Names_and_tables_belong_to_one_projection()
    {
        Assert.Throws<ArgumentException>(() => Daemon(new CounterRows(), new CounterRows("Other")));
        Assert.Throws<ArgumentException>(() => Daemon(new CounterViews(), new CounterViews()));
    }

    private sealed class Heard(List<RebuildProgress> heard) : IProgress<RebuildProgress>
    {
        public void Report(RebuildProgress value) => heard.Add(value);
    }

    /// <summary>Writes its rows and dies before the commit.</summary>
    private sealed class CrashingRows : ITableProjection
    {
        private readonly CounterRows _rows = new();

        public string Name => _rows.Name;

        public int Version => _rows.Version;

        public IReadOnlyList<string> Tables => _rows.Tables;

        public string SchemaSql(string suffix) => _rows.SchemaSql(suffix);

        public async ValueTask ApplyAsync(IProjectionWriter writer, IReadOnlyList<RecordedEvent> batch, CancellationToken ct)
        {
            await _rows.ApplyAsync(writer, batch, ct);
            await writer.QueryAsync("select 1", row => row.GetInt32(0), ct);
            throw new IOException("the process died");
        }
    }
}
