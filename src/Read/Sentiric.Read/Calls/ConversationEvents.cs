using Sentiric.Contracts.Events;
using Sentiric.EventStore;

namespace Sentiric.Read.Calls;

/// <summary>How a read model of calls and chats goes through a batch: it sees only their events, with the id of the conversation.</summary>
internal static class ConversationEvents
{
    /// <summary>The stored names of these events.</summary>
    public static IReadOnlyCollection<string> Named(params IReadOnlyList<Type> types) => [.. types.Select(t => EventCatalog.Of(t).StoredName)];

    public static void Each(IProjectionWriter writer, IReadOnlyList<RecordedEvent> batch, Action<Guid, RecordedEvent, object> apply)
    {
        foreach (var recorded in batch)
        {
            if (Streams.CallIdOf(recorded.StreamId) is { } callId)
            {
                apply(callId, recorded, writer.Serializer.Deserialize(recorded));
            }
        }
    }
}
