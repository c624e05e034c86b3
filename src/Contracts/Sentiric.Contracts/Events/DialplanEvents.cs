namespace Sentiric.Contracts.Events;

/// <summary>Opening hours: minutes of the local day in <paramref name="TimeZone"/> (IANA). An interval may pass midnight.</summary>
public sealed record ScheduleDefined(
    DateTimeOffset At, string ScheduleId, string Name, string TimeZone, IReadOnlyList<OpeningHours> Hours, IReadOnlyList<DateOnly> Holidays) : IFact;

/// <param name="FromMinute">Minute of the day, 0..1439.</param>
/// <param name="ToMinute">Minute of the day, 1..1440; smaller than <paramref name="FromMinute"/> when it passes midnight.</param>
public sealed record OpeningHours(DayOfWeek Day, int FromMinute, int ToMinute);

/// <param name="Texts">Language ("tr", "en") to the words that are spoken.</param>
public sealed record AnnouncementDefined(DateTimeOffset At, string AnnouncementId, IReadOnlyDictionary<string, string> Texts) : IFact;

public sealed record AssistantDefined(DateTimeOffset At, string AssistantId, AssistantDefinition Definition) : IFact;

public sealed record DialplanPublished(DateTimeOffset At, string DialplanId, int Revision, string Name, DialplanAction Action, DialplanActionData Data) : IFact;

public sealed record DialplanRetired(DateTimeOffset At, string DialplanId) : IFact;

public sealed record RouteCreated(DateTimeOffset At, string Number, RouteSettings Settings) : IFact;

public sealed record RouteChanged(DateTimeOffset At, string Number, RouteSettings Settings) : IFact;

public sealed record RouteRemoved(DateTimeOffset At, string Number) : IFact;

public sealed record MaintenanceSwitched(DateTimeOffset At, string Number, bool On) : IFact;

/// <summary>An inbound route: what a called number does.</summary>
public sealed record RouteSettings(
    string ActiveDialplan,
    string? OffHoursDialplan,
    string? FailSafeDialplan,
    string? GuestDialplan,
    string? ScheduleId,
    string Language,
    bool BlockAnonymous,
    GuestPolicy GuestPolicy);

/// <summary>Parameters of a dialplan action; which ones an action needs is checked when the plan is published.</summary>
public sealed record DialplanActionData(
    string? AssistantId = null,
    string? AnnouncementId = null,
    string? Target = null,
    int? SipStatus = null,
    bool Record = true);
