using System.Text.Json.Nodes;

namespace Sentiric.EventStore;

/// <summary>Lifts one stored event from <see cref="FromVersion"/> to the next version. Pure: it asks neither the time nor anybody else.</summary>
public interface IEventUpcaster
{
    /// <summary>The stored name without its version suffix.</summary>
    string EventType { get; }

    int FromVersion { get; }

    JsonNode Upcast(JsonNode stored);
}
