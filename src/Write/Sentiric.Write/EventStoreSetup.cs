using Sentiric.Contracts.Events;
using Sentiric.EventStore;

namespace Sentiric.Write;

/// <summary>How our events are named and written in the store: the catalog of the contracts, and what lifts older versions to it.</summary>
public static class EventStoreSetup
{
    /// <summary>One step per version that is no longer written, see docs/events.md. All events are of version 1 so far.</summary>
    private static IReadOnlyList<IEventUpcaster> Upcasters { get; } = [];

    public static EventTypeMap EventTypes() => new(
        EventCatalog.All.Select(kind => new EventTypeEntry(kind.Type, StoredName.Of(kind.StoredName, kind.Version), EventCatalog.StoredJson(kind.Type))), Upcasters);
}
