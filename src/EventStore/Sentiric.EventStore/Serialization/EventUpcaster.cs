using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Sentiric.EventStore;

/// <summary>
/// Lifts one stored event from the record that it once was to the next one, by a pure function: no clock, no dice, nobody asked.
/// <code>
///   class SplitName() : EventUpcaster&lt;GuestV1, Guest&gt;("guest_named", 1, MyJson.Default.GuestV1, MyJson.Default.Guest)
///   {
///       protected override Guest Upcast(GuestV1 old) => new(old.Name.Split(' ')[0], old.Name.Split(' ')[^1]);
///   }
/// </code>
/// It stands in the list of <see cref="EventTypeMap"/> beside upcasters from JSON to JSON, and steps of both kinds follow each other: between two steps
/// over types the record is handed on as it is. <typeparamref name="TOld"/> is not registered, so that nobody appends it any more.
/// </summary>
/// <param name="eventType">The stored name without its version suffix.</param>
/// <param name="old">How the stored JSON of that version is read.</param>
/// <param name="lifted">How the result is written where the next step wants JSON.</param>
public abstract class EventUpcaster<TOld, TNew>(string eventType, int fromVersion, JsonTypeInfo<TOld> old, JsonTypeInfo<TNew> lifted) : IEventUpcaster, ITypedUpcaster
    where TOld : notnull
    where TNew : notnull
{
    public string EventType { get; } = eventType;

    public int FromVersion { get; } = fromVersion;

    /// <inheritdoc/>
    public virtual string To => StoredName.Of(EventType, FromVersion + 1);

    Type ITypedUpcaster.Old => typeof(TOld);

    Type ITypedUpcaster.New => typeof(TNew);

    protected abstract TNew Upcast(TOld old);

    JsonNode IEventUpcaster.Upcast(JsonNode stored) => Written(Lifted(Read(stored.Deserialize(old))));

    object ITypedUpcaster.FromJson(ReadOnlySpan<byte> json) => Lifted(Read(JsonSerializer.Deserialize(json, old)));

    object ITypedUpcaster.FromNode(JsonNode node) => Lifted(Read(node.Deserialize(old)));

    object ITypedUpcaster.FromRecord(object record) => Lifted((TOld)record);

    JsonNode ITypedUpcaster.ToNode(object result) => Written((TNew)result);

    private TNew Lifted(TOld record) => Upcast(record) is { } result ? result : throw new JsonException($"The upcaster gave no {typeof(TNew).Name}.");

    private JsonNode Written(TNew result) => JsonSerializer.SerializeToNode(result, lifted) ?? throw new JsonException($"A {typeof(TNew).Name} was written as null.");

    private static TOld Read(TOld? value) => value is { } read ? read : throw new JsonException("The payload is null.");
}

public static class EventUpcaster
{
    /// <summary>The same from a function.</summary>
    /// <param name="to">The stored name, suffix included, of what comes out; null: that of the next version.</param>
    public static IEventUpcaster Of<TOld, TNew>(
        string eventType, int fromVersion, JsonTypeInfo<TOld> old, JsonTypeInfo<TNew> lifted, Func<TOld, TNew> upcast, string? to = null)
        where TOld : notnull
        where TNew : notnull => new ByFunction<TOld, TNew>(eventType, fromVersion, old, lifted, upcast, to);

    private sealed class ByFunction<TOld, TNew>(
        string eventType, int fromVersion, JsonTypeInfo<TOld> old, JsonTypeInfo<TNew> lifted, Func<TOld, TNew> upcast, string? to)
        : EventUpcaster<TOld, TNew>(eventType, fromVersion, old, lifted)
        where TOld : notnull
        where TNew : notnull
    {
        public override string To => to ?? base.To;

        protected override TNew Upcast(TOld old) => upcast(old);
    }
}

/// <summary>A step over records, as the chain sees it.</summary>
internal interface ITypedUpcaster : IEventUpcaster
{
    Type Old { get; }

    Type New { get; }

    /// <summary>From what is stored, without a tree of nodes in between.</summary>
    object FromJson(ReadOnlySpan<byte> json);

    object FromNode(JsonNode node);

    /// <summary>From the result of a step before, which is a <see cref="Old"/>.</summary>
    object FromRecord(object record);

    JsonNode ToNode(object result);
}
