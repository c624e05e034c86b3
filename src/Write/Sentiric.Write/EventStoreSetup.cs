using Sentiric.Contracts.Events;
using Sentiric.EventStore;

namespace Sentiric.Write;

/// <summary>How our events are named and written in the store: the catalog of the contracts, nothing else.</summary>
public static class EventStoreSetup
{
    public static EventTypeMap EventTypes() =>
        new(EventCatalog.All.Select(kind => new EventTypeEntry(kind.Type, StoredName.Of(kind.StoredName, kind.Version), EventCatalog.StoredJson(kind.Type))));
}
