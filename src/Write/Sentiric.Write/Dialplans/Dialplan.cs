using Sentiric.Contracts.Events;

namespace Sentiric.Write.Dialplans;

/// <summary>Stream <c>dialplan-{id}</c>: the newest revision, and whether it is still in use.</summary>
public sealed record Dialplan(DialplanPublished? Published, bool Retired) : IState<Dialplan>
{
    public static Dialplan Initial { get; } = new(Published: null, Retired: false);

    /// <summary>What a route may lead to; null when there is nothing, or nothing any more.</summary>
    public DialplanPublished? Usable => Retired ? null : Published;

    public Dialplan Evolve(IFact fact) => fact switch
    {
        DialplanPublished published => new(published, Retired: false),
        DialplanRetired => this with { Retired = true },
        _ => this,
    };
}
