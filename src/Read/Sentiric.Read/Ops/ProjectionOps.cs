using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts.Queries;
using Sentiric.EventStore;
using Sentiric.Read.Http;
using Row = Sentiric.Contracts.Queries.ProjectionStatus;
using Status = Sentiric.EventStore.ProjectionStatus;

namespace Sentiric.Read.Ops;

/// <summary>What operators ask and tell the read models and subscriptions: how far they are, to pause, to go on, to be built anew, what they could not handle.</summary>
public static class ProjectionOps
{
    private const int UsualParked = 100;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/projections", async (ProjectionDaemon daemon, IProjectionManager manager, CancellationToken ct) => ReadHttp.Json(await ListAsync(daemon, manager, ct)))
            .WithTags("operations").WithName("ListProjections").Produces<IReadOnlyList<Row>>().WithSummary("Every read model and subscription with its position and lag.");
        Post(routes, "pause", "PauseProjection", "No process applies further events until it is resumed; 'reason' is kept with it.", (name, a, ct) => AfterAsync(name, a, () => a.Manager.PauseAsync(name, a.Reason, a.Actor, ct), ct));
        Post(routes, "resume", "ResumeProjection", "Goes on from the checkpoint.", (name, a, ct) => AfterAsync(name, a, () => a.Manager.ResumeAsync(name, ct), ct));
        routes.MapPost("/projections/{name}/skip", (string name, [AsParameters] Asked a, long position, CancellationToken ct) => GuardAsync(() => SkipAsync(name, a, position, ct)))
            .WithTags("operations").WithName("SkipEvent").Produces<Row>().WithSummary("The event at this position will not be applied; it is parked as skipped.");
        MapParked(routes);
        ProjectionRebuilds.Map(routes);
    }

    private static void MapParked(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/projections/{name}/parked", (string name, IProjectionManager manager, int? limit, CancellationToken ct) =>
                GuardAsync(async () => ReadHttp.Json((await manager.ListParkedAsync(name, Math.Clamp(limit ?? UsualParked, 1, Tables.MaxRows), ct)).Select(Parked))))
            .WithTags("operations").WithName("ListParked").Produces<IReadOnlyList<ParkedRow>>().WithSummary("Events that it could not handle, oldest first, with the reason.");
        routes.MapPost("/projections/{name}/parked/{position:long}/retry", (string name, long position, IProjectionManager manager, CancellationToken ct) =>
                GuardAsync(async () => Outcome(name, position, await manager.RetryParkedAsync(name, position, ct: ct))))
            .WithTags("operations").WithName("RetryParked").Produces<ParkedOutcome>().WithSummary("The owner applies the parked event now; 'outcome' says what became of it.");
        routes.MapDelete("/projections/{name}/parked/{position:long}", (string name, long position, IProjectionManager manager, CancellationToken ct) =>
                GuardAsync(async () => await manager.DiscardParkedAsync(name, position, ct)
                    ? ReadHttp.Json(new ParkedOutcome(position, "discarded", null))
                    : ReadHttp.Problem("parked.unknown", $"'{name}' has no parked event at {position}.")))
            .WithTags("operations").WithName("DiscardParked").Produces<ParkedOutcome>().WithSummary("Takes a parked event off the list without applying it.");
    }

    internal static async Task<IReadOnlyList<Row>> ListAsync(ProjectionDaemon daemon, IProjectionManager manager, CancellationToken ct)
    {
        var known = await manager.ListAsync(ct);
        var own = daemon.Status.Select(s => known.FirstOrDefault(k => k.Shard == s.Shard) ?? s).ToList();
        return [.. own.Concat(known.Where(k => own.All(o => o.Name != k.Name))).Select(ToRow)];
    }

    /// <summary>What the store refuses becomes a problem.</summary>
    internal static async Task<IResult> GuardAsync(Func<Task<IResult>> work)
    {
        try
        {
            return await work();
        }
        catch (EventStoreException e) when (CodeOf(e) is not null)
        {
            return ReadHttp.Problem(CodeOf(e) ?? "", e.Message);
        }
    }

    internal static Row ToRow(Status s) => new(
        s.Name, s.Position, s.HighWaterMark, s.Lag, s.State.ToString().ToLowerInvariant(), s.LastError, s.Version, s.Shard, s.Behind.TotalSeconds, s.EventsPerSecond,
        s.Owner, s.MovedAt, s.Pause is { } p ? new PauseRow(p.At, p.Reason, p.By) : null, s.Parked);

    private static async Task<IResult> AfterAsync(string name, Asked a, Func<ValueTask> work, CancellationToken ct)
    {
        await work();
        return ReadHttp.Json(ToRow(await a.Manager.FindAsync(name, ct)));
    }

    private static async Task<IResult> SkipAsync(string name, Asked a, long position, CancellationToken ct) => position < 1
        ? ReadHttp.Problem("request.position_invalid", "'position' is the position of an event: 1 or more.")
        : await AfterAsync(name, a, () => a.Manager.SkipAsync(name, position, a.Reason, a.Actor, ct), ct);

    private static void Post(IEndpointRouteBuilder routes, string verb, string id, string summary, Func<string, Asked, CancellationToken, Task<IResult>> run) =>
        routes.MapPost("/projections/{name}/" + verb, (string name, [AsParameters] Asked a, CancellationToken ct) => GuardAsync(() => run(name, a, ct)))
            .WithTags("operations").WithName(id).Produces<Row>().WithSummary(summary);

    private static ParkedRow Parked(ParkedEvent p) => new(p.Position, p.Tenant, p.EventType, p.ParkedAt, p.ErrorType, p.ErrorMessage);

    private static IResult Outcome(string name, long position, RetryResult result) => result.Outcome switch
    {
        RetryOutcome.Applied => ReadHttp.Json(new ParkedOutcome(position, "applied", null)),
        RetryOutcome.FailedAgain => ReadHttp.Json(new ParkedOutcome(position, "failed_again", result.Error)),
        RetryOutcome.NobodyAnswered => ReadHttp.Json(new ParkedOutcome(position, "nobody_answered", "No process runs it, or it is paused; the order stays and is carried out when one does.")),
        RetryOutcome.NotParked => ReadHttp.Problem("parked.unknown", $"'{name}' has no parked event at {position}."),
    };

    private static string? CodeOf(EventStoreException e) => e switch
    {
        UnknownProjectionException => "projection.unknown",
        ProjectionOwnedElsewhereException => "projection.owned_elsewhere",
        EventAlreadyPassedException => "projection.already_passed",
        RebuildDiffersException => "projection.rebuild_differs",
        RebuildCancelledException => "projection.rebuild_cancelled",
        ProjectionRolledBackException => "projection.rolled_back",
        EventStoreUnavailableException => "store.unavailable",
        _ => null,
    };

    /// <summary>Who asks, and why.</summary>
    public sealed record Asked(HttpContext Http, IProjectionManager Manager, [FromQuery(Name = "reason")] string? Reason)
    {
        internal string? Actor => Http.Items["actor"] as string;
    }
}
