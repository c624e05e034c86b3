using Sentiric.Contracts;
using Sentiric.Contracts.Events;

namespace Sentiric.Write.Dialplans;

/// <summary>Stream <c>route-{number}</c>: what a called number of the tenant does; no settings, no route.</summary>
public sealed record Route(RouteSettings? Settings, bool Maintenance, bool Removed) : IState<Route>
{
    public static Route Initial { get; } = new(Settings: null, Maintenance: false, Removed: false);

    public Route Evolve(IFact fact) => fact switch
    {
        RouteCreated created => new(created.Settings, Maintenance: false, Removed: false),
        RouteChanged changed => this with { Settings = changed.Settings },
        MaintenanceSwitched switched => this with { Maintenance = switched.On },
        RouteRemoved => new(Settings: null, Maintenance: false, Removed: true),
        _ => this,
    };

    internal static Refusal Unknown(string number) => new("route.unknown", $"There is no route for '{number}' in this tenant.");
}

/// <summary>Stream <c>number-{number}</c> of the system: a called number belongs to one tenant.</summary>
public sealed record NumberOwner(string? Tenant) : IState<NumberOwner>
{
    public static NumberOwner Initial { get; } = new(Tenant: null);

    public NumberOwner Evolve(IFact fact) => fact switch
    {
        NumberClaimed claimed => new(claimed.Tenant),
        NumberReleased => Initial,
        _ => this,
    };

    public Decision Claim(string number, string tenant, DateTimeOffset now) => Tenant switch
    {
        null => Decision.Of(new NumberClaimed(now, number, tenant)),
        _ when Tenant == tenant => Decision.Quiet,
        _ => new Refusal("number.taken", $"The number '{number}' belongs to another tenant."),
    };

    public Decision Release(string number, string tenant, DateTimeOffset now) =>
        Tenant == tenant ? Decision.Of(new NumberReleased(now, number, tenant)) : Decision.Quiet;
}
