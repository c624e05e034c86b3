using System.Globalization;
using Sentiric.Contracts.Events;

namespace Sentiric.Write.Dialplans;

/// <summary>
/// Whether a schedule is open at a moment, by the wall clock of its time zone. An interval that passes midnight belongs to the day on
/// which it starts; a holiday closes the intervals that start on it.
/// </summary>
public static class OpeningTimes
{
    private const int MaxZoneName = 64;

    public static bool IsTimeZone(string? id) => Zone(id) is not null;

    /// <summary>Open or not, and why, as a sentence for the rule trace.</summary>
    public static (bool Open, string Why) At(ScheduleDefined schedule, DateTimeOffset at)
    {
        var zone = Zone(schedule.TimeZone)
            ?? throw new InvalidOperationException(
                $"schedule '{schedule.ScheduleId}' was stored with the time zone '{schedule.TimeZone}', which this machine does not know");
        var local = TimeZoneInfo.ConvertTime(at, zone).DateTime;
        var name = $"schedule '{schedule.ScheduleId}' ({schedule.TimeZone})";
        var moment = local.ToString("dddd HH:mm", CultureInfo.InvariantCulture);
        foreach (var hours in schedule.Hours)
        {
            if (Covers(hours, schedule.Holidays, local))
            {
                return (true, $"{name} is open: {moment} lies in {Clock(hours.FromMinute)}-{Clock(hours.ToMinute)}");
            }
        }

        return schedule.Holidays.Contains(DateOnly.FromDateTime(local))
            ? (false, $"{name} is closed: {local.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)} is a holiday")
            : (false, $"{name} is closed: {moment} lies in no opening hours");
    }

    internal static TimeZoneInfo? Zone(string? id)
    {
        // "Turkey Standard Time" would be found too; only names with a region (or UTC) mean the same on every machine.
        var isIana = id is { Length: > 0 and <= MaxZoneName } && (id == "UTC" || id.Contains('/', StringComparison.Ordinal))
            && !id.Contains("..", StringComparison.Ordinal);
        return isIana && TimeZoneInfo.TryFindSystemTimeZoneById(id!, out var zone) ? zone : null;
    }

    private static bool Covers(OpeningHours hours, IReadOnlyList<DateOnly> holidays, DateTime local)
    {
        var minute = (int)local.TimeOfDay.TotalMinutes;
        var today = DateOnly.FromDateTime(local);
        if (hours.ToMinute > hours.FromMinute)
        {
            return StartsOn(hours, today, holidays) && minute >= hours.FromMinute && minute < hours.ToMinute;
        }

        return (StartsOn(hours, today, holidays) && minute >= hours.FromMinute)
            || (StartsOn(hours, today.AddDays(-1), holidays) && minute < hours.ToMinute);
    }

    private static bool StartsOn(OpeningHours hours, DateOnly day, IReadOnlyList<DateOnly> holidays) =>
        day.DayOfWeek == hours.Day && !holidays.Contains(day);

    private static string Clock(int minute) => string.Create(CultureInfo.InvariantCulture, $"{minute / 60:00}:{minute % 60:00}");
}
