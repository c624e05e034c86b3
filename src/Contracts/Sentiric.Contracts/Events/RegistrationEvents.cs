namespace Sentiric.Contracts.Events;

// Stream registration-{realm}-{username}

public sealed record SipRegistered(DateTimeOffset At, string AddressOfRecord, string Contact, int ExpiresSeconds, string UserAgent) : IFact;

public sealed record SipUnregistered(DateTimeOffset At, string AddressOfRecord, string Contact) : IFact;

public sealed record SipAuthFailed(DateTimeOffset At, string Username, string Source, string Why) : IFact;
