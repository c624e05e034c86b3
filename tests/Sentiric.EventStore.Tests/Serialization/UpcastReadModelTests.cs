using System.Text;
using Sentiric.EventStore.Tests.Postgres;
using Xunit;

namespace Sentiric.EventStore.Tests.Serialization;

/// <summary>Read models, rebuilds and exports over events of every version.</summary>
public sealed class UpcastReadModelTests : IAsyncLifetime
{
    private const string Tenant = "bistro";
    private readonly PostgresFixture _postgres = new();
    private readonly List<PostgresEventStore> _stores = [];

    public Task InitializeAsync() => _postgres.InitializeAsync();

    public async Task DisposeAsync()
    {
        foreach (var store in _stores) await store.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    [Fact]
    public async Task Documents_of_a_stream_and_of_many_hold_the_events_of_today_and_a_rebuild_gives_the_same()
    {
        var today = await OldRoom.FillAsync(Tenant, ProgramAsync);
        var daemon = new ProjectionDaemon(_postgres.Source, today, [new SeatPlans(), new SeatsOfRooms()], TimeProvider.System);
        await daemon.CatchUpAsync();
        string[] documents = ["room-1: 9 Yılmaz,Can,Öz,Su, 1", "hall: 9 Yılmaz,Can,Öz,Su, 0"];
        Assert.Equal(documents, await DocumentsAsync());
        foreach (var name in new[] { "SeatPlan", "RoomPlan" }) await daemon.RebuildAsync(name); // throws where rows differ
        Assert.Equal(documents, await DocumentsAsync());
        Assert.Empty(await _postgres.LinesAsync("select data from mt_doc_deadletterevent"));

        var inMemory = new InMemoryDocuments<SeatPlan>(new SeatPlans(), today);
        await inMemory.CatchUpAsync();
        Assert.Equal(OldRoom.Whole, inMemory.Load(Tenant, OldRoom.Stream));
    }

    [Fact]
    public async Task An_event_that_its_upcaster_fails_on_is_parked_and_the_rest_is_applied()
    {
        var then = await ProgramAsync(Bookings.Then);
        var result = await then.AppendToStreamAsync(Tenant, OldRoom.Stream, ExpectedVersion.NoStream, [EventData.Of(new TableBookedV2("Nameless", 1)), EventData.Of(new TableBookedV2("Ali Can", 2))]);
        var daemon = new ProjectionDaemon(_postgres.Source, await ProgramAsync(Bookings.Today), [new SeatPlans()], TimeProvider.System);
        await daemon.CatchUpAsync();
        var parked = Assert.Single(await new PostgresCheckpointStore(_postgres.Source).ListParkedAsync(ShardName.Of("SeatPlan")));
        Assert.Equal((result.Positions[0], "table_booked_v2", nameof(EventUnreadableException)), (parked.Position, parked.EventType, parked.ErrorType));
        Assert.Equal(["room-1: 2 Can, 0"], (await DocumentsAsync()).Take(1));
    }

    [Fact]
    public async Task A_projection_that_names_only_the_newest_version_stops_the_start()
    {
        var today = await ProgramAsync(Bookings.Today);
        var refused = Assert.Throws<EventTypeListException>(() => new ProjectionDaemon(_postgres.Source, today, [new SeatPlans(["table_booked_v5"])], TimeProvider.System));
        Assert.Contains("older versions: host.TableReserved, table_booked, table_booked_v2, table_booked_v3, table_booked_v4", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_export_holds_what_was_stored_and_is_read_as_today_wherever_it_is_imported()
    {
        var today = await OldRoom.FillAsync(Tenant, ProgramAsync);
        using var file = new MemoryStream();
        await new LogExport(_postgres.Source, today).WriteAsync(file, ExportScope.Everything, null);
        Assert.Contains("""
            "type":"table_booked","at":"2020-01-01T00:00:00.000000Z","data":{"Name": "Ayşe Yılmaz", "Count": 4}
            """.Trim(), Encoding.UTF8.GetString(file.ToArray()), StringComparison.Ordinal);
        file.Position = 0;
        var elsewhere = new InMemoryEventStore(Bookings.Today, TimeProvider.System);
        await elsewhere.ImportAsync(ExportReader.ReadAsync(file).Select(line => line.Event));
        Assert.Equal(OldRoom.Whole, await elsewhere.AggregateStreamAsync(Tenant, OldRoom.Stream, SeatPlan.None, SeatPlan.Evolve));
    }

    private ValueTask<IEventStore> ProgramAsync(IEventSerializer serializer)
    {
        var store = new PostgresEventStore(_postgres.Source, serializer, TimeProvider.System, _postgres.Options);
        _stores.Add(store);
        return ValueTask.FromResult<IEventStore>(store);
    }

    private async Task<List<string>> DocumentsAsync()
    {
        var lines = new List<string>();
        foreach (var table in new[] { "mt_doc_seatplan", "mt_doc_roomplan" })
        {
            if ((await _postgres.LinesAsync($"select to_regclass('{table}')::text")) is ["-"]) continue;
            lines.AddRange(await _postgres.LinesAsync($"select id || ': ' || (data ->> 'Seats') || ' ' || (data ->> 'Names') || ' ' || (data ->> 'Cancelled') from {table} order by id"));
        }
        return lines;
    }

    private sealed class SeatPlans(IReadOnlyCollection<string>? only = null) : SingleStreamProjection<SeatPlan>("SeatPlan", SeatPlanJson.Default.SeatPlan)
    {
        public override IReadOnlyCollection<string>? EventTypes { get; } =
            only ?? [Bookings.Booked.StoredName, .. Bookings.Today.OldNamesOf(Bookings.Booked.StoredName), Bookings.Cancelled.StoredName];

        public override SeatPlan? Evolve(SeatPlan? document, RecordedEvent recorded, object @event) => SeatPlan.Evolve(document ?? SeatPlan.None, @event);
    }

    private sealed class SeatsOfRooms() : MultiStreamProjection<SeatPlan>("RoomPlan", SeatPlanJson.Default.SeatPlan)
    {
        public override IEnumerable<string> KeysOf(RecordedEvent recorded, object @event) => @event is TableBooked booked ? [booked.Room] : [];

        public override SeatPlan? Evolve(string key, SeatPlan? document, RecordedEvent recorded, object @event) => SeatPlan.Evolve(document ?? SeatPlan.None, @event);
    }
}
