using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.EventStore;
using Sentiric.Read.Http;
using Row = Sentiric.Contracts.Queries.ProjectionStatus;

namespace Sentiric.Read.Ops;

/// <summary>What operators ask and tell the read models: how far they are, and to be built anew.</summary>
public static class ProjectionOps
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/projections", (ProjectionDaemon daemon) => ReadHttp.Json(daemon.Status.Select(ToRow)))
            .WithTags("operations").WithName("ListProjections").Produces<IReadOnlyList<Row>>().WithSummary("Every read model with its position and lag.");
        routes.MapPost("/projections/{name}/rebuild", async (string name, ProjectionDaemon daemon, CancellationToken ct) => await RebuildAsync(name, daemon, ct))
            .WithTags("operations").WithName("RebuildProjection").Produces<Row>()
            .WithSummary("Builds a read model anew beside the old one and switches; readers never see it empty.");
    }

    private static async Task<IResult> RebuildAsync(string name, ProjectionDaemon daemon, CancellationToken ct)
    {
        if (daemon.Status.FirstOrDefault(s => s.Name == name) is null)
        {
            return ReadHttp.Problem("projection.unknown", $"There is no read model '{name}'; GET /v1/projections lists them.");
        }

        try
        {
            await daemon.RebuildAsync(name, ct: ct);
            return ReadHttp.Json(ToRow(daemon.Status.First(s => s.Name == name)));
        }
        catch (ProjectionOwnedElsewhereException e)
        {
            return ReadHttp.Problem("projection.owned_elsewhere", e.Message);
        }
    }

    private static Row ToRow(ProjectionStatus s) => new(s.Name, s.Position, s.HighWaterMark, s.Lag, s.State.ToString().ToLowerInvariant(), s.LastError);
}
