using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;
using Sentiric.EventStore;
using Sentiric.Read.Http;

namespace Sentiric.Read.Calls;

/// <summary>The stream of a call as an auditor reads it: every event, in order, as it was recorded.</summary>
public static class CallHistory
{
    private const int MaxEvents = 20_000;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/calls/{callId:guid}/events", (HttpContext http, IEventStore store, Guid callId, CancellationToken ct) =>
                ReadHttp.ForTenantAsync(http, async tenant => await AnswerAsync(store, tenant, callId, ct)))
            .WithTags("calls").WithName("GetCallEvents").Produces<IReadOnlyList<HistoryEntry>>().WithSummary("Every event of a call or chat, as recorded.");

    private static async Task<IResult> AnswerAsync(IEventStore store, string tenant, Guid callId, CancellationToken ct)
    {
        foreach (var stream in new[] { Streams.Call(callId), Streams.Chat(callId) })
        {
            var entries = await ReadAsync(store, tenant, stream, ct);
            if (entries.Count > 0)
            {
                return ReadHttp.Json(entries);
            }
        }

        return ReadHttp.Problem("call.unknown", $"There is no call {callId} in tenant '{tenant}'.");
    }

    private static async Task<IReadOnlyList<HistoryEntry>> ReadAsync(IEventStore store, string tenant, string stream, CancellationToken ct)
    {
        var entries = new List<HistoryEntry>();
        await foreach (var recorded in store.ReadStreamAsync(tenant, stream, 1, MaxEvents, ct))
        {
            entries.Add(Entry(store.Serializer, recorded));
        }

        return entries;
    }

    // An event that this build does not know is shown as it is stored rather than hidden.
    private static HistoryEntry Entry(IEventSerializer serializer, RecordedEvent recorded)
    {
        var kind = EventCatalog.ForStoredName(recorded.EventType);
        var data = kind is null
            ? JsonDocument.Parse(recorded.Json).RootElement
            : JsonSerializer.SerializeToElement(serializer.Deserialize(recorded), EventCatalog.WireJson(kind.Type));
        return new(recorded.Position, recorded.Version, recorded.EventId, kind?.RoutingKey ?? recorded.EventType, recorded.OccurredAt, recorded.Metadata.Actor, data);
    }
}
