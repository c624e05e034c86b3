using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;
using Sentiric.EventStore;
using Sentiric.Read.Http;

namespace Sentiric.Read.Dialplans;

/// <summary>The dialplans of a tenant.</summary>
public sealed class DialplanDirectory() : SingleStreamProjection<DialplanRow>("dialplan_directory", ReadJson.Default.DialplanRow)
{
    private const string Table = "mt_doc_dialplan_directory";

    public override IReadOnlyCollection<string> EventTypes { get; } =
        new HashSet<string>(StringComparer.Ordinal) { "dialplan_published", "dialplan_retired" };

    public override DialplanRow? Evolve(DialplanRow? document, RecordedEvent recorded, object @event) => (document, @event) switch
    {
        (_, DialplanPublished e) => new(e.DialplanId, e.Revision, e.Name, e.Action, e.Data, false),
        ({ } plan, DialplanRetired) => plan with { Retired = true },
        _ => document,
    };

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/dialplans", (HttpContext http, Tables tables, CancellationToken ct) =>
                ReadHttp.ForTenantAsync(http, async tenant => ReadHttp.Json(await Documents.ListAsync(tables, Table, ReadJson.Default.DialplanRow, tenant, ct))))
            .WithTags("dialplans").WithName("ListDialplans").Produces<IReadOnlyList<DialplanRow>>().WithSummary("The dialplans of the tenant.");
}
