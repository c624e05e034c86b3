using System.Globalization;
using System.IO.Compression;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Queries;
using Sentiric.EventStore;
using Sentiric.Write.Http;

namespace Sentiric.Write.Ops;

/// <summary>
/// POST /events/import: stores the events of an export, streamed, with their ids, versions and times. What is stored already is passed over, so an
/// import that broke off is simply repeated. Imported events carry a header that says when and by whom; the relay does not publish them: nobody is to
/// answer a call of last year.
/// </summary>
public static class ImportEvents
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/events/import", RunAsync)
            .WithTags("events").WithName("ImportEvents").Accepts<Stream>(ExportFile.MediaType).Produces<ImportReport>()
            .Produces<ProblemBody>(409, Problems.ContentType).Produces<ProblemBody>(422, Problems.ContentType)
            .WithSummary("Stores the events of an export (NDJSON, 'Content-Encoding: gzip' when packed); repeating it is quiet. Needs an admin key of the platform.");

    private static async Task<IResult> RunAsync(HttpContext http, IEventStore store, TimeProvider clock, CancellationToken ct)
    {
        if (store is not IEventImporter importer) return CommandHttp.Problem(new("import.unavailable", "This store takes no imports."));
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = null;
        var who = CommandHttp.RequesterOf(http);
        if (who.Refusal is { } stranger) return CommandHttp.Problem(stranger);
        var note = string.Create(CultureInfo.InvariantCulture, $"{clock.GetUtcNow():yyyy-MM-ddTHH:mm:ssZ} {who.Value.Actor}");
        var done = default(ImportTotals);
        try
        {
            await using var body = http.Request.Headers.ContentEncoding == "gzip" ? new GZipStream(http.Request.Body, CompressionMode.Decompress) : http.Request.Body;
            var archived = new List<(string Tenant, string Stream)>();
            done = await importer.ImportAsync(Marked(body, note, archived, ct), new ImportOptions { Progress = totals => done = totals }, ct).ConfigureAwait(false);
            foreach (var (tenant, stream) in archived) await store.ArchiveStreamAsync(tenant, stream, ct).ConfigureAwait(false);
            return Results.Json(new ImportReport(done.Read, done.Stored, done.AlreadyStored, archived.Count), Wire.Json);
        }
        catch (Exception refused) when (RefusalOf(refused, done) is not null)
        {
            return CommandHttp.Problem(RefusalOf(refused, done) ?? throw new InvalidOperationException("The refusal changed while it was told."));
        }
    }

    private static async IAsyncEnumerable<ImportedEvent> Marked(
        Stream body, string note, List<(string Tenant, string Stream)> archived, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var line in ExportReader.ReadAsync(body, ct).ConfigureAwait(false))
        {
            var e = line.Event;
            if (line.ArchivesStream) archived.Add((e.Tenant, e.StreamId));
            var headers = new Dictionary<string, string>(e.Metadata.Headers ?? new Dictionary<string, string>(), StringComparer.Ordinal) { [ExportFile.ImportedHeader] = note };
            yield return e with { Metadata = e.Metadata with { Headers = headers } };
        }
    }

    private static Refusal? RefusalOf(Exception failure, ImportTotals done)
    {
        var kept = string.Create(CultureInfo.InvariantCulture, $" {done.Stored} events were stored before that and stay; an import that is repeated passes over them.");
        return failure switch
        {
            ExportFileException e => new("import." + e.Code, e.Message + kept),
            ImportRefusedException or StreamArchivedException => new("import.conflict", failure.Message + kept),
            EventDataRejectedException or EventTooLargeException or StreamNameRejectedException => new("import.unstorable", failure.Message + kept),
            InvalidDataException => new("import.not_an_export", "The body is not the gzip that its header promises." + kept),
            EventStoreUnavailableException => new("store.unavailable", failure.Message + kept),
            _ => null,
        };
    }
}
