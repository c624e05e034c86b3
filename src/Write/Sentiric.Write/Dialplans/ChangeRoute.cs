using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Http;

using Sentiric.Contracts.Text;

namespace Sentiric.Write.Dialplans;

/// <summary>PUT /routes/{number}. Holds from the next call on.</summary>
public sealed record ChangeRoute(string Number, RouteSettings Settings) : ICommand
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPut("/routes/{number}", (string number, HttpContext http, CommandRunner runner, CancellationToken ct) =>
            http.CommandAsync<RouteSettings>(runner, body => new ChangeRoute(PhoneNumber.Normalize(number), body), ct))
            .Describe<RouteSettings>("ChangeRoute", "dialplans");

    public Decision Decide(Route route, RouteReferences known, DateTimeOffset now)
    {
        if (route.Settings is null)
        {
            return Route.Unknown(Number);
        }

        if (known.Check(Settings) is { } refusal)
        {
            return refusal;
        }

        return route.Settings == Settings ? Decision.Quiet : Decision.Of(new RouteChanged(now, Number, Settings));
    }

    public ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct) =>
        runner.RunAsync(who, async (work, token) =>
        {
            var known = await RouteReferences.FetchAsync(work, Settings, token).ConfigureAwait(false);
            var route = await work.FetchAsync<Route>(Streams.Route(Number), token).ConfigureAwait(false);
            return work.Append(Streams.Route(Number), Decide(route, known, work.Now));
        }, ct);
}
