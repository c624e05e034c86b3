using Sentiric.Contracts.Events;

namespace Sentiric.Contracts.Queries;

public sealed record UserRow(
    Guid UserId, string Name, UserType Type, string Language, bool Disabled, IReadOnlyList<ContactRow> Contacts, IReadOnlyList<string> SipUsernames);

public sealed record ContactRow(ContactType Type, string Value, bool Primary);

public sealed record DialplanRow(string DialplanId, int Revision, string Name, DialplanAction Action, DialplanActionData Data, bool Retired);

public sealed record RouteRow(string Number, RouteSettings Settings, bool Maintenance);

public sealed record ProjectionStatus(string Name, long Position, long HighWater, long Lag, string State, string? LastError);
