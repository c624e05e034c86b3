using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts.Queries;
using Sentiric.EventStore;
using Sentiric.Read.Http;

namespace Sentiric.Read.Ops;

/// <summary>Building a read model anew, watching it, breaking it off, and going back to the tables from before.</summary>
internal static class ProjectionRebuilds
{
    private static readonly string Rebuilding = nameof(ProjectionState.Rebuilding).ToLowerInvariant();

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/projections/{name}/rebuild", (string name, ProjectionDaemon daemon, IProjectionManager manager, bool? accept_differences, bool? start_over, CancellationToken ct) =>
                AsideAsync(name, daemon, () => RebuildAsync(name, daemon, manager, new RebuildOptions { AcceptDifferences = accept_differences ?? false, StartOver = start_over ?? false }, ct)))
            .WithTags("operations").WithName("RebuildProjection").Produces<Contracts.Queries.ProjectionStatus>()
            .WithSummary("Builds a read model anew beside the old one and switches; readers never see it empty.");
        routes.MapGet("/projections/{name}/rebuild", (string name, ProjectionDaemon daemon, CancellationToken ct) =>
                AsideAsync(name, daemon, async () => ReadHttp.Json(Row(await daemon.RebuildStatusAsync(name, ct)))))
            .WithTags("operations").WithName("GetRebuild").Produces<RebuildRow>().WithSummary("The rebuild under way, or the last one.");
        routes.MapDelete("/projections/{name}/rebuild", (string name, ProjectionDaemon daemon, CancellationToken ct) =>
                AsideAsync(name, daemon, async () => await daemon.CancelRebuildAsync(name, ct)
                    ? ReadHttp.Json(Row(await daemon.RebuildStatusAsync(name, ct)))
                    : ReadHttp.Problem("rebuild.unknown", $"'{name}' is not being rebuilt.")))
            .WithTags("operations").WithName("CancelRebuild").Produces<RebuildRow>().WithSummary("Ends the rebuild; the living tables stay as they are.");
        routes.MapPost("/projections/{name}/rollback", (string name, ProjectionDaemon daemon, CancellationToken ct) =>
                AsideAsync(name, daemon, async () => await daemon.RollbackSwitchAsync(name, ct)
                    ? ReadHttp.Json(Row(await daemon.RebuildStatusAsync(name, ct)))
                    : ReadHttp.Problem("rollback.unknown", $"'{name}' has no tables from before its last rebuild.")))
            .WithTags("operations").WithName("RollbackProjection").Produces<RebuildRow>().WithSummary("Puts the tables from before the last rebuild back.");
    }

    private static Task<IResult> AsideAsync(string name, ProjectionDaemon daemon, Func<Task<IResult>> work) => daemon.Status.Any(s => s.Name == name)
        ? ProjectionOps.GuardAsync(work)
        : Task.FromResult(ReadHttp.Problem("projection.unknown", $"There is no read model '{name}'; GET /v1/projections lists them."));

    private static async Task<IResult> RebuildAsync(string name, ProjectionDaemon daemon, IProjectionManager manager, RebuildOptions options, CancellationToken ct)
    {
        await daemon.RebuildAsync(name, options, ct: ct);
        return ReadHttp.Json(Switched((await ProjectionOps.ListAsync(daemon, manager, ct)).First(s => s.Name == name), daemon.Status.First(s => s.Name == name).State));
    }

    /// <summary>What the owner wrote down last may still say that it rebuilds; this process is the owner and knows better.</summary>
    internal static Contracts.Queries.ProjectionStatus Switched(Contracts.Queries.ProjectionStatus written, ProjectionState own) =>
        written.State == Rebuilding ? written with { State = own.ToString().ToLowerInvariant() } : written;

    private static RebuildRow Row(RebuildStatus s) => new(
        s.Name, s.State.ToString().ToLowerInvariant(), s.Progress.Phase.ToString().ToLowerInvariant(), s.Progress.Position, s.Progress.Target, s.Progress.EventsPerSecond,
        s.Progress.Remaining?.TotalSeconds, s.StartedAt, s.UpdatedAt, s.Error, s.PreviousVersion);
}
