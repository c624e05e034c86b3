using Sentiric.Contracts.Events;
using Sentiric.EventStore;

namespace Sentiric.Read.Calls;

/// <summary>How a read model of calls and chats goes through a batch: it sees only their events, with the id of the conversation.</summary>
internal static class ConversationEvents
{
    public delegate void Apply(IProjectionWriter writer, Guid callId, RecordedEvent recorded, object @event);

    public static ValueTask EachAsync(IProjectionWriter writer, IReadOnlyList<RecordedEvent> batch, Apply apply)
    {
        foreach (var recorded in batch)
        {
            if (Streams.CallIdOf(recorded.StreamId) is { } callId)
            {
                apply(writer, callId, recorded, writer.Serializer.Deserialize(recorded));
            }
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Queues an update of the conversation's own row; values are $2 and on.</summary>
    public static void Set(this IProjectionWriter writer, string table, Guid callId, string columns, params object?[] values) =>
        writer.Execute($"update {writer.Table(table)} set {columns} where call_id = $1", [callId, .. values]);
}
