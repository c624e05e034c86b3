using System.Text.Json;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;
using Sentiric.EventStore;

namespace Sentiric.Read.Ops;

/// <summary>Stored events as <see cref="LogEntry"/>.</summary>
internal static class LogEntries
{
    public static LogEntry Of(IEventSerializer serializer, RecordedEvent recorded)
    {
        var kind = EventCatalog.ForStoredName(recorded.EventType);
        var m = recorded.Metadata;
        return new(
            recorded.Position, recorded.Tenant, recorded.StreamId, recorded.Version, recorded.EventId, kind?.RoutingKey ?? recorded.EventType, recorded.EventType,
            recorded.RecordedAt, recorded.OccurredAt, m.Actor, m.CorrelationId, m.CausationId, m.Headers, Data(serializer, kind, recorded));
    }

    // What this build does not know, or cannot read, is shown as it is stored rather than hidden: that is when an operator looks.
    private static JsonElement Data(IEventSerializer serializer, EventKind? kind, RecordedEvent recorded)
    {
        try
        {
            if (kind is not null) return JsonSerializer.SerializeToElement(serializer.Deserialize(recorded), EventCatalog.WireJson(kind.Type));
        }
        catch (EventStoreException)
        {
            return AsStored(recorded);
        }

        return AsStored(recorded);
    }

    private static JsonElement AsStored(RecordedEvent recorded)
    {
        using var document = JsonDocument.Parse(recorded.Json);
        return document.RootElement.Clone();
    }
}
