using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts.Events;
using Sentiric.EventStore;
using Sentiric.Read.Http;

namespace Sentiric.Read.Dialplans;

/// <summary>A schedule, announcement, assistant or connector as it was last defined.</summary>
/// <param name="Kind">schedule, announcement, assistant, connector.</param>
public sealed record DefinitionRow(string Kind, string Id, JsonElement Definition);

/// <summary>What dialplans refer to: schedules, announcements, assistants, connectors.</summary>
public sealed class DefinitionDirectory() : SingleStreamProjection<DefinitionRow>("definition_directory", ReadJson.Default.DefinitionRow)
{
    private const string Table = "mt_doc_definition_directory";
    private static readonly string[] Kinds = ["schedule", "announcement", "assistant", "connector"];

    public override IReadOnlyCollection<string> EventTypes { get; } =
        new HashSet<string>(StringComparer.Ordinal) { "schedule_defined", "announcement_defined", "assistant_defined", "connector_registered", "connector_removed" };

    public override DefinitionRow? Evolve(DefinitionRow? document, RecordedEvent recorded, object @event) => @event switch
    {
        ScheduleDefined e => Row("schedule", e.ScheduleId, e),
        AnnouncementDefined e => Row("announcement", e.AnnouncementId, e),
        AssistantDefined e => Row("assistant", e.AssistantId, e),
        ConnectorRegistered e => Row("connector", e.Name, e),
        ConnectorRemoved => null,
        _ => document,
    };

    public static void Map(IEndpointRouteBuilder routes)
    {
        foreach (var kind in Kinds)
        {
            routes.MapGet($"/{kind}s", (HttpContext http, Tables tables, CancellationToken ct) =>
                    ReadHttp.ForTenantAsync(http, async tenant => ReadHttp.Json(await ListAsync(tables, tenant, kind, ct))))
                .WithTags("dialplans").WithName($"List{char.ToUpperInvariant(kind[0])}{kind[1..]}s").Produces<IReadOnlyList<DefinitionRow>>()
                .WithSummary($"Every {kind} of the tenant.");
        }
    }

    private static DefinitionRow Row<T>(string kind, string id, T e) =>
        new(kind, id, JsonSerializer.SerializeToElement(e, EventCatalog.WireJson(typeof(T))));

    private static async Task<IReadOnlyList<DefinitionRow>> ListAsync(Tables tables, string tenant, string kind, CancellationToken ct) =>
        [.. (await Documents.ListAsync(tables, Table, ReadJson.Default.DefinitionRow, tenant, ct)).Where(d => d.Kind == kind)];
}
