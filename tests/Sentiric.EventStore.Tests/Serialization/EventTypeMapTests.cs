using System.Text;
using System.Text.Json.Nodes;
using Sentiric.EventStore.Tests.Contract;
using Xunit;

namespace Sentiric.EventStore.Tests.Serialization;

public sealed class EventTypeMapTests
{
    private static readonly EventTypeEntry RaisedV3 = EventTypeEntry.Of("counter_raised_v3", FactsJson.Default.CounterRaised);

    private static object Read(EventTypeMap map, string name, string json) => map.Deserialize(name, Encoding.UTF8.GetBytes(json));

    [Fact]
    public void An_old_shape_is_lifted_step_by_step()
    {
        var map = new EventTypeMap([RaisedV3], [new Rename(1, "Old", "Amount"), new Rename(2, "Amount", "By")]);

        Assert.Equal(new CounterRaised(7), Read(map, "counter_raised", """{"Old": 7}"""));
        Assert.Equal(new CounterRaised(8), Read(map, "counter_raised_v2", """{"Amount": 8}"""));
        Assert.Equal(new CounterRaised(9), Read(map, "counter_raised_v3", """{"By": 9}"""));
        Assert.Equal("counter_raised_v3", map.NameOf(typeof(CounterRaised)));
    }

    [Fact]
    public void An_upcaster_that_leads_nowhere_stops_the_start() =>
        Assert.Contains("counter_raised_v2", Assert.Throws<EventTypeListException>(() => new EventTypeMap([RaisedV3], [new Rename(1, "Old", "By")])).Message);

    [Fact]
    public void Upcasters_that_run_in_a_circle_stop_the_start()
    {
        Assert.Contains("come back to", Assert.Throws<EventTypeListException>(() => new EventTypeMap([RaisedV3], [new Renamed("a", "b"), new Renamed("b", "c"), new Renamed("c", "b")])).Message);
        Assert.Contains("come back to", Assert.Throws<EventTypeListException>(() => new EventTypeMap([RaisedV3], [new Renamed("a", "a")])).Message);
    }

    [Fact]
    public void Every_old_name_reaches_the_current_one_whatever_it_was_called()
    {
        var map = new EventTypeMap(
            [RaisedV3], [new Renamed("host.counter_raised", "counter_raised_v3"), new Renamed("Foreign.Host.CounterRaised", "host.counter_raised"), new Rename(2, "Amount", "By")]);

        Assert.Equal(new CounterRaised(1), Read(map, "host.counter_raised", """{"By": 1}"""));
        Assert.Equal(new CounterRaised(2), Read(map, "Foreign.Host.CounterRaised", """{"By": 2}"""));
        Assert.Equal(new CounterRaised(3), Read(map, "counter_raised_v2", """{"Amount": 3}"""));
        Assert.Contains("'gone'", Assert.Throws<EventTypeListException>(() => new EventTypeMap([RaisedV3], [new Renamed("a", "b"), new Renamed("b", "gone")])).Message);
    }

    [Fact]
    public void Two_upcasters_of_one_name_stop_the_start() =>
        Assert.Throws<EventTypeListException>(() => new EventTypeMap([RaisedV3], [new Renamed("a", "counter_raised_v3"), new Renamed("a", "b")]));

    [Fact]
    public void A_registered_name_is_not_upcast() =>
        Assert.Throws<EventTypeListException>(() => new EventTypeMap(
            [EventTypeEntry.Of("counter_raised", FactsJson.Default.CounterRaised), EventTypeEntry.Of("counter_raised_v2", FactsJson.Default.NoteTaken)],
            [new Rename(1, "Old", "By")]));

    [Fact]
    public void A_name_or_a_type_is_listed_once()
    {
        Assert.Throws<EventTypeListException>(() => new EventTypeMap([RaisedV3, RaisedV3 with { Clr = typeof(Unlisted) }]));
        Assert.Throws<EventTypeListException>(() => new EventTypeMap([RaisedV3, RaisedV3 with { StoredName = "other" }]));
    }

    [Fact]
    public void An_unknown_name_and_an_unreadable_payload_are_told_apart()
    {
        var map = new EventTypeMap([RaisedV3]);

        Assert.Equal("gone", Assert.Throws<UnknownEventTypeException>(() => Read(map, "gone", "{}")).EventType);
        Assert.Equal("counter_raised_v4", Assert.Throws<UnknownEventTypeException>(() => Read(map, "counter_raised_v4", "{}")).EventType);
        Assert.Throws<EventUnreadableException>(() => Read(map, "counter_raised_v3", """{"By": "many"}"""));
        Assert.Throws<EventUnreadableException>(() => Read(map, "counter_raised_v3", "null"));
        Assert.Throws<UnknownEventTypeException>(() => map.Serialize(new Unlisted(1)));
    }

    [Theory]
    [InlineData("call_started", "call_started", 1)]
    [InlineData("call_started_v2", "call_started", 2)]
    [InlineData("call_started_v12", "call_started", 12)]
    [InlineData("tv_v", "tv_v", 1)]
    [InlineData("x_v1", "x_v1", 1)]
    [InlineData("_v2", "_v2", 1)]
    public void A_stored_name_tells_its_version(string stored, string name, int version)
    {
        Assert.Equal((name, version), StoredName.Parse(stored));
        if (version > 1) Assert.Equal(stored, StoredName.Of(name, version));
    }

    private sealed class Renamed(string from, string to) : IEventUpcaster
    {
        public string EventType => from;

        public int FromVersion => 1;

        public string To => to;

        public JsonNode Upcast(JsonNode stored) => stored;
    }

    private sealed class Rename(int from, string old, string now) : IEventUpcaster
    {
        public string EventType => "counter_raised";

        public int FromVersion => from;

        public JsonNode Upcast(JsonNode stored) => new JsonObject { [now] = stored[old]!.DeepClone() };
    }
}
