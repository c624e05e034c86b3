using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Http;

namespace Sentiric.Write.Dialplans;

/// <summary>DELETE /dialplans/{id}. Routes that still name it go to their fail-safe plan.</summary>
public sealed record RetireDialplan(string DialplanId) : ICommand
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapDelete("/dialplans/{id}", (string id, HttpContext http, CommandRunner runner, CancellationToken ct) =>
            http.CommandAsync(runner, new RetireDialplan(id), ct))
            .Describe("RetireDialplan", "dialplans");

    public Decision Decide(Dialplan dialplan, DateTimeOffset now) => dialplan switch
    {
        { Published: null } => new Refusal("dialplan.unknown", $"There is no dialplan '{DialplanId}' in this tenant."),
        { Retired: true } => Decision.Quiet,
        _ => Decision.Of(new DialplanRetired(now, DialplanId)),
    };

    public ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct) =>
        runner.RunAsync(who, async (work, token) =>
        {
            var dialplan = await work.FetchAsync<Dialplan>(Streams.Dialplan(DialplanId), token).ConfigureAwait(false);
            return work.Append(Streams.Dialplan(DialplanId), Decide(dialplan, work.Now));
        }, ct);
}
