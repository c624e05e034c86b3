using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using Sentiric.EventStore;
using Sentiric.Read.Http;

namespace Sentiric.Read.Ops;

/// <summary>
/// GET /events/export: the log as a file of lines, streamed. The header Events-Target tells the high-water mark, so that a client can show progress.
/// An export that was cut off goes on behind the last event that arrived whole (behind_stream, behind_version).
/// </summary>
public static class ExportEvents
{
    private const string TargetHeader = "Events-Target";

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/events/export", (HttpContext http, NpgsqlDataSource source, IEventStore store, [AsParameters] ExportQuery query, CancellationToken ct) =>
                ReadHttp.ForTenantAsync(http, tenant => AnswerAsync(http, new LogExport(source, store), store, tenant, query, ct)))
            .WithTags("events").WithName("ExportEvents").Produces(200, contentType: ExportFile.MediaType)
            .WithSummary("Streams the log as NDJSON with a header line and a SHA-256 at its end. Tenant '*': the whole store. Needs an admin key.");

    /// <param name="Stream">One stream only; needs a tenant.</param>
    /// <param name="Since">From the first event recorded at or after this moment.</param>
    /// <param name="Until">Up to the last event recorded before this moment.</param>
    /// <param name="BehindTenant">With behind_stream and behind_version: go on behind that event, without the header line.</param>
    public sealed record ExportQuery(
        [FromQuery(Name = "stream")] string? Stream, [FromQuery(Name = "since")] DateTimeOffset? Since, [FromQuery(Name = "until")] DateTimeOffset? Until,
        [FromQuery(Name = "behind_tenant")] string? BehindTenant, [FromQuery(Name = "behind_stream")] string? BehindStream,
        [FromQuery(Name = "behind_version")] long? BehindVersion);

    private static async Task<IResult> AnswerAsync(HttpContext http, LogExport export, IEventStore store, string tenant, ExportQuery query, CancellationToken ct)
    {
        var scope = new ExportScope(tenant == LogFilter.AllTenants ? null : tenant, query.Stream, query.Since, query.Until);
        if (scope is { Stream: not null, Tenant: null }) return ReadHttp.Problem("request.tenant_missing", "A stream is exported of one tenant; '*' stands for all of them.");
        if (await RefusedPlaceAsync(store, scope, query, ct) is { } refused) return refused;
        var behind = query.BehindStream is { } stream ? new ExportPlace(query.BehindTenant ?? tenant, stream, query.BehindVersion ?? 0) : (ExportPlace?)null;
        var mark = await store.GetHighWaterMarkAsync(ct);
        http.Response.Headers[TargetHeader] = mark.ToString(CultureInfo.InvariantCulture);
        return Results.Stream(async body => await export.WriteAsync(body, scope, behind, ct: ct), ExportFile.MediaType);
    }

    // Once the body has begun, a refusal can only break it off.
    private static async Task<IResult?> RefusedPlaceAsync(IEventStore store, ExportScope scope, ExportQuery query, CancellationToken ct)
    {
        if (query.BehindStream is not { } stream) return null;
        var tenant = query.BehindTenant ?? scope.Tenant;
        var state = tenant is null || (scope.Tenant is { } own && own != tenant) ? null : await store.GetStreamStateAsync(tenant, stream, ct);
        return state is not null && query.BehindVersion >= 1 && query.BehindVersion <= state.Version && (scope.Stream is null || scope.Stream == stream)
            ? null
            : ReadHttp.Problem("export.place_unknown", $"Version {query.BehindVersion} of stream '{stream}' is not part of this export; the file that is to be continued is of another store or of another scope.");
    }
}
