using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts.Queries;
using Sentiric.EventStore;
using Sentiric.Read.Http;

namespace Sentiric.Read.Ops;

/// <summary>Any stream as it is stored, now, at a version, or as it stood at a moment.</summary>
public static class ShowStream
{
    private const int MaxEvents = 1_000;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/events/streams/{stream}", (HttpContext http, IEventStore store, string stream, [AsParameters] StreamQuery query, CancellationToken ct) =>
                ReadHttp.ForTenantAsync(http, tenant => AnswerAsync(store, tenant, stream, query, ct)))
            .WithTags("events").WithName("ShowStream").Produces<StreamPage>()
            .WithSummary("One stream with its events, versions, times and metadata; at a version or a moment when asked. Needs an admin key.");
        routes.MapGet("/events/streams/{stream}/truncations", (HttpContext http, IEventStore store, [FromServices] AuditTrail trail, [FromServices] AuditTrust trust, string stream, CancellationToken ct) =>
                ReadHttp.ForTenantAsync(http, tenant => TruncationsAsync((IStreamLifecycle)store, trail, trust, tenant, stream, ct)))
            .WithTags("events").WithName("ListTruncations").Produces<IReadOnlyList<TruncationReply>>()
            .WithSummary("What was deleted of a stream, when, by whom and why, and which key ordered it, oldest first. Needs an admin key.");
    }

    /// <param name="From">The first version of the page, 1 without one.</param>
    /// <param name="Version">Nothing after this version.</param>
    /// <param name="At">Nothing that was recorded after this moment.</param>
    /// <param name="Limit">Events of a page, at most 1,000.</param>
    public sealed record StreamQuery(
        [FromQuery(Name = "from")] long? From, [FromQuery(Name = "version")] long? Version, [FromQuery(Name = "at")] DateTimeOffset? At, [FromQuery(Name = "limit")] int? Limit);

    private static async Task<IResult> TruncationsAsync(IStreamLifecycle store, AuditTrail trail, AuditTrust trust, string tenant, string stream, CancellationToken ct)
    {
        var truncations = await store.ListTruncationsAsync(tenant, stream, ct);
        // Without a key of its own this process can believe no order; the trail's tables may not even be there.
        var orders = trust.Keys.Count == 0 || truncations.Count == 0 ? []
            : await trail.OrdersAsync(trust.Keys, truncations[0].Tenant, truncations[0].StreamId, [.. truncations.Select(t => t.BeforeVersion)], ct);
        return ReadHttp.Json(truncations.Select((t, at) => Reply(t, at < orders.Count ? orders[at] : null)).ToList());
    }

    private static TruncationReply Reply(StreamTruncation t, TruncationOrder? order) => new(
        t.Tenant, t.StreamId, t.BeforeVersion, t.Events, t.FirstPosition, t.LastPosition, Convert.ToHexStringLower(t.Sha256.Span), t.Why, t.Actor, t.TruncatedAt,
        order?.SignedAt, order?.OrderedBy, order is null ? null : AuditOps.OrderOf(order.Standing));

    private static async Task<IResult> AnswerAsync(IEventStore store, string tenant, string stream, StreamQuery query, CancellationToken ct)
    {
        var state = await store.GetStreamStateAsync(tenant, stream, ct);
        if (state is null) return ReadHttp.Problem("stream.unknown", $"Tenant '{tenant}' has no stream '{stream}'.");
        var size = Math.Clamp(query.Limit ?? MaxEvents, 1, MaxEvents);
        var events = new List<LogEntry>();
        var cut = false;
        await foreach (var recorded in store.ReadStreamAsync(tenant, stream, Math.Max(1, query.From ?? 1), size, ct))
        {
            cut = recorded.Version > query.Version || recorded.RecordedAt > query.At;
            if (cut) break;
            events.Add(LogEntries.Of(store.Serializer, recorded));
        }

        var more = !cut && events.Count == size && events[^1].Version < Math.Min(state.Version, query.Version ?? long.MaxValue);
        return ReadHttp.Json(new StreamPage(
            tenant, stream, state.AggregateType, state.Version, state.Created, state.LastChanged, state.IsArchived, events, more ? events[^1].Version + 1 : null));
    }
}
