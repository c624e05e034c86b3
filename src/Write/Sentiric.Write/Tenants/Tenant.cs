using Sentiric.Contracts.Events;

namespace Sentiric.Write.Tenants;

/// <summary>Stream <c>tenant-{tenant}</c>, in the tenant itself.</summary>
public sealed record Tenant(TenantCreated? Created) : IState<Tenant>
{
    public static Tenant Initial { get; } = new(Created: null);

    public Tenant Evolve(IFact fact) => fact is TenantCreated created ? new(created) : this;
}
