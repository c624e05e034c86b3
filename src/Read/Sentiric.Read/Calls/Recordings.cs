using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Read.Http;

namespace Sentiric.Read.Calls;

/// <summary>The audio of a call in stereo, left the caller, right the agent; ranges are served, so that a player may seek.</summary>
public static class Recordings
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/calls/{callId:guid}/recording", (HttpContext http, Tables tables, IRecordingFiles files, Guid callId, CancellationToken ct) =>
                ReadHttp.ForTenantAsync(http, async tenant => await AnswerAsync(tables, files, tenant, callId, ct)))
            .WithTags("calls").WithName("GetRecording").Produces(StatusCodes.Status200OK, contentType: "audio/wav").WithSummary("The recording of a call.");

    private static async Task<IResult> AnswerAsync(Tables tables, IRecordingFiles files, string tenant, Guid callId, CancellationToken ct)
    {
        if (await CallRecords.FindAsync(tables, tenant, callId, ct) is not { RecordingUri: { } uri })
        {
            return ReadHttp.Problem("recording.unknown", $"Call {callId} of tenant '{tenant}' has no recording.");
        }

        var opened = await files.OpenAsync(tenant, callId, uri, ct);
        return opened.Match(
            audio => Results.Stream(audio.Content, audio.MediaType, enableRangeProcessing: true),
            refusal => ReadHttp.Problem(refusal.Code, refusal.Why));
    }
}
