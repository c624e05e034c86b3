using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sentiric.EventStore.Tests.Contract;

public sealed record CounterOpened(string Name);

public sealed record CounterRaised(int By);

public sealed record NoteTaken(string Text);

/// <summary>A fact that no list names.</summary>
public sealed record Unlisted(int X);

/// <summary>Serialises to whatever the test says; the text is the JSON.</summary>
public sealed record RawFact(string Json);

[JsonSerializable(typeof(CounterOpened))]
[JsonSerializable(typeof(CounterRaised))]
[JsonSerializable(typeof(NoteTaken))]
public sealed partial class FactsJson : JsonSerializerContext;

public static class Facts
{
    public static IEventSerializer Serializer { get; } = new WithRaw(new EventTypeMap(
    [
        EventTypeEntry.Of("counter_opened", FactsJson.Default.CounterOpened),
        EventTypeEntry.Of("counter_raised", FactsJson.Default.CounterRaised),
        EventTypeEntry.Of("note_taken", FactsJson.Default.NoteTaken),
    ]));

    public static EventData Raised(int by) => EventData.Of(new CounterRaised(by));

    public static EventData[] Raised(int count, int by) => [.. Enumerable.Range(0, count).Select(_ => Raised(by))];

    public static int Sum(int state, object @event) => @event is CounterRaised raised ? state + raised.By : state;

    private sealed class WithRaw(EventTypeMap map) : IEventSerializer
    {
        public IReadOnlyCollection<string> OldNamesOf(string storedName) => map.OldNamesOf(storedName);

        public string NameOf(Type type) => type == typeof(RawFact) ? "raw_fact" : map.NameOf(type);

        public ReadOnlyMemory<byte> Serialize(object data) =>
            data is RawFact raw ? System.Text.Encoding.UTF8.GetBytes(raw.Json) : map.Serialize(data);

        public object Deserialize(string storedName, ReadOnlyMemory<byte> json) => map.Deserialize(storedName, json);
    }
}
