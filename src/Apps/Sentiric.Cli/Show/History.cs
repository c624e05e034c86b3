using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;

namespace Sentiric.Cli.Show;

/// <summary>An event as the API lists it is one as it streams it, without what the list leaves out.</summary>
internal static class History
{
    public static EventEnvelope Envelope(HistoryEntry entry, Guid callId) => new(
        entry.Id, entry.Type, 1, Streams.Call(callId), entry.Sequence, entry.OccurredAt, "", callId, null, null, entry.Actor, entry.Data);
}
