using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;
using Sentiric.EventStore;
using Sentiric.Read.Http;

namespace Sentiric.Read.Dialplans;

/// <summary>The inbound routes of a tenant.</summary>
public sealed class RouteDirectory() : SingleStreamProjection<RouteRow>("route_directory", ReadJson.Default.RouteRow)
{
    private const string Table = "mt_doc_route_directory";

    public override IReadOnlyCollection<string> EventTypes { get; } =
        new HashSet<string>(StringComparer.Ordinal) { "route_created", "route_changed", "route_removed", "maintenance_switched" };

    public override RouteRow? Evolve(RouteRow? document, RecordedEvent recorded, object @event) => (document, @event) switch
    {
        (_, RouteCreated e) => new(e.Number, e.Settings, false),
        ({ } route, RouteChanged e) => route with { Settings = e.Settings },
        ({ } route, MaintenanceSwitched e) => route with { Maintenance = e.On },
        (_, RouteRemoved) => null,
        _ => document,
    };

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/routes", (HttpContext http, Tables tables, CancellationToken ct) =>
                ReadHttp.ForTenantAsync(http, async tenant => ReadHttp.Json(await Documents.ListAsync(tables, Table, ReadJson.Default.RouteRow, tenant, ct))))
            .WithTags("dialplans").WithName("ListRoutes").Produces<IReadOnlyList<RouteRow>>().WithSummary("The inbound routes of the tenant.");
}
