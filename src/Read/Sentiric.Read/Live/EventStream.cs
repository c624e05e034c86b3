using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts.Events;
using Sentiric.Read.Http;

namespace Sentiric.Read.Live;

/// <summary>The push channel: server-sent events, one per stored event, named by its type. The first one, "hello", says that the line is open.</summary>
public static class EventStream
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/events/stream", (HttpContext http, LiveFeed feed, [FromQuery(Name = "call_id")] Guid? callId, CancellationToken ct) =>
                ReadHttp.ForTenantAsync(http, tenant => Task.FromResult<IResult>(TypedResults.ServerSentEvents(StreamAsync(feed, tenant, callId, ct)))))
            .WithTags("events").WithName("StreamEvents").WithSummary("Events of the tenant, or of one call, as they are stored (text/event-stream).");

    private static async IAsyncEnumerable<SseItem<string>> StreamAsync(LiveFeed feed, string tenant, Guid? callId, [EnumeratorCancellation] CancellationToken ct)
    {
        // Listening begins before the hello: whoever acts on it hears of what it did.
        using var listener = feed.Listen(tenant, callId);
        yield return new("{}", "hello");
        await foreach (var envelope in listener.EventsAsync(ct))
        {
            yield return new(JsonSerializer.Serialize(envelope, EnvelopeJson.Default.EventEnvelope), envelope.Type) { EventId = envelope.Id.ToString() };
        }
    }
}
