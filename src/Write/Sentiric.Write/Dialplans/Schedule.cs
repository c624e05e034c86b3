using Sentiric.Contracts.Events;

namespace Sentiric.Write.Dialplans;

/// <summary>Stream <c>schedule-{id}</c>.</summary>
public sealed record Schedule(ScheduleDefined? Defined) : IState<Schedule>
{
    public static Schedule Initial { get; } = new(Defined: null);

    public Schedule Evolve(IFact fact) => fact is ScheduleDefined defined ? new(defined) : this;
}
