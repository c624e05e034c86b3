using Sentiric.Contracts;
using Sentiric.Contracts.Events;

namespace Sentiric.Write.Connectors;

/// <summary>Stream <c>connector-{name}</c>.</summary>
public sealed record Connector(ConnectorRegistered? Registered, bool Removed) : IState<Connector>
{
    public static Connector Initial { get; } = new(Registered: null, Removed: false);

    public Connector Evolve(IFact fact) => fact switch
    {
        ConnectorRegistered registered => new(registered, Removed: false),
        ConnectorRemoved => new(Registered: null, Removed: true),
        _ => this,
    };

    internal static Refusal Unknown(string name) => new("connector.unknown", $"There is no connector '{name}' in this tenant.");
}
