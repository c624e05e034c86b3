namespace Sentiric.EventStore;

public sealed partial class InMemoryEventStore
{
    IPayloadProtection? IProtectedStore.Protection => protection;

    /// <summary>The log as it lies here, nothing opened.</summary>
    internal IReadOnlyList<RecordedEvent> Stored
    {
        get
        {
            lock (_gate) return [.. _log.OfType<RecordedEvent>()];
        }
    }
}
