using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Http;

namespace Sentiric.Write.Dialplans;

/// <summary>PUT /schedules/{id}. Opening hours in a time zone of the IANA list; an interval may pass midnight.</summary>
public sealed record DefineSchedule(
    string ScheduleId, string Name, string TimeZone, IReadOnlyList<OpeningHours> Hours, IReadOnlyList<DateOnly> Holidays) : ICommand
{
    public const int MaxHours = 100;
    public const int MaxHolidays = 500;
    private const int MinutesPerDay = 1440;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPut("/schedules/{id}", (string id, HttpContext http, CommandRunner runner, CancellationToken ct) =>
            http.CommandAsync<DefineScheduleBody>(runner, body => new DefineSchedule(id, body.Name, body.TimeZone, body.Hours, body.Holidays ?? []), ct))
            .Describe<DefineScheduleBody>("DefineSchedule", "dialplans");

    public Decision Decide(Schedule schedule, DateTimeOffset now)
    {
        if (Invalid() is { } refusal)
        {
            return refusal;
        }

        var defined = new ScheduleDefined(now, ScheduleId, Name, TimeZone, Hours, Holidays);
        return schedule.Defined is { } earlier && Valid.Same(earlier with { At = now }, defined) ? Decision.Quiet : Decision.Of(defined);
    }

    public ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct) =>
        runner.RunAsync(who, async (work, token) =>
        {
            var schedule = await work.FetchAsync<Schedule>(Streams.Schedule(ScheduleId), token).ConfigureAwait(false);
            return work.Append(Streams.Schedule(ScheduleId), Decide(schedule, work.Now));
        }, ct);

    private Refusal? Invalid()
    {
        if (!Valid.Id(ScheduleId) || !Valid.Text(Name, Valid.MaxName))
        {
            return new("schedule.invalid", "A schedule needs an id of lower-case letters, digits, dashes and underscores, and a name.");
        }

        if (!OpeningTimes.IsTimeZone(TimeZone))
        {
            return new("schedule.bad_time_zone", $"'{TimeZone}' is not a time zone of the IANA list; write it like Europe/Istanbul.");
        }

        if (Hours.Count > MaxHours || Holidays.Count > MaxHolidays)
        {
            return new("schedule.invalid", $"A schedule has at most {MaxHours} intervals and {MaxHolidays} holidays.");
        }

        return Hours.All(IsInterval)
            ? null
            : new("schedule.bad_minutes", "An interval goes from minute 0..1439 to minute 1..1440 of the day, and the two differ.");
    }

    private static bool IsInterval(OpeningHours h) =>
        Enum.IsDefined(h.Day) && h.FromMinute is >= 0 and < MinutesPerDay && h.ToMinute is > 0 and <= MinutesPerDay && h.FromMinute != h.ToMinute;
}

public sealed record DefineScheduleBody(string Name, string TimeZone, IReadOnlyList<OpeningHours> Hours, IReadOnlyList<DateOnly>? Holidays = null);
