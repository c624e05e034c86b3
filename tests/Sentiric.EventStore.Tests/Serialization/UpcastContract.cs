using System.Text;
using System.Text.Json.Serialization;
using Sentiric.EventStore.Tests.Privacy;
using Xunit;

namespace Sentiric.EventStore.Tests.Serialization;

/// <summary>The seats of a stream, and who is away: a document over events of every version.</summary>
public sealed record SeatPlan(int Seats, string Names, int Cancelled)
{
    public static SeatPlan None { get; } = new(0, "", 0);

    public static SeatPlan Evolve(SeatPlan plan, object @event) => @event switch
    {
        TableBooked booked => plan with { Seats = plan.Seats + booked.Seats, Names = $"{plan.Names}{booked.Guest.Last}," },
        BookingCancelled => plan with { Cancelled = plan.Cancelled + 1 },
        _ => throw new InvalidOperationException($"A {@event.GetType().Name} is no event of today."),
    };
}

[JsonSerializable(typeof(SeatPlan))]
public sealed partial class SeatPlanJson : JsonSerializerContext;

/// <summary>A stream that was begun years ago.</summary>
internal static class OldRoom
{
    public const string Stream = "room-1";

    public static SeatPlan Whole { get; } = new(9, "Yılmaz,Can,Öz,Su,", 1);

    /// <summary>Old events under both names, appended or brought along by programs of then, and one of today behind them.</summary>
    public static async Task<IEventStore> FillAsync(string tenant, Func<IEventSerializer, ValueTask<IEventStore>> program)
    {
        var then = await program(Bookings.Then);
        await ((IEventImporter)then).ImportAsync(new[]
        {
            Stored(tenant, 1, "table_booked", """{"Name": "Ayşe Yılmaz", "Count": 4}"""), Stored(tenant, 2, "table_booked_v2", """{"Name": "Ali Can", "Guests": 2}"""),
            Stored(tenant, 3, "host.TableReserved", """{"Who": "Mehmet Öz", "For": 1}"""),
        }.ToAsyncEnumerable());
        await then.AppendToStreamAsync(tenant, Stream, ExpectedVersion.Exact(3), [EventData.Of(new BookingCancelled("ill"))]);
        var today = await program(Bookings.Today);
        await today.AppendToStreamAsync(tenant, Stream, ExpectedVersion.Exact(4), [EventData.Of(new TableBooked(new Guest("Deniz", "Su"), 2, "hall"))]);
        return today;
    }

    private static ImportedEvent Stored(string tenant, long version, string type, string json) => new(
        tenant, Stream, version, Guid.CreateVersion7(), type, DateTimeOffset.UnixEpoch.AddYears(50), Encoding.UTF8.GetBytes(json), EventMetadata.None);
}

/// <summary>What was stored by a program of then is the event of today in whatever way it is read. Each test works in a tenant of its own.</summary>
public abstract class UpcastContract
{
    private const string Room = OldRoom.Stream;

    protected string Tenant { get; } = "t-" + Guid.NewGuid().ToString("N")[..8];

    /// <summary>A program over the storage that all programs of the test share.</summary>
    protected abstract ValueTask<IEventStore> ProgramAsync(IEventSerializer serializer, PersonalDataMap? personal = null);

    private Task<IEventStore> FilledAsync() => OldRoom.FillAsync(Tenant, serializer => ProgramAsync(serializer));

    [Fact]
    public async Task A_stream_and_the_log_give_the_events_of_today()
    {
        var today = await FilledAsync();
        object[] expected =
        [
            new TableBooked(new Guest("Ayşe", "Yılmaz"), 4, "hall"), new TableBooked(new Guest("Ali", "Can"), 2, "hall"), new TableBooked(new Guest("Mehmet", "Öz"), 1, "hall"),
            new BookingCancelled("ill"), new TableBooked(new Guest("Deniz", "Su"), 2, "hall"),
        ];
        var stream = await today.ReadStreamAsync(Tenant, Room).ToListAsync();
        Assert.Equal(expected, stream.Select(today.Serializer.Deserialize));
        Assert.Equal(expected, (await today.ReadAllAsync(0, 1_000).Where(e => e.Tenant == Tenant).ToListAsync()).Select(today.Serializer.Deserialize));
        // What lies there stays what it was.
        Assert.Equal(["table_booked", "table_booked_v2", "host.TableReserved", "booking_cancelled", "table_booked_v5"], stream.Select(e => e.EventType));
        Assert.Equal([1, 2, 1, 1, 5], stream.Select(e => e.SchemaVersion));
        Assert.Contains("\"Count\"", Encoding.UTF8.GetString(stream[0].Json.Span), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_state_is_folded_from_the_events_of_today()
    {
        var today = await FilledAsync();
        Assert.Equal(OldRoom.Whole, await today.AggregateStreamAsync(Tenant, Room, SeatPlan.None, SeatPlan.Evolve));
        Assert.Equal(new SeatPlan(6, "Yılmaz,Can,", 0), await today.AggregateStreamAsync(Tenant, Room, SeatPlan.None, SeatPlan.Evolve, new FoldBound(Version: 2)));
        var aggregate = new Aggregate<SeatPlan>("seats", SeatPlan.None, SeatPlan.Evolve) { Snapshots = new(SeatPlanJson.Default.SeatPlan, 1) { EveryEvents = 1 }, Cache = new() };
        for (var fetch = 0; fetch < 3; fetch++) Assert.Equal((OldRoom.Whole, 5L), await FetchedAsync(today, aggregate));
        var exclusive = await ((IExclusiveStreams)today).FetchForExclusiveWritingAsync(Tenant, Room, SeatPlan.None, SeatPlan.Evolve);
        Assert.Equal(OldRoom.Whole, exclusive.State);
        await exclusive.DisposeAsync();
    }

    private async Task<(SeatPlan, long)> FetchedAsync(IEventStore store, Aggregate<SeatPlan> aggregate)
    {
        var handle = await store.FetchForWritingAsync(Tenant, Room, aggregate);
        return (handle.State, handle.Version);
    }

    [Fact]
    public async Task A_subscription_is_handed_the_events_of_today()
    {
        var today = await FilledAsync();
        var plan = SeatPlan.None;
        var runner = new SubscriptionRunner(today, new InMemoryCheckpointStore(), new SubscriptionOptions("seats"), (batch, _) =>
        {
            foreach (var e in batch.Where(e => e.Tenant == Tenant)) plan = SeatPlan.Evolve(plan, e.Data(today.Serializer));
            return ValueTask.CompletedTask;
        }, TimeProvider.System);
        await runner.CatchUpAsync();
        Assert.Equal(OldRoom.Whole, plan);
    }

    [Fact]
    public async Task An_old_record_is_not_appended_any_more()
    {
        var today = await FilledAsync();
        var refused = await Assert.ThrowsAsync<UnknownEventTypeException>(async () =>
            await today.AppendToStreamAsync(Tenant, Room, ExpectedVersion.Exact(5), [EventData.Of(new TableBookedV2("Ali Can", 1))]));
        Assert.Contains("Append a TableBooked ('table_booked_v5')", refused.Message, StringComparison.Ordinal);
        Assert.Equal(5, (await today.GetStreamStateAsync(Tenant, Room))?.Version);
    }

    [Fact]
    public async Task An_upcaster_that_fails_is_told_with_the_place_of_the_event_and_the_rest_stays_readable()
    {
        var then = await ProgramAsync(Bookings.Then);
        await then.AppendToStreamAsync(Tenant, Room, ExpectedVersion.NoStream, [EventData.Of(new BookingCancelled("ill")), EventData.Of(new TableBookedV2("Nameless", 1)), EventData.Of(new BookingCancelled("late"))]);
        var today = await ProgramAsync(Bookings.Today);
        var read = await today.ReadStreamAsync(Tenant, Room).ToListAsync();
        var aggregate = new Aggregate<SeatPlan>("seats", SeatPlan.None, SeatPlan.Evolve) { Snapshots = new(SeatPlanJson.Default.SeatPlan, 1) };
        Func<Task>[] ways =
        [
            () => Task.FromResult(today.Serializer.Deserialize(read[1])),
            async () => await today.AggregateStreamAsync(Tenant, Room, SeatPlan.None, SeatPlan.Evolve),
            async () => await today.FetchForWritingAsync(Tenant, Room, SeatPlan.None, SeatPlan.Evolve),
            async () => await today.FetchForWritingAsync(Tenant, Room, aggregate),
        ];
        foreach (var way in ways)
        {
            var broken = await Assert.ThrowsAsync<EventUnreadableException>(way);
            Assert.Equal(("table_booked_v2", Tenant, Room, 2L, read[1].Position), (broken.EventType, broken.Tenant, broken.StreamId, broken.Version, broken.Position));
            Assert.Contains("'table_booked_v2' to 'table_booked_v3' failed", broken.Message, StringComparison.Ordinal);
        }
        Assert.Equal(new BookingCancelled("late"), today.Serializer.Deserialize(read[2]));
    }

    [Fact]
    public async Task Sealed_texts_of_old_events_are_opened_before_they_are_lifted_and_blank_when_the_person_is_forgotten()
    {
        var personal = new PersonalDataMap(
            [new("table_booked_v2", [new("Name")]), new("table_booked_v5", [new("Guest.First"), new("Guest.Last")])], (_, stream, _) => new SubjectNaming("guest:" + stream));
        var then = await ProgramAsync(Bookings.Then, personal);
        await then.AppendToStreamAsync(Tenant, Room, ExpectedVersion.NoStream, [EventData.Of(new TableBookedV2("Ayşe Yılmaz", 4))]);
        var forgiving = new EventTypeMap([Bookings.Booked, Bookings.Cancelled], [EventUpcaster.Of("table_booked", 2, BookingsJson.Default.TableBookedV2, BookingsJson.Default.TableBooked,
            old => new TableBooked(new Guest("", old.Name), old.Guests, "hall"), to: "table_booked_v5")]);
        var today = await ProgramAsync(forgiving, personal);
        await today.AppendToStreamAsync(Tenant, Room, ExpectedVersion.Exact(1), [EventData.Of(new TableBooked(new Guest("Ali", "Can"), 2, "hall"))]);
        Assert.Equal("Ayşe Yılmaz,Can,", (await today.AggregateStreamAsync(Tenant, Room, SeatPlan.None, SeatPlan.Evolve)).Names);
        await ForgetAsync("guest:" + Room);
        Assert.Equal("[erased],[erased],", (await today.AggregateStreamAsync(Tenant, Room, SeatPlan.None, SeatPlan.Evolve)).Names);
        Assert.Equal("[erased]", Assert.IsType<TableBooked>(today.Serializer.Deserialize(await today.ReadStreamAsync(Tenant, Room).FirstAsync())).Guest.Last);
    }

    /// <summary>Destroys the key of a person whom the programs with protection know.</summary>
    protected abstract ValueTask ForgetAsync(string subject);

    protected async ValueTask ForgetAsync(PersonalDataProtection protection, string subject)
    {
        ArgumentNullException.ThrowIfNull(protection);
        await protection.Vault.DestroyAsync([new SubjectId(Tenant, subject)], default);
        await protection.RefreshAsync(default);
    }
}

/// <summary>A program of a later day is a store with another list of events over what the one before had stored.</summary>
public sealed class InMemoryUpcastTests : UpcastContract
{
    private readonly InMemorySubjectVault _vault = new(TimeProvider.System);
    private InMemoryEventStore? _last;
    private PersonalDataProtection? _protection;

    protected override async ValueTask<IEventStore> ProgramAsync(IEventSerializer serializer, PersonalDataMap? personal = null)
    {
        if (personal is not null) await (_protection = new PersonalDataProtection(personal, _vault, TimeProvider.System)).StartAsync();
        var next = new InMemoryEventStore(serializer, TimeProvider.System, personal is null ? null : _protection);
        if (_last is not null) await next.LoadAsync(_last.Stored.ToAsyncEnumerable().Select(e => ImportedEvent.From(e)));
        return _last = next;
    }

    protected override ValueTask ForgetAsync(string subject) => ForgetAsync(_protection!, subject);
}

public sealed class PostgresUpcastTests(PrivacyDatabase database) : UpcastContract, IClassFixture<PrivacyDatabase>, IAsyncLifetime
{
    private readonly List<PostgresEventStore> _stores = [];
    private PersonalDataProtection? _protection;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var store in _stores) await store.DisposeAsync();
    }

    protected override async ValueTask<IEventStore> ProgramAsync(IEventSerializer serializer, PersonalDataMap? personal = null)
    {
        _protection = personal is null ? null : new PersonalDataProtection(personal, new PostgresSubjectVault(database.Source, database.Master), TimeProvider.System);
        var store = new PostgresEventStore(database.Source, serializer, TimeProvider.System, new() { Protection = _protection });
        _stores.Add(store);
        await store.EnsureSchemaAsync();
        return store;
    }

    protected override ValueTask ForgetAsync(string subject) => ForgetAsync(_protection!, subject);
}
