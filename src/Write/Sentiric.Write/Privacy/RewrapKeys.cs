using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Sentiric.Contracts;
using Sentiric.Contracts.Queries;
using Sentiric.EventStore;
using Sentiric.Write.Http;

namespace Sentiric.Write.Privacy;

/// <summary>
/// POST /erasures/master-key: after a new master key was put first in the file and the platform was started with it, wraps every data key with it.
/// Then the old one can be removed, and with it what old backups hold. Broken off, it goes on where it stood when it is asked again.
/// </summary>
public static class RewrapKeys
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/erasures/master-key", RunAsync)
            .Produces<RewrapReply>().Produces<ProblemBody>(422, Problems.ContentType)
            .WithTags("privacy").WithName("RewrapKeys")
            .WithSummary("Wraps every data key anew with the first master key. Needs an admin key of the platform.");

    private static async Task<IResult> RunAsync(HttpContext http, CancellationToken ct)
    {
        if (http.RequestServices.GetService<Eraser>() is not { } eraser || http.RequestServices.GetService<MasterKeys>() is not { } keys)
        {
            return CommandHttp.Problem(ErasePerson.Off);
        }

        await eraser.RotateMasterKeyAsync(ct: ct).ConfigureAwait(false);
        return Results.Json(new RewrapReply(keys.CurrentId), Wire.Json);
    }
}
