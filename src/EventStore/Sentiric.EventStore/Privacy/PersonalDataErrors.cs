namespace Sentiric.EventStore;

/// <summary>A master key is missing, wrong or unreadable. The message says which one and what to do; nothing of the key is in it.</summary>
public sealed class MasterKeyException(string message, Exception? inner = null) : EventStoreException(message, inner);

/// <summary>
/// A sealed member does not open with its own living key: its text was changed or moved here from another event.
/// The event cannot be read; all others can.
/// </summary>
public sealed class PersonalDataTamperedException(string streamId, Guid eventId, string member) : EventStoreException(
    $"The sealed member '{member}' of event {eventId} in stream '{streamId}' is not what was stored there.")
{
    public string StreamId { get; } = streamId;
    public Guid EventId { get; } = eventId;
    public string Member { get; } = member;
}
