using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Http;

using Sentiric.Contracts.Text;

namespace Sentiric.Write.Dialplans;

/// <summary>POST /routes. The number is claimed for the tenant; no other tenant can have it until the route is removed.</summary>
public sealed record CreateRoute(string Number, RouteSettings Settings) : ICommand
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/routes", (HttpContext http, CommandRunner runner, CancellationToken ct) =>
            http.CreateAsync<CreateRouteBody, CreateRoute>(runner, body => Of(body.Number, body.Settings),
                c => ($"routes/{Uri.EscapeDataString(c.Number)}", new RouteCreatedReply(c.Number)), ct))
            .Describe<CreateRouteBody, RouteCreatedReply>("CreateRoute", "dialplans");

    public static CreateRoute Of(string number, RouteSettings settings) => new(PhoneNumber.Normalize(number), settings);

    public Decision Decide(Route route, RouteReferences known, DateTimeOffset now)
    {
        if (!PhoneNumber.IsDialable(Number))
        {
            return new Refusal("route.bad_number", "A route needs a number in international form (+902121234567) or an extension of at most five digits.");
        }

        if (known.Check(Settings) is { } refusal)
        {
            return refusal;
        }

        return route.Settings switch
        {
            null => Decision.Of(new RouteCreated(now, Number, Settings)),
            _ when route.Settings == Settings => Decision.Quiet,
            _ => new Refusal("route.exists", $"There is a route for '{Number}' already; change it instead."),
        };
    }

    public ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct) =>
        runner.RunAsync(who, async (work, token) =>
        {
            var known = await RouteReferences.FetchAsync(work, Settings, token).ConfigureAwait(false);
            var route = await work.FetchAsync<Route>(Streams.Route(Number), token).ConfigureAwait(false);
            var decision = Decide(route, known, work.Now);
            if (decision.Facts.Count == 0)
            {
                return decision.Refusal;
            }

            var owner = await work.FetchAsync<NumberOwner>(Streams.Number(Number), token, Streams.SystemTenant).ConfigureAwait(false);
            return work.Append(Streams.Route(Number), decision)
                ?? work.Append(Streams.Number(Number), owner.Claim(Number, who.Tenant, work.Now), Streams.SystemTenant);
        }, ct);
}

public sealed record CreateRouteBody(string Number, RouteSettings Settings);

public sealed record RouteCreatedReply(string Number);
