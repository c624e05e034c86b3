using Sentiric.Contracts.Events;
using Sentiric.Contracts.Text;

namespace Sentiric.Write.Dialplans;

/// <summary>Everything that the rules look at; the caller is null while nobody was identified.</summary>
/// <param name="Schedule">Null when the route names none, or one that is not there.</param>
public sealed record RouteQuestion(string Tenant, string From, string Number, DateTimeOffset At, Route Route, ScheduleDefined? Schedule);

/// <summary>Who calls, as far as the choice of a plan goes.</summary>
public enum CallerStanding
{
    Known,
    Guest,
    Unknown,
}

/// <summary>What the rules chose: plans in the order in which they are tried, or words, or a rejection.</summary>
/// <param name="Plans">Ids; the first usable one answers the call.</param>
/// <param name="Announcement">Spoken when no plan is named.</param>
/// <param name="SipStatus">Rejects the call.</param>
public sealed record RouteChoice(string Why, IReadOnlyList<string> Plans, string? Announcement, int? SipStatus)
{
    public static RouteChoice Reject(string why, int sipStatus, string announcement) => new(why, [], announcement, sipStatus);

    public static RouteChoice Announce(string why, string announcement) => new(why, [], announcement, SipStatus: null);

    public static RouteChoice Plan(string why, params string?[] plans) => new(why, [.. plans.OfType<string>()], Announcement: null, SipStatus: null);
}

/// <summary>
/// The order of the questions asked of a call to a number that has a route: anonymous, maintenance, schedule, caller. Pure.
/// Every question leaves a line in the trace.
/// </summary>
public static class RouteRules
{
    public const string Normal = "normal";
    public const string OffHours = "off_hours";
    public const string InMaintenance = "maintenance";
    public const string AnonymousBlocked = "anonymous_blocked";
    public const string UnknownCaller = "unknown_caller";
    public const string FailSafe = "fail_safe";
    public const string UnknownNumber = "unknown_number";

    private const int AnonymityDisallowed = 433; // RFC 5079
    private const int Forbidden = 403;

    /// <summary>Null: nothing speaks against going on to the caller.</summary>
    public static RouteChoice? BeforeTheCaller(RouteQuestion question, RouteSettings settings, List<string> trace)
    {
        trace.Add($"route {question.Number} found in tenant {question.Tenant}");
        return Anonymous(question, settings, trace) ?? Maintenance(question.Route, trace) ?? Schedule(question, settings, trace);
    }

    public static RouteChoice ForTheCaller(RouteSettings settings, CallerStanding standing, List<string> trace)
    {
        if (standing == CallerStanding.Unknown && settings.GuestPolicy == GuestPolicy.Reject)
        {
            trace.Add("the route rejects callers whom the tenant does not know");
            return RouteChoice.Reject(UnknownCaller, Forbidden, BuiltInAnnouncements.Error);
        }

        if (standing != CallerStanding.Known && settings.GuestDialplan is { } guestPlan)
        {
            trace.Add($"the route has the plan '{guestPlan}' for guests");
            return RouteChoice.Plan(UnknownCaller, guestPlan, settings.FailSafeDialplan);
        }

        trace.Add($"the active plan is '{settings.ActiveDialplan}'");
        return RouteChoice.Plan(Normal, settings.ActiveDialplan, settings.FailSafeDialplan);
    }

    private static RouteChoice? Anonymous(RouteQuestion question, RouteSettings settings, List<string> trace)
    {
        if (question.From != PhoneNumber.Anonymous)
        {
            trace.Add("the caller shows a number");
            return null;
        }

        trace.Add($"the caller is anonymous and the route {(settings.BlockAnonymous ? "blocks anonymous calls" : "allows that")}");
        return settings.BlockAnonymous ? RouteChoice.Reject(AnonymousBlocked, AnonymityDisallowed, BuiltInAnnouncements.AnonymousBlocked) : null;
    }

    private static RouteChoice? Maintenance(Route route, List<string> trace)
    {
        trace.Add(route.Maintenance ? "maintenance is on" : "maintenance is off");
        return route.Maintenance ? RouteChoice.Announce(InMaintenance, BuiltInAnnouncements.Maintenance) : null;
    }

    private static RouteChoice? Schedule(RouteQuestion question, RouteSettings settings, List<string> trace)
    {
        if (settings.ScheduleId is not { } id)
        {
            trace.Add("the route has no schedule: always open");
            return null;
        }

        if (question.Schedule is not { } schedule)
        {
            trace.Add($"schedule '{id}' is not defined");
            return RouteChoice.Plan(FailSafe, settings.FailSafeDialplan);
        }

        var (open, why) = OpeningTimes.At(schedule, question.At);
        trace.Add(why);
        return open ? null : Closed(settings, trace);
    }

    private static RouteChoice Closed(RouteSettings settings, List<string> trace)
    {
        if (settings.OffHoursDialplan is { } plan)
        {
            trace.Add($"the off-hours plan is '{plan}'");
            return RouteChoice.Plan(OffHours, plan, settings.FailSafeDialplan);
        }

        trace.Add("the route has no off-hours plan: the after-hours announcement is played");
        return RouteChoice.Announce(OffHours, BuiltInAnnouncements.AfterHours);
    }
}
