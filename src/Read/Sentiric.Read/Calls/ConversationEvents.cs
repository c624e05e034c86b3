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

    /// <summary>Queues what removes every row of a conversation; a stream that is none has no rows.</summary>
    public static void Delete(IProjectionWriter writer, string streamId, params ReadOnlySpan<string> tables)
    {
        if (Streams.CallIdOf(streamId) is not { } callId)
        {
            return;
        }

        foreach (var table in tables)
        {
            writer.Execute($"delete from {writer.Table(table)} where call_id = $1", callId);
        }
    }
}
