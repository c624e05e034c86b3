using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Queries;
using Sentiric.EventStore;
using Sentiric.Read.Http;

namespace Sentiric.Read.Ops;

/// <summary>
/// The log as it grows, from any position or moment on, filtered: server-sent events "event" with the position as id, so that a client that connects
/// again goes on where it stood. "hello" comes first; "at" tells where the reader stands after <see cref="QuietLooks"/> looks that brought nothing.
/// Each follower reads the log for itself, so a slow one slows nobody, and at most <see cref="MaxFollowers"/> do.
/// </summary>
public sealed class TailEvents(IEventStore store, LogClock logClock)
{
    public const int MaxFollowers = 32;
    private const int PageSize = 500;
    private const int QuietLooks = 10;
    private static readonly TimeSpan IdleWait = TimeSpan.FromSeconds(1);
    private int _followers;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/events/tail", (HttpContext http, TailEvents tail, [AsParameters] TailQuery query, CancellationToken ct) =>
                ReadHttp.ForTenantAsync(http, tenant => tail.AnswerAsync(http, tenant, query, ct)))
            .WithTags("events").WithName("TailEvents").Produces(200, contentType: "text/event-stream")
            .WithSummary("The log as it grows, filtered, from a position or moment on (text/event-stream). Tenant '*': all of them. Needs an admin key.");

    /// <param name="After">Start behind this position; 0: from the first event. Default: from now on.</param>
    /// <param name="Since">Start with the first event recorded at or after this moment.</param>
    /// <param name="Follow">false: end at the high-water mark instead of waiting for more.</param>
    /// <param name="Limit">End after so many events.</param>
    public sealed record TailQuery(
        [FromQuery(Name = "type")] string[]? Type, [FromQuery(Name = "stream")] string? Stream, [FromQuery(Name = "call_id")] Guid? CallId,
        [FromQuery(Name = "correlation_id")] string? CorrelationId, [FromQuery(Name = "after")] long? After, [FromQuery(Name = "since")] DateTimeOffset? Since,
        [FromQuery(Name = "follow")] bool? Follow, [FromQuery(Name = "limit")] int? Limit);

    private async Task<IResult> AnswerAsync(HttpContext http, string tenant, TailQuery query, CancellationToken ct)
    {
        if (query.After < 0) return ReadHttp.Problem("request.position_invalid", "'after' is a position: 0 or more.");
        if (query.Limit < 1) return ReadHttp.Problem("request.limit_invalid", "'limit' is a number of events: 1 or more.");
        if (Interlocked.Increment(ref _followers) > MaxFollowers)
        {
            Interlocked.Decrement(ref _followers);
            return ReadHttp.Problem("events.tail_unavailable", $"{MaxFollowers} readers follow the log already; close one of them.");
        }

        http.Response.RegisterForDispose(new Leaving(this));
        var filter = new LogFilter(tenant == LogFilter.AllTenants ? null : tenant, query.Type ?? [], query.Stream, query.CallId, query.CorrelationId);
        var from = await StartAsync(http, query, ct);
        return TypedResults.ServerSentEvents(FollowAsync(filter, from, query.Follow ?? true, query.Limit ?? int.MaxValue, ct));
    }

    private async ValueTask<long> StartAsync(HttpContext http, TailQuery query, CancellationToken ct)
    {
        var seen = http.Request.Headers["Last-Event-ID"].FirstOrDefault();
        if (long.TryParse(seen, NumberStyles.None, CultureInfo.InvariantCulture, out var last)) return last;
        if (query.After is { } after) return after;
        var mark = await store.GetHighWaterMarkAsync(ct);
        return query.Since is { } since ? await logClock.PositionBeforeAsync(since, mark, ct) : mark;
    }

    private async IAsyncEnumerable<SseItem<string>> FollowAsync(LogFilter filter, long from, bool follow, int limit, [EnumeratorCancellation] CancellationToken ct)
    {
        var (position, left, quiet) = (from, limit, 0);
        yield return Place("hello", position, await store.GetHighWaterMarkAsync(ct));
        while (!ct.IsCancellationRequested)
        {
            var mark = await store.GetHighWaterMarkAsync(ct);
            var read = 0;
            await foreach (var recorded in store.ReadAllAsync(position, PageSize, ct))
            {
                (position, read) = (recorded.Position, read + 1);
                if (!filter.Wants(recorded)) continue;
                yield return Item(recorded);
                if (--left == 0) yield break;
                quiet = 0;
            }

            if (read == PageSize) continue;
            position = Math.Max(position, mark);
            if (!follow) yield break;
            await store.WaitForChangeAsync(position, IdleWait, ct);
            if (++quiet < QuietLooks) continue;
            quiet = 0;
            yield return Place("at", position, mark);
        }
    }

    private SseItem<string> Item(RecordedEvent recorded) =>
        new(JsonSerializer.Serialize(LogEntries.Of(store.Serializer, recorded), Wire.Json), "event") { EventId = recorded.Position.ToString(CultureInfo.InvariantCulture) };

    private static SseItem<string> Place(string name, long position, long mark) => new(JsonSerializer.Serialize(new LogPlace(position, mark), Wire.Json), name);

    private sealed class Leaving(TailEvents tail) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref tail._followers);
    }
}
