using System.Text.Json.Nodes;

namespace Sentiric.EventStore;

/// <summary>
/// Lifts one stored event from <see cref="FromVersion"/> to the next version, or to another name, as JSON; <see cref="EventUpcaster{TOld,TNew}"/> does it as records.
/// Pure: it asks neither the time nor anybody else.
/// </summary>
public interface IEventUpcaster
{
    /// <summary>The stored name without its version suffix.</summary>
    string EventType { get; }

    int FromVersion { get; }

    /// <summary>The stored name, suffix included, of what comes out. Another one than the next version's where an event was renamed, or another host names its types in another way.</summary>
    string To => StoredName.Of(EventType, FromVersion + 1);

    JsonNode Upcast(JsonNode stored);
}
