using System.Collections.Immutable;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;

namespace Sentiric.Write.Users;

/// <summary>Stream <c>user-{id}</c>.</summary>
public sealed record User(
    bool Exists,
    string Name,
    UserType Type,
    string Language,
    bool Disabled,
    ImmutableList<UserContact> Contacts,
    ImmutableDictionary<(string Realm, string Username), SipSecret> Credentials) : IState<User>
{
    public static User Initial { get; } = new(
        false, "", UserType.Caller, "tr", false, [], ImmutableDictionary<(string Realm, string Username), SipSecret>.Empty);

    public User Evolve(IFact fact) => fact switch
    {
        UserCreated created => this with { Exists = true, Name = created.Name, Type = created.Type, Language = created.Language },
        UserRenamed renamed => this with { Name = renamed.Name },
        UserLanguageChanged changed => this with { Language = changed.Language },
        UserDisabled => this with { Disabled = true },
        UserEnabled => this with { Disabled = false },
        ContactAdded added => this with { Contacts = Contacts.Add(new(added.Type, added.Value, added.Primary)) },
        ContactRemoved removed => this with { Contacts = Contacts.RemoveAll(c => c.Type == removed.Type && c.Value == removed.Value) },
        SipCredentialSet set => this with { Credentials = Credentials.SetItem((set.Realm, set.Username), new(set.Ha1Md5, set.Ha1Sha256)) },
        SipCredentialRemoved removed => this with { Credentials = Credentials.Remove((removed.Realm, removed.Username)) },
        _ => this,
    };

    public bool Has(ContactType type, string value) => Contacts.Any(c => c.Type == type && c.Value == value);

    internal static Refusal Unknown(Guid id) => new("user.unknown", $"There is no user {id:D} in this tenant.");
}

public sealed record UserContact(ContactType Type, string Value, bool Primary);

/// <summary>HA1 of RFC 7616 3.4.2, lower-case hex.</summary>
public sealed record SipSecret(string Ha1Md5, string Ha1Sha256);
