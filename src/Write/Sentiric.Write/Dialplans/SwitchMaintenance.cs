using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Http;

using Sentiric.Contracts.Text;

namespace Sentiric.Write.Dialplans;

/// <summary>PUT /routes/{number}/maintenance. Holds from the next call on.</summary>
public sealed record SwitchMaintenance(string Number, bool On) : ICommand
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPut("/routes/{number}/maintenance", (string number, HttpContext http, CommandRunner runner, CancellationToken ct) =>
            http.CommandAsync<SwitchMaintenanceBody>(runner, body => new SwitchMaintenance(PhoneNumber.Normalize(number), body.On), ct))
            .Describe<SwitchMaintenanceBody>("SwitchMaintenance", "dialplans");

    public Decision Decide(Route route, DateTimeOffset now) => route switch
    {
        { Settings: null } => Route.Unknown(Number),
        _ when route.Maintenance == On => Decision.Quiet,
        _ => Decision.Of(new MaintenanceSwitched(now, Number, On)),
    };

    public ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct) =>
        runner.RunAsync(who, async (work, token) =>
        {
            var route = await work.FetchAsync<Route>(Streams.Route(Number), token).ConfigureAwait(false);
            return work.Append(Streams.Route(Number), Decide(route, work.Now));
        }, ct);
}

public sealed record SwitchMaintenanceBody(bool On);
