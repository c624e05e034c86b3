using Npgsql;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Xunit;

namespace Sentiric.EventStore.Tests.Projections;

/// <summary>What operators tell projections holds on all hosts and over restarts.</summary>
public sealed class OperatingTests : IAsyncLifetime
{
    private const string Rows = "select id, total, last_position from counter_row order by 1";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly PostgresFixture _postgres = new();

    private ProjectionManager Manager => new(_postgres.Source, _postgres.Store, TimeProvider.System);

    private static readonly ProjectionOptions Options = new()
    {
        BatchSize = 4,
        RetryDelay = TimeSpan.FromMilliseconds(1),
        OwnershipInterval = TimeSpan.FromMilliseconds(30),
        PollInterval = TimeSpan.FromMilliseconds(200),
    };

    public Task InitializeAsync() => _postgres.InitializeAsync();

    public Task DisposeAsync() => _postgres.DisposeAsync();

    private ProjectionDaemon Daemon(ProjectionOptions? options = null, params ITableProjection[] projections) =>
        new(_postgres.Source, _postgres.Store, projections.Length > 0 ? projections : [new CounterRows()], TimeProvider.System, options ?? Options);

    private async Task<long> RaiseAsync(string stream, params int[] amounts) =>
        (await _postgres.Store.AppendToStreamAsync("acme", stream, ExpectedVersion.Any, [.. amounts.Select(by => Facts.Raised(by))])).LastPosition;

    private async Task<ProjectionStatus> UntilAsync(string name, Func<ProjectionStatus, bool> isSo)
    {
        var last = default(ProjectionStatus);
        using var patience = new CancellationTokenSource(Patience);
        while (!patience.IsCancellationRequested)
        {
            last = await Manager.FindAsync(name);
            if (isSo(last)) return last;
            // The database does the waiting.
            await _postgres.ExecuteAsync("select pg_sleep(0.02)");
        }
        throw new TimeoutException($"The status did not come about; last it was {last}.");
    }

    [Fact]
    public async Task Living_rows_go_on_when_the_lock_is_lost_beside_a_rebuild()
    {
        var first = await RaiseAsync("a", 1);
        var rows = new SlowToRebuild();
        var daemon = Daemon(null, rows);
        using var stop = new CancellationTokenSource();
        var running = daemon.RunAsync(stop.Token);
        await daemon.WaitForAsync("CounterRows", first, Patience);
        var rebuild = daemon.RebuildAsync("CounterRows").AsTask();
        await rows.Begun.WaitAsync(Patience);
        await _postgres.ExecuteAsync("""
            select pg_terminate_backend(pid) from pg_locks
            where locktype = 'advisory' and objsubid = 1 and granted and database = (select oid from pg_database where datname = current_database())
            """);

        await daemon.WaitForAsync("CounterRows", await RaiseAsync("a", 2), Patience);
        Assert.False(rebuild.IsCompleted);
        rows.GoOn();
        await Assert.ThrowsAsync<ProjectionOwnedElsewhereException>(() => rebuild.WaitAsync(Patience));
        await daemon.RebuildAsync("CounterRows").AsTask().WaitAsync(Patience);
        var last = await RaiseAsync("a", 4);
        await daemon.WaitForAsync("CounterRows", last, Patience);
        await stop.CancelAsync();
        await running.WaitAsync(Patience);
        Assert.Equal([$"a | 7 | {last}"], await _postgres.LinesAsync(Rows));
    }

    /// <summary>A rebuild of it waits at its first batch.</summary>
    private sealed class SlowToRebuild : ITableProjection
    {
        private readonly CounterRows _rows = new();
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _mayGoOn = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Begun => _begun.Task;

        public string Name => _rows.Name;

        public int Version => _rows.Version;

        public IReadOnlyList<string> Tables => _rows.Tables;

        public void GoOn() => _mayGoOn.SetResult();

        public string SchemaSql(string suffix) => _rows.SchemaSql(suffix);

        public async ValueTask ApplyAsync(IProjectionWriter writer, IReadOnlyList<RecordedEvent> batch, CancellationToken ct)
        {
            if (writer.Table(Tables[0]) != Tables[0])
            {
                _begun.TrySetResult();
                await _mayGoOn.Task;
            }
            await _rows.ApplyAsync(writer, batch, ct);
        }
    }

    [Fact]
    public async Task A_paused_projection_stays_where_it_is_on_every_host_until_it_is_resumed()
    {
        var first = await RaiseAsync("a", 1);
        await Daemon().CatchUpAsync();
        await Manager.PauseAsync("CounterRows", "the reports look odd", "ayşe");
        await Manager.PauseAsync("CounterRows", "a second note");
        var last = await RaiseAsync("a", 2);
        await Daemon().CatchUpAsync();

        using var stop = new CancellationTokenSource();
        var daemon = Daemon();
        var running = daemon.RunAsync(stop.Token);
        var status = await UntilAsync("CounterRows", s => s.State == ProjectionState.Paused && s.HighWaterMark == last);
        Assert.Equal((first, last - first, "the reports look odd", "ayşe"), (status.Position, status.Lag, status.Pause?.Reason, status.Pause?.By));
        Assert.True(status.Behind > TimeSpan.Zero);
        Assert.Equal([$"a | 1 | {first}"], await _postgres.LinesAsync(Rows));

        await Manager.ResumeAsync("CounterRows");
        await daemon.WaitForAsync("CounterRows", last, Patience);
        Assert.Equal([$"a | 3 | {last}"], await _postgres.LinesAsync(Rows));
        await stop.CancelAsync();
        await running.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_running_projection_stops_when_it_is_paused_and_says_who_ran_it()
    {
        using var stop = new CancellationTokenSource();
        var daemon = Daemon(Options with { HostName = "host-1" });
        var running = daemon.RunAsync(stop.Token);
        var first = await RaiseAsync("a", 1);
        await daemon.WaitForAsync("CounterRows", first, Patience);
        var serving = await UntilAsync("CounterRows", s => s is { State: ProjectionState.Running, Owner: "host-1" } && s.Position == first);
        Assert.Equal((0L, TimeSpan.Zero), (serving.Lag, serving.Behind));

        await Manager.PauseAsync("CounterRows");
        await UntilAsync("CounterRows", _ => daemon.Status[0].State == ProjectionState.Paused);
        var last = await RaiseAsync("a", 2);
        await Daemon().CatchUpAsync();
        Assert.Equal([$"a | 1 | {first}"], await _postgres.LinesAsync(Rows));
        await Manager.ResumeAsync("CounterRows");
        await daemon.WaitForAsync("CounterRows", last, Patience);
        await stop.CancelAsync();
        await running.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_skipped_event_is_left_out_untried_and_is_on_the_list()
    {
        var daemon = Daemon();
        var first = await RaiseAsync("a", 1);
        await daemon.CatchUpAsync();
        var last = await RaiseAsync("a", 10, 100);
        await Manager.SkipAsync("CounterRows", first + 1, "doubled by mistake", "ayşe");
        await daemon.CatchUpAsync();

        Assert.Equal([$"a | 101 | {last}"], await _postgres.LinesAsync(Rows));
        Assert.Equal((first + 1, "Skipped"), (await Manager.ListParkedAsync("CounterRows")).Select(p => (p.Position, p.ErrorType)).Single());
        await Assert.ThrowsAsync<EventAlreadyPassedException>(async () => await Manager.SkipAsync("CounterRows", first));
        await Assert.ThrowsAsync<UnknownProjectionException>(async () => await Manager.SkipAsync("Nobody", 1));
    }

    [Fact]
    public async Task A_projection_that_is_to_stop_stops_in_front_of_the_event_and_goes_on_when_it_is_skipped()
    {
        using var stop = new CancellationTokenSource();
        var daemon = Daemon(Options with { OnError = ErrorPolicy.Stop });
        var running = daemon.RunAsync(stop.Token);
        var poison = await RaiseAsync("a", 1, 2, -100);
        var last = await RaiseAsync("a", 4, 8);
        var status = await UntilAsync("CounterRows", s => s.State == ProjectionState.Paused);
        Assert.Equal(poison - 1, status.Position);
        Assert.Contains($"stopped at event {poison}", status.Pause?.Reason);
        Assert.Equal([$"a | 3 | {poison - 1}"], await _postgres.LinesAsync(Rows));
        Assert.Empty(await Manager.ListParkedAsync("CounterRows"));

        await Manager.SkipAsync("CounterRows", poison);
        await Manager.ResumeAsync("CounterRows");
        await daemon.WaitForAsync("CounterRows", last, Patience);
        Assert.Equal([$"a | 15 | {last}"], await _postgres.LinesAsync(Rows));
        Assert.Equal(poison, (await Manager.ListParkedAsync("CounterRows")).Single().Position);
        await stop.CancelAsync();
        await running.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_parked_event_is_tried_again_by_the_owner()
    {
        var sums = new MoodySums { IsMoody = true };
        using var stop = new CancellationTokenSource();
        var daemon = Daemon(null, sums);
        var running = daemon.RunAsync(stop.Token);
        var parked = await RaiseAsync("a", 1, 13);
        var last = await RaiseAsync("a", 500);
        await daemon.WaitForAsync("MoodySums", last, Patience);
        const string rows = "select id, total from moody_sum";
        Assert.Equal(["a | 501"], await _postgres.LinesAsync(rows));

        Assert.Equal(RetryOutcome.NotParked, (await Manager.RetryParkedAsync("MoodySums", last)).Outcome);
        Assert.Equal(new RetryResult(RetryOutcome.FailedAgain, "not today"), await Manager.RetryParkedAsync("MoodySums", parked, Patience));
        Assert.Single(await Manager.ListParkedAsync("MoodySums"));
        sums.IsMoody = false;
        Assert.Equal(new RetryResult(RetryOutcome.Applied), await Manager.RetryParkedAsync("MoodySums", parked, Patience));
        Assert.Empty(await Manager.ListParkedAsync("MoodySums"));
        Assert.Equal(["a | 514"], await _postgres.LinesAsync(rows));

        sums.IsMoody = true;
        var again = await RaiseAsync("a", 13);
        await daemon.WaitForAsync("MoodySums", again, Patience);
        Assert.True(await Manager.DiscardParkedAsync("MoodySums", again));
        Assert.False(await Manager.DiscardParkedAsync("MoodySums", again));
        await stop.CancelAsync();
        await running.WaitAsync(Patience);
        Assert.Equal((ProjectionState.Stopped, again), ((await Manager.FindAsync("MoodySums")).State, (await Manager.FindAsync("MoodySums")).Position));
    }

    [Fact]
    public async Task The_document_of_a_retried_event_is_folded_anew_in_order()
    {
        var views = new MoodyViews { IsMoody = true };
        using var stop = new CancellationTokenSource();
        var daemon = Daemon(null, views);
        var running = daemon.RunAsync(stop.Token);
        var parked = await RaiseAsync("a", 1, 13);
        var last = await RaiseAsync("a", 2);
        await daemon.WaitForAsync("MoodyView", last, Patience);
        const string documents = "select data ->> 'Name', mt_version from mt_doc_moodyview";
        Assert.Equal([" 1 2 | 3"], await _postgres.LinesAsync(documents));

        views.IsMoody = false;
        Assert.Equal(RetryOutcome.Applied, (await Manager.RetryParkedAsync("MoodyView", parked, Patience)).Outcome);
        Assert.Equal([" 1 13 2 | 3"], await _postgres.LinesAsync(documents));
        await daemon.WaitForAsync("MoodyView", await RaiseAsync("a", 3), Patience);
        Assert.Equal([" 1 13 2 3 | 4"], await _postgres.LinesAsync(documents));
        await stop.CancelAsync();
        await running.WaitAsync(Patience);
    }

    [Fact]
    public async Task An_order_that_nobody_carries_out_says_so()
    {
        var poison = await RaiseAsync("a", -1);
        await Daemon().CatchUpAsync();
        Assert.Equal(RetryOutcome.NobodyAnswered, (await Manager.RetryParkedAsync("CounterRows", poison, TimeSpan.FromMilliseconds(150))).Outcome);
    }

    [Fact]
    public async Task Hosts_share_the_projections_and_one_that_dies_leaves_its_share_to_the_others()
    {
        ITableProjection[] six() => [.. Enumerable.Range(1, 6).Select(n => new NamedViews("Shared" + n))];
        var connection = new NpgsqlConnectionStringBuilder(_postgres.ConnectionString) { ApplicationName = "dying" };
        await using var mortal = NpgsqlDataSource.Create(connection.ConnectionString);
        await using var mortalStore = new PostgresEventStore(mortal, Facts.Serializer, TimeProvider.System);
        using var stop = new CancellationTokenSource();
        using var stopMortal = new CancellationTokenSource();
        var one = Daemon(Options with { HostName = "one" }, six());
        var two = new ProjectionDaemon(mortal, mortalStore, six(), TimeProvider.System, Options with { HostName = "two" });
        var oneRuns = one.RunAsync(stop.Token);
        await one.WaitForAsync("Shared6", await RaiseAsync("a", 1), Patience);
        var twoRuns = two.RunAsync(stopMortal.Token);

        await UntilSharesAsync(3, 3);
        await stopMortal.CancelAsync();
        await _postgres.ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'dying' and datname = current_database()");
        await UntilSharesAsync(6, 0);
        var last = await RaiseAsync("a", 2);
        for (var n = 1; n <= 6; n++) await one.WaitForAsync("Shared" + n, last, Patience);
        for (var n = 1; n <= 6; n++) Assert.Equal(["3"], await _postgres.LinesAsync($"select data ->> 'Total' from mt_doc_shared{n}"));
        await stop.CancelAsync();
        await oneRuns.WaitAsync(Patience);
        await twoRuns.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_host_that_lives_and_does_nothing_keeps_no_projection_from_running()
    {
        ITableProjection[] two = [new NamedViews("Idle1"), new NamedViews("Idle2")];
        await using var lazy = await _postgres.Source.OpenConnectionAsync();
        await using (var shows = new NpgsqlCommand($"select pg_advisory_lock_shared({ShardWatch.HouseOf("public", two.Select(p => ShardName.Of(p.Name)))}, 1)", lazy))
            await shows.ExecuteNonQueryAsync();
        using var stop = new CancellationTokenSource();
        var daemon = Daemon(Options with { HostName = "one" }, two);
        var running = daemon.RunAsync(stop.Token);
        for (var round = 1; round <= 3; round++)
        {
            var last = await RaiseAsync("a", round);
            await daemon.WaitForAsync("Idle1", last, Patience);
            await daemon.WaitForAsync("Idle2", last, Patience);
        }
        await stop.CancelAsync();
        await running.WaitAsync(Patience);
        await UntilNoLockAsync(besides: lazy.ProcessID);
    }

    // A backend whose connection was closed under it lets go of its locks when it notices, not when we close.
    private async Task UntilNoLockAsync(int besides)
    {
        var sql = $"select pid, classid, objid from pg_locks where locktype = 'advisory' and granted and pid <> {besides} and database = (select oid from pg_database where datname = current_database())";
        IReadOnlyList<string> held = [];
        using var patience = new CancellationTokenSource(Patience);
        while (!patience.IsCancellationRequested)
        {
            held = await _postgres.LinesAsync(sql);
            if (held.Count == 0) return;
            await _postgres.ExecuteAsync("select pg_sleep(0.02)");
        }
        throw new TimeoutException($"Advisory locks outlived their owners: {string.Join(", ", held)}.");
    }

    private async Task UntilSharesAsync(int ofOne, int ofTwo)
    {
        IReadOnlyList<ProjectionStatus> all = [];
        int Of(string host) => all.Count(s => s.Owner == host);
        using var patience = new CancellationTokenSource(Patience);
        while (!patience.IsCancellationRequested)
        {
            all = await Manager.ListAsync();
            if (Of("one") == ofOne && Of("two") == ofTwo) return;
            await _postgres.ExecuteAsync("select pg_sleep(0.02)");
        }
        throw new TimeoutException($"The shares did not become {ofOne} and {ofTwo}: {string.Join(", ", all.Select(s => $"{s.Name} {s.State} {s.Owner}"))}.");
    }

    /// <summary>Refuses 13 while it is moody; the name remembers the order of what came.</summary>
    private sealed class MoodyViews() : SingleStreamProjection<CounterView>("MoodyView", ViewsJson.Default.CounterView)
    {
        public bool IsMoody { get; set; }

        public override CounterView? Evolve(CounterView? document, RecordedEvent recorded, object @event) => @event switch
        {
            CounterRaised { By: 13 } when IsMoody => throw new FormatException("not today"),
            CounterRaised raised => new CounterView($"{document?.Name} {raised.By}", raised.By),
            _ => document,
        };
    }

    private sealed class MoodySums : EventProjection
    {
        public bool IsMoody { get; set; }

        public override IReadOnlyList<string> Tables { get; } = ["moody_sum"];

        public override string SchemaSql(string suffix) => $"create table if not exists moody_sum{suffix} (id text, total int not null, constraint pkey_moody_sum{suffix} primary key (id));";

        public override void Apply(IProjectionWriter writer, RecordedEvent recorded, object @event)
        {
            if (@event is CounterRaised { By: 13 } && IsMoody) throw new FormatException("not today");
            if (@event is not CounterRaised raised) return;
            writer.Execute(
                $"insert into {writer.Table("moody_sum")} as m (id, total) values ($1, $2) on conflict (id) do update set total = m.total + excluded.total",
                recorded.StreamId, raised.By);
        }
    }

    private sealed class NamedViews(string name) : SingleStreamProjection<CounterView>(name, ViewsJson.Default.CounterView)
    {
        public override CounterView? Evolve(CounterView? document, RecordedEvent recorded, object @event) =>
            @event is CounterRaised raised ? new CounterView("?", (document?.Total ?? 0) + raised.By) : document;
    }
}
