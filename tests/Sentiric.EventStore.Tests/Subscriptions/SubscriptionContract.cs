using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Postgres;
using Xunit;

namespace Sentiric.EventStore.Tests.Subscriptions;

/// <summary>What a subscription promises over every store.</summary>
public abstract class SubscriptionContract
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private string Tenant { get; } = "t-" + Guid.NewGuid().ToString("N")[..8];

    protected abstract IEventStore Store { get; }

    protected abstract ICheckpointStore Checkpoints { get; }

    private string Name { get; } = "sub-" + Guid.NewGuid().ToString("N")[..8];

    private SubscriptionOptions Options => new(Name)
    {
        BatchSize = 3,
        RetryDelay = TimeSpan.FromMilliseconds(1),
        MaxRetryDelay = TimeSpan.FromMilliseconds(5),
        OwnershipInterval = TimeSpan.FromMilliseconds(20),
    };

    private SubscriptionRunner Runner(Action<RecordedEvent> handle, SubscriptionOptions? options = null) => new(
        Store, Checkpoints, options ?? Options,
        (batch, _) =>
        {
            foreach (var recorded in batch.Where(e => e.Tenant == Tenant)) handle(recorded);
            return ValueTask.CompletedTask;
        },
        TimeProvider.System);

    private async Task<IReadOnlyList<long>> AppendAsync(params int[] amounts) =>
        (await Store.AppendToStreamAsync(Tenant, "s", ExpectedVersion.Any, [.. amounts.Select(by => Facts.Raised(by))])).Positions;

    private int AmountOf(RecordedEvent recorded) => ((CounterRaised)Store.Serializer.Deserialize(recorded)).By;

    [Fact]
    public async Task Events_come_in_order_and_only_once_while_nothing_breaks()
    {
        var seen = new List<int>();
        var runner = Runner(e => seen.Add(AmountOf(e)));
        await AppendAsync(1, 2, 3, 4);
        await runner.CatchUpAsync();
        var last = (await AppendAsync(5))[^1];

        Assert.True(await runner.CatchUpAsync() >= last);
        Assert.Equal([1, 2, 3, 4, 5], seen);
        Assert.Equal(0, runner.Status.Lag);
        Assert.True(await Checkpoints.LoadAsync(ShardName.Of(Name)) >= last);
    }

    [Fact]
    public async Task A_new_runner_goes_on_where_the_last_one_stopped()
    {
        var seen = new List<int>();
        await AppendAsync(1, 2);
        await Runner(e => seen.Add(AmountOf(e))).CatchUpAsync();
        await AppendAsync(3);
        await Runner(e => seen.Add(AmountOf(e))).CatchUpAsync();

        Assert.Equal([1, 2, 3], seen);
    }

    [Fact]
    public async Task A_crash_between_handling_and_remembering_repeats_the_batch()
    {
        await AppendAsync(1, 2);
        var seen = new List<int>();
        var dying = new DyingCheckpoints(Checkpoints);
        var crashed = new SubscriptionRunner(Store, dying, Options, (batch, _) =>
        {
            seen.AddRange(batch.Where(e => e.Tenant == Tenant).Select(AmountOf));
            dying.IsDead = seen.Count > 0;
            return ValueTask.CompletedTask;
        }, TimeProvider.System);
        await Assert.ThrowsAsync<IOException>(async () => await crashed.CatchUpAsync());
        var seenBeforeTheCrash = seen.Count;
        await Runner(e => seen.Add(AmountOf(e))).CatchUpAsync();

        Assert.True(seenBeforeTheCrash > 0);
        Assert.Equal([1, 2], seen[seenBeforeTheCrash..].TakeLast(2));
        Assert.Equal(seen[..seenBeforeTheCrash], seen.Skip(seenBeforeTheCrash).Take(seenBeforeTheCrash));
    }

    [Fact]
    public async Task A_poisonous_event_is_parked_and_the_others_are_handled()
    {
        var positions = await AppendAsync(1, 666, 3, 4);
        var handled = new List<int>();
        var attempts = 0;
        var runner = Runner(e =>
        {
            var amount = AmountOf(e);
            if (amount == 666)
            {
                attempts++;
                throw new FormatException("cannot stomach 666");
            }
            handled.Add(amount);
        });
        await runner.CatchUpAsync();
        var parked = Assert.Single(await Checkpoints.ListParkedAsync(ShardName.Of(Name)));

        Assert.Equal([1, 3, 4], handled.Distinct());
        Assert.Equal((positions[1], Tenant, "counter_raised", nameof(FormatException), "cannot stomach 666"),
            (parked.Position, parked.Tenant, parked.EventType, parked.ErrorType, parked.ErrorMessage));
        Assert.Equal(1 + Options.MaxAttempts, attempts);
        Assert.Equal(0, runner.Status.Lag);
    }

    [Fact]
    public async Task An_unknown_event_type_is_parked()
    {
        await Store.AppendToStreamAsync(Tenant, "s", ExpectedVersion.Any, [EventData.Of(new RawFact("{}")), Facts.Raised(1)]);
        var handled = new List<int>();
        await Runner(e => handled.Add(AmountOf(e))).CatchUpAsync();

        Assert.Equal([1], handled);
        Assert.Equal(("raw_fact", nameof(UnknownEventTypeException)), (await Checkpoints.ListParkedAsync(ShardName.Of(Name))).Select(p => (p.EventType, p.ErrorType)).Single());
    }

    [Fact]
    public async Task A_failing_world_is_waited_out_and_nothing_is_parked()
    {
        await AppendAsync(1, 2);
        var handled = new List<int>();
        var failures = 0;
        await Runner(e =>
        {
            if (failures++ < 20) throw new IOException("the broker is down");
            handled.Add(AmountOf(e));
        }).CatchUpAsync();

        Assert.Equal([1, 2], handled);
        Assert.Empty(await Checkpoints.ListParkedAsync(ShardName.Of(Name)));
    }

    [Fact]
    public async Task A_subscription_may_start_now()
    {
        await AppendAsync(1);
        var seen = new List<int>();
        var runner = Runner(e => seen.Add(AmountOf(e)), Options with { StartAfter = null });
        await runner.CatchUpAsync();
        await AppendAsync(2);
        await runner.CatchUpAsync();

        Assert.Equal([2], seen);
    }

    [Fact]
    public async Task Of_two_runners_one_owns_the_shard_and_the_other_takes_over()
    {
        var seen = Channels.Of<(string By, int Amount)>();
        using var stopFirst = new CancellationTokenSource();
        using var stopSecond = new CancellationTokenSource();
        var first = Runner(e => seen.Writer.TryWrite(("first", AmountOf(e))));
        var firstLoop = first.RunAsync(stopFirst.Token);
        await AppendAsync(1);
        Assert.Equal(("first", 1), await seen.Reader.ReadAsync().AsTask().WaitAsync(Patience));

        var second = Runner(e => seen.Writer.TryWrite(("second", AmountOf(e))));
        Assert.Null(await second.CatchUpAsync());
        var secondLoop = second.RunAsync(stopSecond.Token);
        await AppendAsync(2);
        Assert.Equal(("first", 2), await seen.Reader.ReadAsync().AsTask().WaitAsync(Patience));

        await stopFirst.CancelAsync();
        await firstLoop.WaitAsync(Patience);
        await AppendAsync(3);
        // The first may have been stopped between handling and remembering: then its last event comes once more.
        (string By, int Amount) item;
        do item = await seen.Reader.ReadAsync().AsTask().WaitAsync(Patience);
        while (item.Amount == 2);
        Assert.Equal(("second", 3), item);
        await stopSecond.CancelAsync();
        await secondLoop.WaitAsync(Patience);
        Assert.Equal(SubscriptionState.Stopped, first.Status.State);
    }

    [Fact]
    public async Task A_paused_subscription_stays_where_it_is_until_it_is_resumed()
    {
        var seen = new List<int>();
        var runner = Runner(e => seen.Add(AmountOf(e)));
        await AppendAsync(1);
        await runner.CatchUpAsync();
        await Checkpoints.PauseAsync(ShardName.Of(Name), new PauseNote(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero), "why", "ayşe"));
        await AppendAsync(2);
        await runner.CatchUpAsync();
        Assert.Equal([1], seen);
        Assert.Equal(SubscriptionState.Paused, runner.Status.State);
        Assert.Equal(("why", "ayşe"), ((await Checkpoints.LoadOrdersAsync(ShardName.Of(Name))).Pause?.Reason, (await Checkpoints.LoadOrdersAsync(ShardName.Of(Name))).Pause?.By));

        await Checkpoints.ResumeAsync(ShardName.Of(Name));
        await runner.CatchUpAsync();
        Assert.Equal([1, 2], seen);
    }

    [Fact]
    public async Task A_skipped_event_is_parked_untried()
    {
        var seen = new List<int>();
        var positions = await AppendAsync(1, 2, 3);
        await Checkpoints.OrderAsync(ShardName.Of(Name), positions[1], OrderKind.Skip);
        await Runner(e => seen.Add(AmountOf(e))).CatchUpAsync();

        Assert.Equal([1, 3], seen);
        Assert.Equal((positions[1], "Skipped"), (await Checkpoints.ListParkedAsync(ShardName.Of(Name))).Select(p => (p.Position, p.ErrorType)).Single());
        Assert.Empty((await Checkpoints.LoadOrdersAsync(ShardName.Of(Name))).Skips);
    }

    [Fact]
    public async Task A_parked_event_is_handled_again_when_somebody_wants_it()
    {
        var (seen, isMoody) = (new List<int>(), true);
        var positions = await AppendAsync(1, 13);
        var runner = Runner(e =>
        {
            if (isMoody && AmountOf(e) == 13) throw new FormatException("not today");
            seen.Add(AmountOf(e));
        });
        await runner.CatchUpAsync();
        await Checkpoints.OrderAsync(ShardName.Of(Name), positions[1], OrderKind.Retry);
        await runner.CatchUpAsync();
        Assert.Single(await Checkpoints.ListParkedAsync(ShardName.Of(Name)));

        isMoody = false;
        await Checkpoints.OrderAsync(ShardName.Of(Name), positions[1], OrderKind.Retry);
        await runner.CatchUpAsync();
        Assert.Equal([1, 13], seen.Distinct());
        Assert.Empty(await Checkpoints.ListParkedAsync(ShardName.Of(Name)));
        Assert.Empty((await Checkpoints.LoadOrdersAsync(ShardName.Of(Name))).Retries);
    }

    [Fact]
    public async Task A_subscription_that_is_to_stop_stops_in_front_of_the_event()
    {
        var seen = Channels.Of<int>();
        var positions = await AppendAsync(1, 666, 3);
        using var stop = new CancellationTokenSource();
        var runner = Runner(e =>
        {
            if (AmountOf(e) == 666) throw new FormatException("cannot stomach 666");
            seen.Writer.TryWrite(AmountOf(e));
        }, Options with { OnError = ErrorPolicy.Stop, BatchSize = 1 });
        var running = runner.RunAsync(stop.Token);
        Assert.Equal(1, await seen.Reader.ReadAsync().AsTask().WaitAsync(Patience));
        while ((await Checkpoints.LoadOrdersAsync(ShardName.Of(Name))).Pause is null && !running.IsCompleted) await Store.WaitForChangeAsync(positions[^1], TimeSpan.FromMilliseconds(20));
        Assert.Contains($"stopped at event {positions[1]}", (await Checkpoints.LoadOrdersAsync(ShardName.Of(Name))).Pause?.Reason);
        Assert.Empty(await Checkpoints.ListParkedAsync(ShardName.Of(Name)));

        await Checkpoints.OrderAsync(ShardName.Of(Name), positions[1], OrderKind.Skip);
        await Checkpoints.ResumeAsync(ShardName.Of(Name));
        int amount;
        do amount = await seen.Reader.ReadAsync().AsTask().WaitAsync(Patience);
        while (amount == 1);
        Assert.Equal(3, amount);
        await stop.CancelAsync();
        await running.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_skip_holds_until_the_subscription_is_behind_the_event()
    {
        var seen = new List<int>();
        var positions = await AppendAsync(13, 666, 3);
        var runner = Runner(e =>
        {
            if (AmountOf(e) is 13 or 666) throw new FormatException("cannot stomach it");
            seen.Add(AmountOf(e));
        }, Options with { OnError = ErrorPolicy.Stop, StartAfter = positions[0] - 1 });
        await Checkpoints.OrderAsync(ShardName.Of(Name), positions[0], OrderKind.Skip);
        Assert.Equal(positions[1], (await Assert.ThrowsAsync<ShardStoppedException>(async () => await runner.CatchUpAsync())).Position);
        await Checkpoints.OrderAsync(ShardName.Of(Name), positions[1], OrderKind.Skip);
        await runner.CatchUpAsync();

        Assert.Equal([3], seen);
        Assert.Equal(positions.Take(2), (await Checkpoints.ListParkedAsync(ShardName.Of(Name))).Select(p => p.Position));
        Assert.Empty((await Checkpoints.LoadOrdersAsync(ShardName.Of(Name))).Skips);
    }

    [Fact]
    public async Task A_subscription_that_cannot_write_down_why_it_stopped_tries_again()
    {
        var dying = new DyingCheckpoints(Checkpoints) { PausesThatFail = 1 };
        var positions = await AppendAsync(666);
        using var stop = new CancellationTokenSource();
        var runner = new SubscriptionRunner(
            Store, dying, Options with { OnError = ErrorPolicy.Stop, StartAfter = positions[0] - 1, MaxAttempts = 1 },
            (batch, _) => batch.Any(e => e.Tenant == Tenant) ? throw new FormatException("cannot stomach 666") : ValueTask.CompletedTask, TimeProvider.System);
        var running = runner.RunAsync(stop.Token);
        while ((await Checkpoints.LoadOrdersAsync(ShardName.Of(Name))).Pause is null && !running.IsCompleted) await Store.WaitForChangeAsync(positions[^1], TimeSpan.FromMilliseconds(20));

        Assert.Contains($"stopped at event {positions[0]}", (await Checkpoints.LoadOrdersAsync(ShardName.Of(Name))).Pause?.Reason);
        await stop.CancelAsync();
        await running.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_checkpoint_moves_only_from_where_it_stands()
    {
        Assert.True(await Checkpoints.TryAdvanceAsync(Name, null, 5));
        Assert.False(await Checkpoints.TryAdvanceAsync(Name, null, 6));
        Assert.False(await Checkpoints.TryAdvanceAsync(Name, 4, 6));
        Assert.True(await Checkpoints.TryAdvanceAsync(Name, 5, 6));
        Assert.Equal(6, await Checkpoints.LoadAsync(Name));
    }

    [Fact]
    public async Task Parking_twice_keeps_one()
    {
        var parked = new ParkedEvent(Name + ":All", 7, Tenant, "x", new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero), "E", "why\0");
        await Checkpoints.ParkAsync(parked);
        await Checkpoints.ParkAsync(parked);
        Assert.Equal(parked with { ErrorMessage = "why" }, Assert.Single(await Checkpoints.ListParkedAsync(Name + ":All")) with { ErrorMessage = "why" });
    }

    private sealed class DyingCheckpoints(ICheckpointStore inner) : ICheckpointStore
    {
        public bool IsDead { get; set; }

        public int PausesThatFail { get; set; }

        public ValueTask<long?> LoadAsync(string shard, CancellationToken ct = default) => inner.LoadAsync(shard, ct);

        public ValueTask<bool> TryAdvanceAsync(string shard, long? from, long to, CancellationToken ct = default) =>
            IsDead ? throw new IOException("killed") : inner.TryAdvanceAsync(shard, from, to, ct);

        public ValueTask<IShardLease?> TryOwnAsync(string shard, CancellationToken ct = default) => inner.TryOwnAsync(shard, ct);

        public ValueTask ParkAsync(ParkedEvent parked, CancellationToken ct = default) => inner.ParkAsync(parked, ct);

        public ValueTask<IReadOnlyList<ParkedEvent>> ListParkedAsync(string shard, int maxCount = 100, CancellationToken ct = default) => inner.ListParkedAsync(shard, maxCount, ct);

        public ValueTask<bool> DiscardParkedAsync(string shard, long position, CancellationToken ct = default) => inner.DiscardParkedAsync(shard, position, ct);

        public ValueTask PauseAsync(string shard, PauseNote note, CancellationToken ct = default) =>
            PausesThatFail-- > 0 ? throw new IOException("the database is away") : inner.PauseAsync(shard, note, ct);

        public ValueTask ResumeAsync(string shard, CancellationToken ct = default) => inner.ResumeAsync(shard, ct);

        public ValueTask OrderAsync(string shard, long position, OrderKind kind, string? reason = null, string? by = null, CancellationToken ct = default) =>
            inner.OrderAsync(shard, position, kind, reason, by, ct);

        public ValueTask<ShardOrder> LoadOrdersAsync(string shard, CancellationToken ct = default) => inner.LoadOrdersAsync(shard, ct);

        public ValueTask AnswerAsync(string shard, long position, OrderKind kind, RetryResult? result = null, CancellationToken ct = default) =>
            inner.AnswerAsync(shard, position, kind, result, ct);
    }
}

internal static class Channels
{
    private const int Capacity = 1_000;

    public static System.Threading.Channels.Channel<T> Of<T>() => System.Threading.Channels.Channel.CreateBounded<T>(Capacity);
}

public sealed class InMemorySubscriptionTests : SubscriptionContract
{
    protected override IEventStore Store { get; } = new InMemoryEventStore(Facts.Serializer, TimeProvider.System);

    protected override ICheckpointStore Checkpoints { get; } = new InMemoryCheckpointStore();
}

public sealed class PostgresSubscriptionTests(PostgresFixture postgres) : SubscriptionContract, IClassFixture<PostgresFixture>
{
    protected override IEventStore Store => postgres.Store;

    protected override ICheckpointStore Checkpoints { get; } = new PostgresCheckpointStore(postgres.Source);
}
