using Sentiric.Contracts.Events;

namespace Sentiric.Contracts.Queries;

/// <param name="SipUsernames">The names of <paramref name="SipNames"/>.</param>
/// <param name="SipNames">Under which telephones may register, in which realm; absent in rows that were written before it was asked for.</param>
public sealed record UserRow(
    Guid UserId, string Name, UserType Type, string Language, bool Disabled, IReadOnlyList<ContactRow> Contacts, IReadOnlyList<string> SipUsernames,
    IReadOnlyList<SipNameRow>? SipNames = null);

public sealed record SipNameRow(string Realm, string Username);

public sealed record ContactRow(ContactType Type, string Value, bool Primary);

public sealed record DialplanRow(string DialplanId, int Revision, string Name, DialplanAction Action, DialplanActionData Data, bool Retired);

public sealed record RouteRow(string Number, RouteSettings Settings, bool Maintenance);

/// <summary>A read model or subscription: where it stands and who runs it.</summary>
/// <param name="Lag">Positions that it has not passed.</param>
/// <param name="State">stopped, standingby, running, retrying, rebuilding, paused.</param>
/// <param name="BehindSeconds">Age of the oldest event that it has not passed; 0 when it is through.</param>
/// <param name="Parked">Events that it could not handle and went on without.</param>
public sealed record ProjectionStatus(
    string Name, long Position, long HighWater, long Lag, string State, string? LastError, int Version = 1, string? Shard = null, double BehindSeconds = 0,
    double EventsPerSecond = 0, string? Owner = null, DateTimeOffset? MovedAt = null, PauseRow? Pause = null, int Parked = 0);

public sealed record PauseRow(DateTimeOffset At, string? Reason, string? By);

/// <summary>An event that a read model or subscription could not handle.</summary>
public sealed record ParkedRow(long Position, string Tenant, string EventType, DateTimeOffset ParkedAt, string ErrorType, string ErrorMessage);

/// <param name="Outcome">applied, failed_again, nobody_answered, discarded.</param>
public sealed record ParkedOutcome(long Position, string Outcome, string? Why);

/// <param name="State">none, running, interrupted, differs, failed, cancelled, switched, rolledback.</param>
/// <param name="Phase">filling, indexing, catchingup, comparing, switching, done.</param>
/// <param name="PreviousVersion">Version of the tables that a rollback would put back; absent when there are none.</param>
public sealed record RebuildRow(
    string Name, string State, string Phase, long Position, long Target, double EventsPerSecond, double? RemainingSeconds, DateTimeOffset? StartedAt,
    DateTimeOffset? UpdatedAt, string? Error, int? PreviousVersion);
