namespace Sentiric.EventStore;

/// <summary>Turns facts into stored JSON and back. Implementations are safe for many threads.</summary>
public interface IEventSerializer
{
    /// <summary>The stored names, suffix included, of the older versions that are read as the event stored under this name; empty when there are none.</summary>
    IReadOnlyCollection<string> OldNamesOf(string storedName) => [];

    /// <summary>The stored name of a type; throws <see cref="UnknownEventTypeException"/>.</summary>
    string NameOf(Type type);

    ReadOnlyMemory<byte> Serialize(object data);

    /// <summary>The fact in its current shape, upcast where it was stored in an older one. The bytes are the caller's: they change after the call. Throws <see cref="UnknownEventTypeException"/> and <see cref="EventUnreadableException"/>.</summary>
    object Deserialize(string storedName, ReadOnlyMemory<byte> json);
}

public static class EventSerializerExtensions
{
    /// <summary>The payload of a stored fact as its registered type.</summary>
    public static object Deserialize(this IEventSerializer serializer, RecordedEvent recorded) =>
        recorded.Data(serializer);
}
