using Sentiric.Contracts.Events;

namespace Sentiric.Contracts.Services;

/// <summary>The dialplan service as the SIP role sees it.</summary>
public interface IDialplans
{
    /// <summary>First look at a called number: whose is it, and is the caller to be identified. Refusal <c>route.unknown</c>.</summary>
    ValueTask<Result<RouteDecision>> FindRouteAsync(FindRoute request, CancellationToken ct);

    /// <summary>
    /// The whole resolution: normalise, route, anonymous block, maintenance, schedule, caller, active plan; whatever is missing leads to
    /// the route's fail-safe plan, then to the built-in fail-safe announcement. Without a caller it is a dry run that changes nothing.
    /// </summary>
    ValueTask<DialplanResolution> ResolveAsync(ResolveDialplan request, CancellationToken ct);
}

public sealed record FindRoute(string From, string To, DateTimeOffset At);

public sealed record RouteDecision(string Tenant, string Number, string Language, GuestPolicy GuestPolicy, bool IdentifyCaller);

public sealed record ResolveDialplan(string From, string To, DateTimeOffset At, CallerIdentity? Caller);
