using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Queries;
using Sentiric.EventStore;
using Sentiric.EventStore.Proofs;
using Sentiric.Read.Http;

namespace Sentiric.Read.Ops;

/// <summary>The public keys that verifications believe. They come from the host's key file, never out of the database; empty when there is none.</summary>
public sealed record AuditTrust(IReadOnlyList<AuditPublicKey> Keys);

/// <summary>What an auditor asks: how far the log is signed, whether it is as it was signed, the proof of one stream, checkpoints to take away.</summary>
public static class AuditOps
{
    private const int MaxProgress = 16, MaxCheckpoints = 10_000;
    private const string LinesType = "application/x-ndjson";

    public static void Map(IEndpointRouteBuilder routes)
    {
        // A verification reads the whole log: one at a time is enough for a host.
        var turn = new SemaphoreSlim(1, 1);
        routes.MapGet("/events/audit", async ([FromServices] AuditTrail trail, IEventStore store, CancellationToken ct) => ReadHttp.Json(await StateAsync(trail, store, ct)))
            .WithTags("events").WithName("AuditState").Produces<AuditState>().WithSummary("How far the log is signed, and every key that signed. Needs an admin key.");
        routes.MapGet("/events/audit/checkpoints", ([FromServices] AuditTrail trail, [FromQuery(Name = "from")] long? from, [FromQuery(Name = "limit")] int? limit, CancellationToken ct) =>
                Results.Stream(body => WriteAsync(trail, body, from ?? 1, Math.Clamp(limit ?? MaxCheckpoints, 1, MaxCheckpoints), ct), LinesType))
            .WithTags("events").WithName("AuditCheckpoints").Produces(200, contentType: LinesType)
            .WithSummary("Signed checkpoints from a block on, one a line: anchors to keep elsewhere. Needs an admin key.");
        routes.MapGet("/events/audit/proofs/{stream}", (HttpContext http, [FromServices] AuditTrail trail, string stream, CancellationToken ct) =>
                ReadHttp.ForTenantAsync(http, tenant => ProveAsync(trail, tenant, stream, ct)))
            .WithTags("events").WithName("ProveStream").Produces(200, contentType: "application/json")
            .WithSummary("The proof of one stream, to be checked without the platform. Needs an admin key.");
        routes.MapGet("/events/audit/verify", ([FromServices] AuditTrail trail, [FromServices] AuditTrust trust, [AsParameters] VerifyQuery query, CancellationToken ct) => Verify(trail, trust, turn, query, ct))
            .WithTags("events").WithName("VerifyEvents").Produces(200, contentType: "text/event-stream")
            .WithSummary("Compares the log with what was signed; server-sent events 'progress' and, last, 'verdict'; 'refused' while another verification runs, or when there is nothing to compare. Needs an admin key of the platform.");
    }

    /// <param name="Of">One tenant's streams only.</param>
    /// <param name="Stream">One stream of that tenant only.</param>
    /// <param name="After">Events up to the end of this block are not read again.</param>
    /// <param name="Anchor">A checkpoint that was kept elsewhere, as one line of JSON: the database must still hold it.</param>
    public sealed record VerifyQuery(
        [FromQuery(Name = "of")] string? Of, [FromQuery(Name = "stream")] string? Stream, [FromQuery(Name = "after")] long? After, [FromQuery(Name = "anchor")] string? Anchor);

    private static async Task<AuditState> StateAsync(AuditTrail trail, IEventStore store, CancellationToken ct)
    {
        var (last, mark) = ((await trail.LastCheckpointAsync(ct))?.Read(), await store.GetHighWaterMarkAsync(ct));
        return new AuditState(
            last?.Number ?? 0, last?.To ?? 0, mark, Math.Max(0, mark - (last?.To ?? 0)), last?.Streams ?? 0, last?.SignedAt, last?.KeyId,
            [.. (await trail.KeysAsync(ct)).Select(k => new AuditKeyRow(k.KeyId, k.IntroducedAt, k.EndorsedBy, AuditPublicKey.Of(k.PublicKey).Pem))]);
    }

    private static async Task WriteAsync(AuditTrail trail, Stream body, long from, int limit, CancellationToken ct)
    {
        await foreach (var signed in trail.CheckpointsAsync(from, ct))
        {
            await body.WriteAsync(Encoding.UTF8.GetBytes(signed.ToLine() + "\n"), ct);
            if (--limit == 0) return;
        }
    }

    private static async Task<IResult> ProveAsync(AuditTrail trail, string tenant, string stream, CancellationToken ct)
    {
        try
        {
            return Results.Text((await trail.ProveAsync(tenant, stream, ct)).ToJson(), "application/json", Encoding.UTF8);
        }
        catch (StreamNotNotarisedException e)
        {
            return ReadHttp.Problem("stream.unknown", e.Message);
        }
        catch (AuditTamperedException e)
        {
            return ReadHttp.Problem("audit.tampered", e.Message);
        }
    }

    private static IResult Verify(AuditTrail trail, AuditTrust trust, SemaphoreSlim turn, VerifyQuery query, CancellationToken ct)
    {
        if (trust.Keys.Count == 0) return ReadHttp.Problem("audit.no_key", "This process has no audit key; Audit__KeyFile names its file.");
        if (query.Stream is not null && query.Of is null) return ReadHttp.Problem("request.tenant_missing", "A stream is verified of one tenant: say which with 'of'.");
        if (query.Anchor is { } line && SignedCheckpoint.OfLine(line) is null) return ReadHttp.Problem("request.anchor_unreadable", "The anchor is no checkpoint line.");
        var options = new VerifyOptions(trust.Keys)
        {
            Tenant = query.Of, StreamId = query.Stream, AfterBlock = query.After ?? 0, Anchors = query.Anchor is { } anchor ? [SignedCheckpoint.OfLine(anchor)!] : [],
        };
        return TypedResults.ServerSentEvents(VerifyAsync(trail, turn, options, ct));
    }

    private static async IAsyncEnumerable<SseItem<string>> VerifyAsync(AuditTrail trail, SemaphoreSlim turn, VerifyOptions options, [EnumeratorCancellation] CancellationToken ct)
    {
        if (!turn.Wait(0, ct))
        {
            yield return new(JsonSerializer.Serialize(Problems.Of(new Refusal("verification.taken", "A verification is under way; wait for its end.")), Wire.Json), "refused");
            yield break;
        }

        try
        {
            // A reader that is slow misses steps, never the verdict.
            var steps = Channel.CreateBounded<AuditProgress>(new BoundedChannelOptions(MaxProgress) { FullMode = BoundedChannelFullMode.DropOldest });
            var verifying = RunAsync(trail, options, steps.Writer, ct);
            await foreach (var step in steps.Reader.ReadAllAsync(ct)) yield return new(JsonSerializer.Serialize(step, Wire.Json), "progress");
            var report = await verifying;
            yield return NothingCompared(report, options) is { } refusal
                ? new(JsonSerializer.Serialize(Problems.Of(refusal), Wire.Json), "refused")
                : new(JsonSerializer.Serialize(Row(report), Wire.Json), "verdict");
        }
        finally
        {
            turn.Release();
        }
    }

    // A verdict over nothing would call a name that was mistyped, a stream that was taken away with its audit rows, and a database that was set back sound.
    private static Refusal? NothingCompared(AuditReport report, VerifyOptions options) => (report.IsSound, options) switch
    {
        (false, _) => null,
        (_, { Tenant: { } tenant, StreamId: var stream }) when report is { Events: 0, Streams: 0, Pending: 0, Removed: 0 } => new Refusal("stream.unknown",
            $"Tenant '{tenant}' has no signed stream{(stream is null ? "" : $" '{stream}'")}: nothing was compared. If there was one, verify the whole store, and with an anchor."),
        (_, { Tenant: null, AfterBlock: var after }) when after > (report.Last?.Number ?? 0) => new Refusal("block.unknown",
            string.Create(CultureInfo.InvariantCulture, $"There is no block {after}; the newest is {report.Last?.Number ?? 0}. If there was one, the database was set back.")),
        _ => null,
    };

    private static async Task<AuditReport> RunAsync(AuditTrail trail, VerifyOptions options, ChannelWriter<AuditProgress> steps, CancellationToken ct)
    {
        try
        {
            return await trail.VerifyAsync(options, new Steps(steps), ct);
        }
        finally
        {
            steps.Complete();
        }
    }

    private static AuditVerdict Row(AuditReport r) => new(
        r.IsSound, r.Events, r.Streams, r.Blocks, r.Pending, r.Removed,
        [.. r.Removals.Select(x => new AuditRemoval(x.Tenant, x.StreamId, x.UpToVersion, x.Why, x.Actor, x.At, x.File, x.SignedAt, x.OrderedBy, OrderOf(x.Standing)))], r.FindingCount,
        [.. r.Findings.Select(f => new AuditFindingRow(Words(f.Kind), f.Table, f.What, f.Position, f.Tenant, f.StreamId, f.Version, f.Block, f.Columns))], r.Took.TotalSeconds);

    internal static RemovalOrdering OrderOf(RemovalStanding standing) => standing switch
    {
        RemovalStanding.Ordered => RemovalOrdering.Ordered,
        RemovalStanding.BeforeOrders => RemovalOrdering.BeforeOrders,
        RemovalStanding.NotOrdered => RemovalOrdering.NotOrdered,
    };

    private static string Words(AuditFindingKind kind) => JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString());

    private sealed class Steps(ChannelWriter<AuditProgress> to) : IProgress<VerifyProgress>
    {
        public void Report(VerifyProgress value) => to.TryWrite(new AuditProgress(value.Phase, value.Done, value.Total));
    }
}
