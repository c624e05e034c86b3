using Sentiric.Contracts;
using Sentiric.Contracts.Events;

namespace Sentiric.Write.Users;

/// <summary>Stream <c>sipuser-{realm}-{username}</c> of the system: a SIP user name is unique in its realm, over all tenants.</summary>
public sealed record SipUserOwner(string? Tenant, Guid? UserId) : IState<SipUserOwner>
{
    public static SipUserOwner Initial { get; } = new(Tenant: null, UserId: null);

    public SipUserOwner Evolve(IFact fact) => fact switch
    {
        SipUsernameClaimed claimed => new(claimed.Tenant, claimed.UserId),
        SipUsernameReleased => Initial,
        _ => this,
    };

    public Decision Claim(string realm, string username, string tenant, Guid userId, DateTimeOffset now) => UserId switch
    {
        null => Decision.Of(new SipUsernameClaimed(now, realm, username, tenant, userId)),
        { } owner when owner == userId && Tenant == tenant => Decision.Quiet,
        _ => new Refusal("sip.username_taken", $"The SIP user name '{username}' is taken in realm '{realm}'."),
    };

    public Decision Release(string realm, string username, string tenant, Guid userId, DateTimeOffset now) =>
        UserId == userId && Tenant == tenant ? Decision.Of(new SipUsernameReleased(now, realm, username, tenant, userId)) : Decision.Quiet;
}
