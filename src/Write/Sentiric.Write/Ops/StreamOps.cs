using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Queries;
using Sentiric.EventStore;
using Sentiric.Write.Http;

namespace Sentiric.Write.Ops;

/// <summary>The life of a stream beside its events: closed, opened again, shortened for good. For keys of the platform; the host's gate sees to that.</summary>
public static class StreamOps
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/events/streams/{stream}/archive", (HttpContext http, IEventStore store, string stream, CancellationToken ct) =>
                SwitchAsync(http, stream, tenant => store.ArchiveStreamAsync(tenant, stream, ct)))
            .Describe("ArchiveStream", "events");
        routes.MapPost("/events/streams/{stream}/unarchive", (HttpContext http, IEventStore store, string stream, CancellationToken ct) =>
                SwitchAsync(http, stream, tenant => ((IStreamLifecycle)store).UnarchiveStreamAsync(tenant, stream, ct)))
            .Describe("UnarchiveStream", "events");
        routes.MapPost("/events/streams/{stream}/truncate", (HttpContext http, IEventStore store, string stream, CancellationToken ct) =>
                StoreRefusals.GuardedAsync(() => TruncateAsync(http, (IStreamLifecycle)store, stream, ct)))
            .Accepts<TruncationBody>("application/json").Produces<TruncationReply>()
            .Produces<ProblemBody>(409, Problems.ContentType).Produces<ProblemBody>(422, Problems.ContentType)
            .WithTags("events").WithName("TruncateStream")
            .WithSummary("Deletes the events of a stream before a version for good and keeps a record of it. Needs an admin key of the platform.");
    }

    private static Task<IResult> SwitchAsync(HttpContext http, string stream, Func<string, ValueTask<bool>> change) => StoreRefusals.GuardedAsync(async () =>
    {
        var who = CommandHttp.RequesterOf(http);
        if (who.Refusal is { } stranger) return CommandHttp.Problem(stranger);
        return await change(who.Value.Tenant).ConfigureAwait(false) ? Results.NoContent() : CommandHttp.Problem(Unknown(who.Value.Tenant, stream));
    });

    private static async Task<IResult> TruncateAsync(HttpContext http, IStreamLifecycle store, string stream, CancellationToken ct)
    {
        var who = CommandHttp.RequesterOf(http);
        if (who.Refusal is { } stranger) return CommandHttp.Problem(stranger);
        var body = await RequestBody.ReadAsync<TruncationBody>(http.Request, ct).ConfigureAwait(false);
        if (body.Refusal is { } unreadable) return CommandHttp.Problem(unreadable);
        if (!Valid.Text(body.Value.Reason)) return CommandHttp.Problem(new("stream.reason_missing", "Say why the events are deleted; the reason is kept with the record."));
        if (body.Value.BeforeVersion < 1) return CommandHttp.Problem(new("stream.version_invalid", "before_version is the first version that stays, 1 or more."));
        var (tenant, actor) = (who.Value.Tenant, who.Value.Actor);
        if (await ((IEventStore)store).GetStreamStateAsync(tenant, stream, ct).ConfigureAwait(false) is null) return CommandHttp.Problem(Unknown(tenant, stream));
        var done = await store.TruncateStreamAsync(tenant, stream, body.Value.BeforeVersion, new(body.Value.Reason, actor, body.Value.EvenUnread), ct).ConfigureAwait(false);
        return done is null
            ? CommandHttp.Problem(new("stream.nothing_to_truncate", $"Stream '{stream}' has no event before version {body.Value.BeforeVersion} that could be deleted; the last one always stays."))
            : Results.Json(Reply(done), Wire.Json);
    }

    private static TruncationReply Reply(StreamTruncation t) => new(
        t.Tenant, t.StreamId, t.BeforeVersion, t.Events, t.FirstPosition, t.LastPosition, Convert.ToHexStringLower(t.Sha256.Span), t.Why, t.Actor, t.TruncatedAt);

    private static Refusal Unknown(string tenant, string stream) => new("stream.unknown", $"Tenant '{tenant}' has no stream '{stream}'.");
}

/// <param name="BeforeVersion">The first version that stays.</param>
/// <param name="EvenUnread">Although a read model or subscription has not read the events.</param>
public sealed record TruncationBody(long BeforeVersion, string Reason, bool EvenUnread = false);
