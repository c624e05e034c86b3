using Sentiric.Contracts.Events;

namespace Sentiric.Write.Dialplans;

/// <summary>Stream <c>assistant-{id}</c>.</summary>
public sealed record Assistant(AssistantDefinition? Definition) : IState<Assistant>
{
    public static Assistant Initial { get; } = new(Definition: null);

    public Assistant Evolve(IFact fact) => fact is AssistantDefined defined ? new(defined.Definition) : this;
}
