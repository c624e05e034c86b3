namespace Sentiric.Contracts.Events;

public sealed record TenantCreated(DateTimeOffset At, string Tenant, string Name, string Language, GuestPolicy GuestPolicy) : IFact;

/// <summary>Stream <c>number-{e164}</c> in the default tenant: a called number belongs to one tenant.</summary>
public sealed record NumberClaimed(DateTimeOffset At, string Number, string Tenant) : IFact;

public sealed record NumberReleased(DateTimeOffset At, string Number, string Tenant) : IFact;
