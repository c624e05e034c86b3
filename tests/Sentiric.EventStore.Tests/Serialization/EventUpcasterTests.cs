using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Sentiric.Testing;
using Xunit;

namespace Sentiric.EventStore.Tests.Serialization;

public sealed class EventUpcasterTests
{
    private static readonly EventTypeEntry V3 = EventTypeEntry.Of("table_booked_v3", BookingsJson.Default.TableBookedV3);
    private static readonly IEventUpcaster SplitName = new Bookings.SplitName();

    private static object Read(EventTypeMap map, string name, string json) => map.Deserialize(name, Encoding.UTF8.GetBytes(json));

    private static string Refusal(IEnumerable<EventTypeEntry> entries, params IEventUpcaster[] upcasters) =>
        Assert.Throws<EventTypeListException>(() => new EventTypeMap(entries, upcasters)).Message;

    [Theory]
    [InlineData("table_booked", """{"Name": "Ayşe Nur Yılmaz", "Count": 4}""")]
    [InlineData("table_booked_v2", """{"Guests": 4, "Name": "Ayşe Nur Yılmaz"}""")]
    [InlineData("table_booked_v3", """{"First": "Ayşe Nur", "Last": "Yılmaz", "Guests": 4}""")]
    [InlineData("table_booked_v4", """{"First": "Ayşe Nur", "Last": "Yılmaz", "Guests": 4, "Room": "hall"}""")]
    [InlineData("table_booked_v5", """{"Guest": {"First": "Ayşe Nur", "Last": "Yılmaz"}, "Seats": 4, "Room": "hall"}""")]
    [InlineData("host.TableReserved", """{"Who": "Ayşe Nur Yılmaz", "For": 4}""")]
    public void Every_version_is_read_as_the_newest_whatever_kinds_of_steps_lie_between(string name, string json) =>
        Assert.Equal(new TableBooked(new Guest("Ayşe Nur", "Yılmaz"), 4, "hall"), Read(Bookings.Today, name, json));

    [Fact]
    public void Steps_over_types_hand_the_record_on_as_it_is()
    {
        var handed = new TableBookedV3("a", "b", 1);
        var map = new EventTypeMap([EventTypeEntry.Of("table_booked_v4", BookingsJson.Default.TableBookedV4)],
        [
            EventUpcaster.Of("table_booked", 2, BookingsJson.Default.TableBookedV2, BookingsJson.Default.TableBookedV3, _ => handed),
            EventUpcaster.Of("table_booked", 3, BookingsJson.Default.TableBookedV3, BookingsJson.Default.TableBookedV4, old => new TableBookedV4(ReferenceEquals(old, handed) ? "same" : "copy", "", 0, "")),
        ]);
        Assert.Equal("same", Assert.IsType<TableBookedV4>(Read(map, "table_booked_v2", """{"Name": "x", "Guests": 1}""")).First);
    }

    [Fact]
    public void A_step_over_types_is_a_step_over_JSON_for_whoever_asks_for_that() =>
        Assert.Equal(
            """{"First":"Ali","Last":"Can","Guests":2}""",
            SplitName.Upcast(JsonNode.Parse("""{"Name": "Ali Can", "Guests": 2}""")!).ToJsonString());

    [Fact]
    public void The_names_of_older_versions_are_told()
    {
        Assert.Equal(["host.TableReserved", "table_booked", "table_booked_v2", "table_booked_v3", "table_booked_v4"], Bookings.Today.OldNamesOf("table_booked_v5"));
        Assert.Empty(Bookings.Today.OldNamesOf("booking_cancelled"));
    }

    [Fact]
    public void A_gap_stops_the_start_and_says_what_is_missing()
    {
        var message = Refusal([Bookings.Booked], SplitName);
        Assert.Contains("end at 'table_booked_v3', which is not a registered event", message, StringComparison.Ordinal);
        Assert.Contains("add the upcaster that leads on", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_circle_stops_the_start()
    {
        var message = Refusal([V3], EventUpcaster.Of("table_booked", 1, BookingsJson.Default.TableBookedV2, BookingsJson.Default.TableBookedV2, b => b), Back(2, "table_booked"));
        Assert.Contains("come back to", message, StringComparison.Ordinal);

        static IEventUpcaster Back(int from, string to) => EventUpcaster.Of("table_booked", from, BookingsJson.Default.TableBookedV2, BookingsJson.Default.TableBookedV2, b => b, to);
    }

    [Fact]
    public void Two_upcasters_of_one_version_stop_the_start_whatever_their_kinds()
    {
        Assert.Contains("Two upcasters lift 'table_booked_v2'", Refusal([V3], SplitName, new Bookings.SplitName()), StringComparison.Ordinal);
        var twice = Refusal([V3], new Bookings.CountToGuests(), SplitName, EventUpcaster.Of("table_booked", 1, BookingsJson.Default.TableReserved, BookingsJson.Default.TableBookedV2, r => new TableBookedV2(r.Who, r.For)));
        Assert.Contains("Two upcasters lift 'table_booked'", twice, StringComparison.Ordinal);
        Assert.Contains("Keep one", twice, StringComparison.Ordinal);
    }

    [Fact]
    public void A_version_that_is_registered_and_lifted_stops_the_start() =>
        Assert.Contains(
            "Register only the newest", Refusal([V3, EventTypeEntry.Of("table_booked_v2", BookingsJson.Default.TableBookedV2)], SplitName), StringComparison.Ordinal);

    [Fact]
    public void Records_that_do_not_fit_each_other_stop_the_start()
    {
        var between = Refusal([EventTypeEntry.Of("table_booked_v4", BookingsJson.Default.TableBookedV4)],
            SplitName, EventUpcaster.Of("table_booked", 3, BookingsJson.Default.TableReserved, BookingsJson.Default.TableBookedV4, r => new TableBookedV4(r.Who, "", r.For, "")));
        Assert.Contains("gives a TableBookedV3", between, StringComparison.Ordinal);
        Assert.Contains("takes a TableReserved", between, StringComparison.Ordinal);
        var atTheEnd = Refusal([EventTypeEntry.Of("table_booked_v3", BookingsJson.Default.TableBookedV4)], SplitName);
        Assert.Contains("is registered as TableBookedV4", atTheEnd, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", 1)]
    [InlineData("table_booked", 0)]
    public void An_upcaster_begins_at_a_name_and_a_version(string name, int version) =>
        Assert.Contains("version of 1 or more", Refusal([V3], EventUpcaster.Of(name, version, BookingsJson.Default.TableBookedV2, BookingsJson.Default.TableBookedV3, _ => new TableBookedV3("", "", 0), "table_booked_v3")), StringComparison.Ordinal);

    [Fact]
    public void Whoever_appends_an_old_record_is_told_which_one_to_append()
    {
        var refused = Assert.Throws<UnknownEventTypeException>(() => Bookings.Today.NameOf(typeof(TableBookedV2)));
        Assert.Equal("TableBookedV2", refused.EventType);
        Assert.Contains("Append a TableBooked ('table_booked_v5')", refused.Message, StringComparison.Ordinal);
        Assert.Throws<UnknownEventTypeException>(() => Bookings.Today.Serialize(new TableBookedV2("x y", 1)));
    }

    [Theory]
    [InlineData("""{"Name": "OneWord", "Guests": 1}""", "'table_booked_v2' to 'table_booked_v3' failed")]
    [InlineData("""{"Name": "A B", "Guests": "many"}""", "'table_booked_v2' to 'table_booked_v3' failed")]
    [InlineData("null", "payload is null")]
    public void An_upcaster_that_fails_is_told_by_stored_name_and_step(string json, string why)
    {
        var broken = Assert.Throws<EventUnreadableException>(() => Read(Bookings.Today, "table_booked_v2", json));
        Assert.Equal("table_booked_v2", broken.EventType);
        Assert.Contains(why, broken.Message, StringComparison.Ordinal);
        Assert.NotNull(broken.InnerException);
    }

    [Fact]
    public void A_step_over_JSON_that_fails_is_told_in_the_same_way()
    {
        var broken = Assert.Throws<EventUnreadableException>(() => Read(Bookings.Today, "table_booked", """{"Name": "A B"}"""));
        Assert.Equal("table_booked", broken.EventType);
        Assert.Contains("'table_booked' to 'table_booked_v2' failed", broken.Message, StringComparison.Ordinal);
        Assert.IsType<NullReferenceException>(broken.InnerException);
    }

    [Fact]
    public void An_upcaster_that_gives_nothing_is_told()
    {
        var map = new EventTypeMap([V3], [EventUpcaster.Of<TableBookedV2, TableBookedV3>("table_booked", 2, BookingsJson.Default.TableBookedV2, BookingsJson.Default.TableBookedV3, _ => null!)]);
        Assert.Contains("gave no TableBookedV3", Assert.Throws<EventUnreadableException>(() => Read(map, "table_booked_v2", """{"Name": "A B"}""")).Message, StringComparison.Ordinal);
    }

    /// <summary>What programs of years ago stored, in the form of an export, and what this program reads in it. The stored lines are never written anew.</summary>
    [Fact]
    public async Task What_was_stored_years_ago_is_read_as_approved()
    {
        var folder = new[] { "tests", "Sentiric.EventStore.Tests", "Serialization", "Stored" };
        var store = new InMemoryEventStore(Bookings.Today, TimeProvider.System);
        await using var file = File.OpenRead(Repository.PathOf([.. folder, "bookings.jsonl"]));
        await store.ImportAsync(ExportReader.ReadAsync(file).Select(line => line.Event));
        var read = await store.ReadAllAsync(0, 100).Select(e => $"{e.StreamId} {e.Version} {e.EventType} is read as\n  {Text(store.Serializer.Deserialize(e))}").ToListAsync();
        Golden.Check(string.Join('\n', read), [.. folder, "bookings.read.txt"]);
    }

    private static string Text(object fact) => fact.GetType().Name + " " + JsonSerializer.Serialize(fact, BookingsJson.Default.GetTypeInfo(fact.GetType())!);
}
