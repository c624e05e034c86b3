using System.Globalization;
using Sentiric.Contracts;
using Sentiric.Write.Dialplans;

namespace Sentiric.Write.Connectors;

/// <summary>
/// Settings of a calendar: <c>open_from</c> and <c>open_to</c> (HH:mm), <c>slot_minutes</c> (5..240), <c>time_zone</c> (IANA),
/// <c>open_days</c> ("mon-sat" or "mon,wed,fri"; default mon-fri), <c>language</c> in which it says no ("tr" or "en"; default tr).
/// </summary>
public sealed record CalendarSettings(
    TimeOnly OpenFrom, TimeOnly OpenTo, int SlotMinutes, TimeZoneInfo TimeZone, IReadOnlyList<DayOfWeek> OpenDays, string Language)
{
    private const int MinSlot = 5;
    private const int MaxSlot = 240;
    private static readonly string[] Days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

    public static Result<CalendarSettings> Parse(IReadOnlyDictionary<string, string> settings)
    {
        if (Clock(settings.GetValueOrDefault("open_from")) is not { } from || Clock(settings.GetValueOrDefault("open_to")) is not { } to || to <= from)
        {
            return No("open_from and open_to are times of a day like 09:00 and 18:00, the first one earlier");
        }

        if (!int.TryParse(settings.GetValueOrDefault("slot_minutes"), NumberStyles.None, CultureInfo.InvariantCulture, out var minutes)
            || minutes is < MinSlot or > MaxSlot || minutes > (to - from).TotalMinutes)
        {
            return No($"slot_minutes is a number from {MinSlot} to {MaxSlot} and fits into the opening hours");
        }

        if (OpeningTimes.Zone(settings.GetValueOrDefault("time_zone")) is not { } zone)
        {
            return No("time_zone is a name of the IANA list like Europe/Istanbul");
        }

        if (OpenDaysOf(settings.GetValueOrDefault("open_days", "mon-fri")) is not { } days)
        {
            return No("open_days is a range like mon-sat or a list like mon,wed,fri");
        }

        var language = settings.GetValueOrDefault("language", "tr");
        return Valid.Language(language) ? new CalendarSettings(from, to, minutes, zone, days, language) : No("language is 'tr' or 'en'");
    }

    public DateTime Local(DateTimeOffset moment) => TimeZoneInfo.ConvertTime(moment, TimeZone).DateTime;

    /// <summary>The moment of a local time; null when the clock skips it on that day.</summary>
    public DateTimeOffset? Moment(DateOnly day, TimeOnly time)
    {
        var local = day.ToDateTime(time);
        return TimeZone.IsInvalidTime(local) ? null : new DateTimeOffset(local, TimeZone.GetUtcOffset(local));
    }

    public bool IsOpenOn(DateOnly day) => OpenDays.Contains(day.DayOfWeek);

    /// <summary>Times at which an appointment may start: the last one ends when the day does.</summary>
    public IEnumerable<TimeOnly> Slots()
    {
        var count = (int)((OpenTo - OpenFrom).TotalMinutes / SlotMinutes);
        return Enumerable.Range(0, count).Select(i => OpenFrom.AddMinutes(i * SlotMinutes));
    }

    private static TimeOnly? Clock(string? text) =>
        TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) ? time : null;

    private static List<DayOfWeek>? OpenDaysOf(string text)
    {
        var days = new List<DayOfWeek>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var ends = part.Split('-').Select(d => Array.IndexOf(Days, d)).ToList();
            if (ends.Count > 2 || ends.Contains(-1))
            {
                return null;
            }

            var length = ((ends[^1] - ends[0] + Days.Length) % Days.Length) + 1;
            days.AddRange(Enumerable.Range(ends[0], length).Select(d => (DayOfWeek)(d % Days.Length)));
        }

        return days;
    }

    private static Refusal No(string why) => new("connector.bad_setting", $"The calendar's settings are wrong: {why}.");
}
