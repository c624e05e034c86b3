namespace Sentiric.Contracts.Events;

public sealed record UserCreated(DateTimeOffset At, Guid UserId, string Name, UserType Type, string Language) : IFact;

public sealed record UserRenamed(DateTimeOffset At, Guid UserId, string Name) : IFact;

public sealed record UserLanguageChanged(DateTimeOffset At, Guid UserId, string Language) : IFact;

public sealed record UserDisabled(DateTimeOffset At, Guid UserId, string Why) : IFact;

public sealed record UserEnabled(DateTimeOffset At, Guid UserId) : IFact;

public sealed record ContactAdded(DateTimeOffset At, Guid UserId, ContactType Type, string Value, bool Primary) : IFact;

public sealed record ContactRemoved(DateTimeOffset At, Guid UserId, ContactType Type, string Value) : IFact;

/// <summary>RFC 7616 HA1 hashes, never the password. Unique per (realm, username).</summary>
public sealed record SipCredentialSet(DateTimeOffset At, Guid UserId, string Realm, string Username, string Ha1Md5, string Ha1Sha256) : IFact;

public sealed record SipCredentialRemoved(DateTimeOffset At, Guid UserId, string Realm, string Username) : IFact;

/// <summary>Stream <c>contact-{type}-{value}</c>: a contact belongs to one user of the tenant.</summary>
public sealed record ContactClaimed(DateTimeOffset At, ContactType Type, string Value, Guid UserId) : IFact;

public sealed record ContactReleased(DateTimeOffset At, ContactType Type, string Value, Guid UserId) : IFact;

/// <summary>Stream <c>sipuser-{realm}-{username}</c> in the default tenant: names the user whom the credential belongs to.</summary>
public sealed record SipUsernameClaimed(DateTimeOffset At, string Realm, string Username, string Tenant, Guid UserId) : IFact;

public sealed record SipUsernameReleased(DateTimeOffset At, string Realm, string Username, string Tenant, Guid UserId) : IFact;
