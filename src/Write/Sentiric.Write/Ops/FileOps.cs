using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;
using Sentiric.EventStore;
using Sentiric.Write.Http;

namespace Sentiric.Write.Ops;

/// <summary>
/// Ended calls and chats out of the tables into compressed files, and back. Only where the host names a folder (<c>Store__ArchiveFolder</c>);
/// for keys of the platform.
/// </summary>
public static class FileOps
{
    private const int MaxDays = 36_500;
    private static readonly string[] Endings = [.. EventCatalog.All.Where(k => k.Type == typeof(CallEnded) || k.Type == typeof(ChatEnded)).Select(k => StoredName.Of(k.StoredName, k.Version))];

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/events/files/archive", (HttpContext http, CancellationToken ct) => AnswerAsync<FileArchiveBody>(http, (files, body) => ArchiveAsync(files, body, ct), ct))
            .Accepts<FileArchiveBody>("application/json").Describe("ArchiveToFiles", "Moves calls and chats that ended long ago into compressed files.");
        routes.MapPost("/events/files/restore", (HttpContext http, CancellationToken ct) => AnswerAsync<FileRestoreBody>(http, (files, body) => RestoreAsync(files, body, ct), ct))
            .Accepts<FileRestoreBody>("application/json").Describe("RestoreFromFiles", "Puts the events of files back into the tables: all, a tenant's, or one stream's.");
        routes.MapPost("/events/files/verify", (HttpContext http, CancellationToken ct) => AnswerAsync(http, files => VerifyAsync(files, ct)))
            .Produces<FileCheckReply>().WithTags("events").WithName("VerifyFiles")
            .WithSummary("Reads every file that a stream lies in and compares all hashes. Needs an admin key of the platform.");
    }

    private static void Describe(this RouteHandlerBuilder route, string name, string summary) =>
        route.Produces<FileMoveReply>().Produces<ProblemBody>(409, Problems.ContentType).Produces<ProblemBody>(422, Problems.ContentType)
            .WithTags("events").WithName(name).WithSummary(summary + " Needs an admin key of the platform.");

    private static async Task<IResult> ArchiveAsync(StreamFiles files, FileArchiveBody body, CancellationToken ct)
    {
        if (body.OlderThanDays is < 1 or > MaxDays) return CommandHttp.Problem(new("files.days_invalid", $"older_than_days is a number from 1 to {MaxDays}."));
        if (body.MaxStreams < 1) return CommandHttp.Problem(new("files.streams_invalid", "max_streams is 1 or more."));
        var policy = new FileArchivePolicy(TimeSpan.FromDays(body.OlderThanDays)) { Tenant = body.Tenant, EndingEventTypes = Endings, MaxStreams = body.MaxStreams ?? int.MaxValue };
        return Moved(await files.ArchiveAsync(policy, ct: ct).ConfigureAwait(false));
    }

    private static async Task<IResult> RestoreAsync(StreamFiles files, FileRestoreBody body, CancellationToken ct) =>
        body is { Stream: not null, Tenant: null }
            ? CommandHttp.Problem(new("files.tenant_missing", "Name the tenant of the stream, too."))
            : Moved(await files.RestoreAsync(body.Tenant, body.Stream, ct: ct).ConfigureAwait(false));

    private static async Task<IResult> VerifyAsync(StreamFiles files, CancellationToken ct) =>
        Results.Json(new FileCheckReply(await files.VerifyAsync(ct).ConfigureAwait(false), await files.UnusedFilesAsync(ct).ConfigureAwait(false)), Wire.Json);

    private static IResult Moved(FileArchiveProgress done) => Results.Json(new FileMoveReply(done.Streams, done.Events, done.Bytes), Wire.Json);

    private static Task<IResult> AnswerAsync<TBody>(HttpContext http, Func<StreamFiles, TBody, Task<IResult>> work, CancellationToken ct)
        where TBody : class =>
        AnswerAsync(http, async files =>
        {
            var body = await RequestBody.ReadAsync<TBody>(http.Request, ct).ConfigureAwait(false);
            return body.Refusal is { } unreadable ? CommandHttp.Problem(unreadable) : await work(files, body.Value).ConfigureAwait(false);
        });

    private static Task<IResult> AnswerAsync(HttpContext http, Func<StreamFiles, Task<IResult>> work) =>
        http.RequestServices.GetService<StreamFiles>() is { } files
            ? StoreRefusals.GuardedAsync(() => work(files))
            : Task.FromResult(CommandHttp.Problem(new("files.off", "This host keeps no files of streams: Store__ArchiveFolder is not set.")));
}

/// <param name="OlderThanDays">The last event of the stream was recorded before so many days.</param>
/// <param name="Tenant">One tenant's only.</param>
/// <param name="MaxStreams">Stop after so many.</param>
public sealed record FileArchiveBody(int OlderThanDays, string? Tenant = null, int? MaxStreams = null);

/// <summary>Absent: everything that lies in files.</summary>
public sealed record FileRestoreBody(string? Tenant = null, string? Stream = null);
