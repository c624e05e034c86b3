using System.Diagnostics;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.EventStore;
using Sentiric.Testing;
using Sentiric.Write.Relay;
using Sentiric.Write.Tests.Kit;
using Sentiric.Write.Users;

namespace Sentiric.Write.Tests.Relay;

public sealed class RelayTests
{
    [Fact]
    public async Task Every_event_leaves_in_order_with_its_id()
    {
        using var world = await WithEventsAsync(30);
        var bus = new Broker();
        var relay = new EventRelay(world.Store, new InMemoryCheckpointStore(), bus, world.Time);
        await relay.CatchUpAsync();
        var log = await world.LogAsync();
        Assert.Equal(log.Select(e => e.EventId), bus.Received.Select(e => e.Id));
        Assert.Equal(log.Select(e => e.Position), bus.Received.Select(e => e.Sequence));
        var created = bus.Received.First(e => e.Type == "user.created");
        Assert.Equal((World.Demo, "test", "Kişi 0"), (created.Tenant, created.Actor, ((UserCreated)created.Decode()!).Name));
    }

    [Fact]
    public async Task A_second_relay_goes_on_where_the_first_stopped()
    {
        using var world = await WithEventsAsync(3);
        var checkpoints = new InMemoryCheckpointStore();
        var first = new Broker();
        await new EventRelay(world.Store, checkpoints, first, world.Time).CatchUpAsync();
        await CreateUsersAsync(world, 3, 2);
        var second = new Broker();
        await new EventRelay(world.Store, checkpoints, second, world.Time).CatchUpAsync();
        Assert.Equal((await world.LogAsync()).Select(e => e.EventId), first.Received.Concat(second.Received).Select(e => e.Id));
    }

    // D39
    [Fact]
    public async Task A_broker_that_is_down_for_a_minute_costs_nothing()
    {
        using var world = await WithEventsAsync(20);
        var bus = new Broker { IsDown = true };
        var relay = new EventRelay(world.Store, new InMemoryCheckpointStore(), bus, world.Time);
        using var stop = new CancellationTokenSource();
        var running = Task.Run(() => relay.RunAsync(stop.Token));
        var minuteIsOver = world.Time.GetUtcNow().AddSeconds(60);
        await DriveAsync(world.Time, () => bus.Refused > 2 && world.Time.GetUtcNow() >= minuteIsOver, "the relay to meet the broken broker for a minute");
        await CreateUsersAsync(world, 20, 5);
        bus.IsDown = false;
        var log = await world.LogAsync();
        await DriveAsync(world.Time, () => bus.Received.Count == log.Count, "every event to arrive");
        await stop.CancelAsync();
        await running;
        Assert.Equal(log.Select(e => e.EventId), bus.Received.Select(e => e.Id));
    }

    [Fact]
    public async Task A_broker_that_goes_down_in_the_middle_gets_nothing_twice_from_a_living_relay()
    {
        using var world = await WithEventsAsync(20);
        var bus = new Broker { BreaksAfter = 7 };
        var relay = new EventRelay(world.Store, new InMemoryCheckpointStore(), bus, world.Time);
        using var stop = new CancellationTokenSource();
        var running = Task.Run(() => relay.RunAsync(stop.Token));
        var log = await world.LogAsync();
        await DriveAsync(world.Time, () => bus.Received.Count == log.Count, "every event to arrive");
        await stop.CancelAsync();
        await running;
        Assert.Equal(log.Select(e => e.EventId), bus.Received.Select(e => e.Id));
    }

    // D40
    [Fact]
    public async Task An_unknown_event_type_is_parked_and_the_rest_goes_on()
    {
        var time = new ManualTime(Given.Now);
        var map = EventStoreSetup.EventTypes();
        var blind = new EventTypeMap(map.Entries.Where(e => e.StoredName != "user_renamed"));
        var types = new Switch(map);
        var store = new InMemoryEventStore(types, time);
        var id = Guid.NewGuid();
        IFact[] facts = [new UserCreated(Given.Now, id, "Ayşe", UserType.Caller, "tr"), new UserRenamed(Given.Now, id, "Fatma"), new UserDisabled(Given.Now, id, "left")];
        await store.AppendToStreamAsync(World.Demo, Streams.User(id), ExpectedVersion.Any, [.. facts.Select(f => EventData.Of(f))]);
        types.Inner = blind;

        var bus = new Broker();
        var checkpoints = new InMemoryCheckpointStore();
        var relay = new EventRelay(store, checkpoints, bus, time);
        var caughtUp = Task.Run(() => relay.CatchUpAsync().AsTask());
        await DriveAsync(time, () => caughtUp.IsCompleted, "the relay to catch up");
        Assert.Equal(3, await caughtUp);
        Assert.Equal(["user.created", "user.disabled"], bus.Received.Select(e => e.Type));
        var parked = Assert.Single(await checkpoints.ListParkedAsync(ShardName.Of(EventRelay.Name)));
        Assert.Equal("user_renamed", parked.EventType);
    }

    // One driver: moves time on until the transition is there, and says what it waited for when it does not come.
    private static async Task DriveAsync(ManualTime time, Func<bool> reached, string what)
    {
        var watch = Stopwatch.StartNew();
        while (!reached())
        {
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30), $"waited 30 s for {what}");
            time.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Yield();
        }
    }

    private static async Task<World> WithEventsAsync(int users)
    {
        var world = await World.WithTenantsAsync();
        await CreateUsersAsync(world, 0, users);
        return world;
    }

    private static async Task CreateUsersAsync(World world, int first, int count)
    {
        for (var i = first; i < first + count; i++)
        {
            await world.DoAsync(new CreateUser(Guid.CreateVersion7(), $"Kişi {i}", UserType.Caller, "tr", []));
        }
    }

    private sealed class Broker : IEventBus
    {
        private readonly Lock _gate = new();
        private readonly List<EventEnvelope> _received = [];
        private volatile bool _isDown;
        private volatile int _refused;

        public bool IsDown
        {
            get => _isDown;
            set => _isDown = value;
        }

        /// <summary>Fails once after so many events.</summary>
        public int BreaksAfter { get; init; } = int.MaxValue;

        public int Refused => _refused;

        public IReadOnlyList<EventEnvelope> Received
        {
            get
            {
                lock (_gate)
                {
                    return [.. _received];
                }
            }
        }

        public Task PublishAsync(EventEnvelope envelope, CancellationToken ct)
        {
            lock (_gate)
            {
                if (_isDown || (_received.Count == BreaksAfter && _refused == 0))
                {
                    _refused++;
                    throw new InvalidOperationException("connection refused");
                }

                _received.Add(envelope);
                return Task.CompletedTask;
            }
        }
    }

    private sealed class Switch(IEventSerializer inner) : IEventSerializer
    {
        public IEventSerializer Inner { get; set; } = inner;

        public string NameOf(Type type) => Inner.NameOf(type);

        public ReadOnlyMemory<byte> Serialize(object data) => Inner.Serialize(data);

        public object Deserialize(string storedName, ReadOnlyMemory<byte> json) => Inner.Deserialize(storedName, json);
    }
}
