using Sentiric.Contracts;
using Sentiric.Contracts.Events;

namespace Sentiric.Write.Users;

/// <summary>Stream <c>contact-{type}-{value}</c>: a contact belongs to one user of the tenant; another tenant may have the same one.</summary>
public sealed record ContactOwner(Guid? UserId) : IState<ContactOwner>
{
    public static ContactOwner Initial { get; } = new(UserId: null);

    public ContactOwner Evolve(IFact fact) => fact switch
    {
        ContactClaimed claimed => new(claimed.UserId),
        ContactReleased => Initial,
        _ => this,
    };

    public Decision Claim(ContactType type, string value, Guid userId, DateTimeOffset now) => UserId switch
    {
        null => Decision.Of(new ContactClaimed(now, type, value, userId)),
        { } owner when owner == userId => Decision.Quiet,
        _ => new Refusal("contact.taken", $"The contact '{value}' belongs to another user of this tenant."),
    };

    public Decision Release(ContactType type, string value, Guid userId, DateTimeOffset now) =>
        UserId == userId ? Decision.Of(new ContactReleased(now, type, value, userId)) : Decision.Quiet;
}
