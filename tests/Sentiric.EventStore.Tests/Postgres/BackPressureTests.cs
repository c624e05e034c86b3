using Sentiric.EventStore.Tests.Contract;
using Sentiric.Testing;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>What happens to those who append while others do: they share commits, wait for room, may give up, and are told when there is nothing to wait for.</summary>
public sealed class BackPressureTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly PostgresEventStoreOptions Patient = new() { AppendLockTimeout = TimeSpan.FromSeconds(30) };
    private readonly string _tenant = "b-" + Guid.NewGuid().ToString("N")[..8];

    [Fact]
    public async Task Appends_that_wait_share_one_commit_and_keep_the_order_of_their_stream()
    {
        await using var store = postgres.NewStore(Patient with { MaxAppendLanes = 1 });
        await using var row = await RowLock.TakeAsync(postgres, _tenant, "blocked");
        var first = Append(store, "blocked", 1);
        await row.IsWaitedForAsync(postgres);
        var hot = Enumerable.Range(1, 40).Select(i => Append(store, "hot", 1 + i % 3)).ToList();
        var cool = Enumerable.Range(1, 40).Select(i => Append(store, $"cool-{i}", 1)).ToList();
        await row.DisposeAsync();

        var answers = await Task.WhenAll(hot).WaitAsync(Patience);
        await Task.WhenAll(cool.Append(first)).WaitAsync(Patience);
        var read = await store.ReadStreamAsync(_tenant, "hot").ToListAsync();
        Assert.Equal(read.Select(e => e.Position), answers.SelectMany(a => a.Positions));
        Assert.Equal(answers.Select(a => a.Version), answers.Select(a => read.Single(e => e.Position == a.LastPosition).Version));
        Assert.Equal(["1"], await postgres.LinesAsync($"select count(distinct xmin::text) from mt_events where tenant_id = '{_tenant}' and stream_id <> 'blocked'"));
    }

    [Fact]
    public async Task Where_many_wait_the_lanes_share_them_and_each_stream_keeps_its_order()
    {
        await using var store = postgres.NewStore(Patient with { MaxAppendLanes = 2 });
        await using var row = await RowLock.TakeAsync(postgres, _tenant, "blocked");
        var first = Append(store, "blocked", 1);
        await row.IsWaitedForAsync(postgres);
        var many = Enumerable.Range(1, 200).Select(i => Append(store, $"many-{i % 20}", 1 + i % 3)).ToList();
        // The second lane serves them although the first is kept waiting by somebody else's lock.
        var answers = await Task.WhenAll(many).WaitAsync(Patience);
        Assert.False(first.IsCompleted);
        await row.DisposeAsync();
        await first.WaitAsync(Patience);

        foreach (var stream in answers.GroupBy(a => a.StreamId))
        {
            var read = await store.ReadStreamAsync(_tenant, stream.Key).ToListAsync();
            Assert.Equal(read.Select(e => e.Position), stream.SelectMany(a => a.Positions));
        }
    }

    [Fact]
    public async Task A_wrong_belief_among_those_that_share_a_stream_refuses_only_itself()
    {
        await using var store = postgres.NewStore(Patient);
        await using var row = await RowLock.TakeAsync(postgres, _tenant, "blocked");
        var first = Append(store, "blocked", 1);
        await row.IsWaitedForAsync(postgres);
        Task<AppendResult> Believe(ExpectedVersion expected, int events) => store.AppendToStreamAsync(_tenant, "s", expected, Facts.Raised(events, 1)).AsTask();
        var started = Believe(ExpectedVersion.NoStream, 2);
        var wrong = Believe(ExpectedVersion.Exact(7), 1);
        var right = Believe(ExpectedVersion.Exact(2), 3);
        var again = Believe(ExpectedVersion.NoStream, 1);
        var any = Believe(ExpectedVersion.Any, 1);
        await row.DisposeAsync();

        Assert.Equal([2L, 5L, 6L], (await Task.WhenAll(started, right, any).WaitAsync(Patience)).Select(r => r.Version));
        await Assert.ThrowsAsync<WrongExpectedVersionException>(() => wrong);
        await Assert.ThrowsAsync<WrongExpectedVersionException>(() => again);
        await first.WaitAsync(Patience);
    }

    [Fact]
    public async Task Beyond_the_bound_writers_wait_for_room_and_are_refused_when_it_takes_too_long()
    {
        var time = new ManualTime(TimeProvider.System.GetUtcNow());
        await using var store = new PostgresEventStore(postgres.Source, Facts.Serializer, time, Patient with { MaxWaitingAppends = 2, MaxAppendWait = TimeSpan.FromMinutes(1) });
        await using var row = await RowLock.TakeAsync(postgres, _tenant, "blocked");
        var first = Append(store, "blocked", 1);
        await row.IsWaitedForAsync(postgres);
        var waiting = new[] { Append(store, "a", 1), Append(store, "b", 1) };
        var late = Append(store, "c", 1);
        Assert.DoesNotContain(true, waiting.Append(late).Select(t => t.IsCompleted));

        time.Advance(TimeSpan.FromSeconds(50));
        var latest = Append(store, "d", 1);
        time.Advance(TimeSpan.FromSeconds(11));
        Assert.Contains("MaxAppendWait", (await Assert.ThrowsAsync<EventStoreBusyException>(() => late.WaitAsync(Patience))).Message);
        await row.DisposeAsync();

        // Who got his room before the minute was over is served; who waited for his turn longer than that is not.
        foreach (var refused in waiting) await Assert.ThrowsAsync<EventStoreBusyException>(() => refused.WaitAsync(Patience));
        Assert.Equal(1, (await latest.WaitAsync(Patience)).Version);
        Assert.Equal(1, (await first.WaitAsync(Patience)).Version);
        Assert.Null(await store.GetStreamStateAsync(_tenant, "c"));
    }

    [Fact]
    public async Task Who_waits_may_give_up_and_nothing_is_stored()
    {
        await using var store = postgres.NewStore(Patient with { MaxWaitingAppends = 1 });
        await using var row = await RowLock.TakeAsync(postgres, _tenant, "blocked");
        using var enough = new CancellationTokenSource();
        var underWay = store.AppendToStreamAsync(_tenant, "blocked", ExpectedVersion.Any, [Facts.Raised(1)], ct: enough.Token).AsTask();
        await row.IsWaitedForAsync(postgres);
        var queued = store.AppendToStreamAsync(_tenant, "queued", ExpectedVersion.Any, [Facts.Raised(1)], ct: enough.Token).AsTask();
        var outside = store.AppendToStreamAsync(_tenant, "outside", ExpectedVersion.Any, [Facts.Raised(1)], ct: enough.Token).AsTask();
        await enough.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queued.WaitAsync(Patience));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => outside.WaitAsync(Patience));
        Assert.False(underWay.IsCompleted);
        await row.DisposeAsync();
        // What is under way is carried through: a cancelled append was not stored, and one that was stored is not called cancelled.
        Assert.Equal(1, (await underWay.WaitAsync(Patience)).Version);
        Assert.Equal(1, (await Append(store, "queued", 1)).Version);
        Assert.Null(await store.GetStreamStateAsync(_tenant, "outside"));
    }

    [Fact]
    public async Task A_store_that_closes_writes_what_waits_and_refuses_what_comes()
    {
        var store = postgres.NewStore(Patient with { MaxWaitingAppends = 2 });
        await using var row = await RowLock.TakeAsync(postgres, _tenant, "blocked");
        var first = Append(store, "blocked", 1);
        await row.IsWaitedForAsync(postgres);
        var waiting = new[] { Append(store, "a", 1), Append(store, "b", 1) };
        var outside = Append(store, "c", 1);
        var closing = store.DisposeAsync().AsTask();
        await Assert.ThrowsAsync<EventStoreClosedException>(() => Append(store, "d", 1));
        Assert.False(closing.IsCompleted);
        await row.DisposeAsync();

        Assert.All(await Task.WhenAll(waiting.Append(first)).WaitAsync(Patience), r => Assert.Equal(1, r.Version));
        await Assert.ThrowsAsync<EventStoreClosedException>(() => outside.WaitAsync(Patience));
        await closing.WaitAsync(Patience);
        await store.DisposeAsync();
    }

    [Fact]
    public async Task A_store_that_closes_lets_go_of_those_who_wait_for_a_kept_stream()
    {
        var store = postgres.NewStore();
        await using var kept = await store.LockStreamAsync(_tenant, "kept");
        var waiting = Append(store, "kept", 1);
        await store.DisposeAsync().AsTask().WaitAsync(Patience);
        await Assert.ThrowsAsync<EventStoreClosedException>(() => waiting.WaitAsync(Patience));
    }

    [Fact]
    public async Task Who_waits_too_long_for_a_kept_stream_is_told_although_nobody_writes()
    {
        var time = new ManualTime(TimeProvider.System.GetUtcNow());
        await using var store = new PostgresEventStore(postgres.Source, Facts.Serializer, time, Patient with { MaxAppendWait = TimeSpan.FromMinutes(1) });
        await using var kept = await store.LockStreamAsync(_tenant, "kept");
        var append = Append(store, "kept", 1);
        time.Advance(TimeSpan.FromSeconds(40));
        var keeper = store.LockStreamAsync(_tenant, "kept").AsTask();
        Assert.False(append.IsCompleted);

        time.Advance(TimeSpan.FromSeconds(21));
        Assert.Equal("kept", (await Assert.ThrowsAsync<StreamLockedException>(() => append.WaitAsync(Patience))).StreamId);
        Assert.False(keeper.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(40));
        await Assert.ThrowsAsync<StreamLockedException>(() => keeper.WaitAsync(Patience));

        Assert.Equal(1, (await kept.AppendAsync([Facts.Raised(1)])).Version);
        Assert.Equal(2, (await Append(store, "kept", 1).WaitAsync(Patience)).Version);
    }

    [Fact]
    public async Task Headers_are_stored_as_they_were_checked_although_they_change_while_the_append_waits()
    {
        await using var store = postgres.NewStore(Patient with { MaxAppendLanes = 1 });
        await using var row = await RowLock.TakeAsync(postgres, _tenant, "blocked");
        var first = Append(store, "blocked", 1);
        await row.IsWaitedForAsync(postgres);
        var headers = new Dictionary<string, string> { ["via"] = "phone" };
        var mine = store.AppendToStreamAsync(_tenant, "mine", ExpectedVersion.Any, [EventData.Of(new CounterRaised(1), new EventMetadata(Headers: headers))]).AsTask();
        headers["via"] = "half a pair: \ud83d";
        await row.DisposeAsync();

        Assert.Equal([1L, 1L], (await Task.WhenAll(first, mine).WaitAsync(Patience)).Select(r => r.Version));
        Assert.Equal("phone", (await store.ReadStreamAsync(_tenant, "mine").SingleAsync()).Metadata.Headers?["via"]);
    }

    [Fact]
    public async Task Those_that_share_a_locked_stream_wait_for_its_lock_together()
    {
        await using var store = postgres.NewStore(Patient with { AppendLockTimeout = TimeSpan.FromMilliseconds(200), MaxAppendLanes = 1 });
        await using var row = await RowLock.TakeAsync(postgres, _tenant, "blocked");
        var first = Append(store, "blocked", 1);
        await row.IsWaitedForAsync(postgres);
        var waiting = Enumerable.Range(0, 5).Select(_ => Append(store, "blocked", 1)).ToList();
        var neighbour = Append(store, "free", 1);

        await Assert.ThrowsAsync<StreamLockedException>(() => first.WaitAsync(Patience));
        var refusals = new List<Exception>();
        foreach (var append in waiting) refusals.Add(await Assert.ThrowsAsync<StreamLockedException>(() => append.WaitAsync(Patience)));
        Assert.Single(refusals.Distinct());
        Assert.Equal(1, (await neighbour.WaitAsync(Patience)).Version);
    }

    [Fact]
    public async Task Large_appends_go_side_by_side_and_each_is_whole()
    {
        await using var store = postgres.NewStore();
        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => Append(store, $"large-{i % 6}", 150)));
        foreach (var stream in answers.GroupBy(a => a.StreamId))
        {
            var read = await store.ReadStreamAsync(_tenant, stream.Key).ToListAsync();
            Assert.Equal(Enumerable.Range(1, 1_500).Select(v => (long)v), read.Select(e => e.Version));
            Assert.Equal(read.Select(e => e.Position), stream.OrderBy(a => a.Version).SelectMany(a => a.Positions));
        }
    }

    [Theory]
    [InlineData(0, 1, 30)]
    [InlineData(17, 1, 30)]
    [InlineData(3, 0, 30)]
    [InlineData(3, 1, 0)]
    public void A_wrong_setting_stops_the_start(int lanes, int waiting, int seconds)
    {
        var wrong = new PostgresEventStoreOptions { MaxAppendLanes = lanes, MaxWaitingAppends = waiting, AppendTimeout = TimeSpan.FromSeconds(seconds) };
        Assert.Throws<ArgumentOutOfRangeException>(() => postgres.NewStore(wrong));
    }

    private Task<AppendResult> Append(PostgresEventStore store, string stream, int events) =>
        store.AppendToStreamAsync(_tenant, stream, ExpectedVersion.Any, Facts.Raised(events, 1)).AsTask();
}
