namespace Sentiric.Contracts.Events;

/// <param name="Settings">
/// By kind. calendar: open_from, open_to, slot_minutes, time_zone, open_days, language; http: url, timeout_seconds, allow_private,
/// secret_header (the header's name; its value is configuration, never an event).
/// </param>
public sealed record ConnectorRegistered(DateTimeOffset At, string Name, ConnectorKind Kind, IReadOnlyDictionary<string, string> Settings) : IFact;

public sealed record ConnectorRemoved(DateTimeOffset At, string Name) : IFact;

/// <summary>Stream <c>calendar-{connector}-{yyyy-MM-dd}</c>.</summary>
/// <param name="IdempotencyKey">A repeated request with the same key books once.</param>
public sealed record AppointmentBooked(
    DateTimeOffset At, Guid AppointmentId, string Connector, DateTimeOffset StartsAt, int Minutes, string Person, string Contact, string IdempotencyKey) : IFact;

public sealed record AppointmentCancelled(DateTimeOffset At, Guid AppointmentId, string Connector, string Why) : IFact;
