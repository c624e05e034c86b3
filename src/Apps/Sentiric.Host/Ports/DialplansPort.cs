using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;

namespace Sentiric.Host.Ports;

/// <summary><see cref="IDialplans"/> over HTTP, both ends.</summary>
public sealed class DialplansPort(HttpClient client) : IDialplans
{
    private const string Route = PortHttp.Prefix + "/dialplans/route";
    private const string Resolve = PortHttp.Prefix + "/dialplans/resolve";

    public ValueTask<Result<RouteDecision>> FindRouteAsync(FindRoute request, CancellationToken ct) =>
        client.AskAsync<FindRoute, RouteDecision>(Route, request, ct);

    public async ValueTask<DialplanResolution> ResolveAsync(ResolveDialplan request, CancellationToken ct) =>
        (await client.AskAsync<ResolveDialplan, DialplanResolution>(Resolve, request, ct)).Value;

    public static void Map(IEndpointRouteBuilder routes, IDialplans dialplans)
    {
        routes.MapQuestion<FindRoute, RouteDecision>(Route, dialplans.FindRouteAsync);
        routes.MapPlainQuestion<ResolveDialplan, DialplanResolution>(Resolve, dialplans.ResolveAsync);
    }
}
