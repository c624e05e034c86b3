using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Http;

using Sentiric.Contracts.Text;

namespace Sentiric.Write.Dialplans;

/// <summary>DELETE /routes/{number}. The number is free for any tenant afterwards.</summary>
public sealed record RemoveRoute(string Number) : ICommand
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapDelete("/routes/{number}", (string number, HttpContext http, CommandRunner runner, CancellationToken ct) =>
            http.CommandAsync(runner, new RemoveRoute(PhoneNumber.Normalize(number)), ct))
            .Describe("RemoveRoute", "dialplans");

    public Decision Decide(Route route, DateTimeOffset now) => route switch
    {
        { Removed: true } => Decision.Quiet,
        { Settings: null } => Route.Unknown(Number),
        _ => Decision.Of(new RouteRemoved(now, Number)),
    };

    public ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct) =>
        runner.RunAsync(who, async (work, token) =>
        {
            var route = await work.FetchAsync<Route>(Streams.Route(Number), token).ConfigureAwait(false);
            var owner = await work.FetchAsync<NumberOwner>(Streams.Number(Number), token, Streams.SystemTenant).ConfigureAwait(false);
            var decision = Decide(route, work.Now);
            return work.Append(Streams.Route(Number), decision)
                ?? (decision.Facts.Count == 0 ? null : work.Append(Streams.Number(Number), owner.Release(Number, who.Tenant, work.Now), Streams.SystemTenant));
        }, ct);
}
