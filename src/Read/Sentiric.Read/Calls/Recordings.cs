using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Read.Http;

namespace Sentiric.Read.Calls;

/// <summary>Where recordings lie.</summary>
public sealed record RecordingFolder(string Path);

/// <summary>The audio of a call: stereo WAV, left the caller, right the agent; ranges are served, so that a player may seek.</summary>
public static class Recordings
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/calls/{callId:guid}/recording", (HttpContext http, Tables tables, RecordingFolder folder, Guid callId, CancellationToken ct) =>
                ReadHttp.ForTenantAsync(http, async tenant => await AnswerAsync(tables, folder, tenant, callId, ct)))
            .WithTags("calls").WithName("GetRecording").Produces(StatusCodes.Status200OK, contentType: "audio/wav").WithSummary("The recording of a call.");

    private static async Task<IResult> AnswerAsync(Tables tables, RecordingFolder folder, string tenant, Guid callId, CancellationToken ct)
    {
        if (await CallRecords.FindAsync(tables, tenant, callId, ct) is not { RecordingUri: { } uri })
        {
            return ReadHttp.Problem("recording.unknown", $"Call {callId} of tenant '{tenant}' has no recording.");
        }

        // The path was written by the media role; it still must not lead out of the folder.
        var root = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(folder.Path));
        var path = System.IO.Path.GetFullPath(System.IO.Path.Combine(root, uri));
        return path.StartsWith(root + System.IO.Path.DirectorySeparatorChar, StringComparison.Ordinal) && File.Exists(path)
            ? Results.File(path, "audio/wav", enableRangeProcessing: true)
            : ReadHttp.Problem("recording.unknown", $"The recording {uri} is not in the recording folder of this host.");
    }
}
