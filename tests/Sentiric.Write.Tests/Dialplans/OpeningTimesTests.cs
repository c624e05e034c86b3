using System.Globalization;
using Sentiric.Contracts.Events;
using Sentiric.Write.Dialplans;
using Sentiric.Write.Tests.Kit;

namespace Sentiric.Write.Tests.Dialplans;

/// <summary>D35. 2026-11-17 is a Tuesday.</summary>
public sealed class OpeningTimesTests
{
    private static readonly OpeningHours TuesdayDay = new(DayOfWeek.Tuesday, 9 * 60, 18 * 60);
    private static readonly OpeningHours TuesdayNight = new(DayOfWeek.Tuesday, 22 * 60, 2 * 60);

    [Theory]
    [InlineData("2026-11-17T08:59:59", false)]
    [InlineData("2026-11-17T09:00:00", true)]
    [InlineData("2026-11-17T17:59:59", true)]
    [InlineData("2026-11-17T18:00:00", false)]
    [InlineData("2026-11-18T10:00:00", false)]
    public void A_day_opens_and_closes_on_the_minute(string local, bool open) => Assert.Equal(open, At(TuesdayDay, "Europe/Istanbul", local, "+03:00").Open);

    [Theory]
    [InlineData("2026-11-17T21:59:00", false)]
    [InlineData("2026-11-17T22:00:00", true)]
    [InlineData("2026-11-18T00:30:00", true)]
    [InlineData("2026-11-18T01:59:59", true)]
    [InlineData("2026-11-18T02:00:00", false)]
    [InlineData("2026-11-17T01:00:00", false)]
    public void An_interval_may_pass_midnight(string local, bool open) => Assert.Equal(open, At(TuesdayNight, "Europe/Istanbul", local, "+03:00").Open);

    [Theory]
    [InlineData("2026-11-17T23:00:00", "2026-11-17", false)]
    [InlineData("2026-11-18T01:00:00", "2026-11-17", false)]
    [InlineData("2026-11-18T01:00:00", "2026-11-18", true)]
    public void A_holiday_closes_what_starts_on_it(string local, string holiday, bool open) =>
        Assert.Equal(open, At(TuesdayNight, "Europe/Istanbul", local, "+03:00", DateOnly.Parse(holiday, CultureInfo.InvariantCulture)).Open);

    // Berlin 2026: clocks go forward on 29 March (01:00 UTC) and back on 25 October (01:00 UTC); both are Sundays.
    [Theory]
    [InlineData("2026-03-28T07:59:00Z", false)]
    [InlineData("2026-03-28T08:00:00Z", true)]
    [InlineData("2026-03-29T06:59:00Z", false)]
    [InlineData("2026-03-29T07:00:00Z", true)]
    [InlineData("2026-10-25T07:59:00Z", false)]
    [InlineData("2026-10-25T08:00:00Z", true)]
    public void Nine_o_clock_is_nine_o_clock_before_and_after_the_clocks_change(string utc, bool open)
    {
        OpeningHours[] weekend = [new(DayOfWeek.Saturday, 540, 1080), new(DayOfWeek.Sunday, 540, 1080)];
        var schedule = new ScheduleDefined(Given.Earlier, "s", "S", "Europe/Berlin", weekend, []);
        Assert.Equal(open, OpeningTimes.At(schedule, DateTimeOffset.Parse(utc, CultureInfo.InvariantCulture)).Open);
    }

    [Theory]
    [InlineData("2026-10-25T00:30:00Z", true)]
    [InlineData("2026-10-25T01:30:00Z", true)]
    [InlineData("2026-10-25T02:00:00Z", false)]
    public void The_hour_that_comes_twice_is_open_twice(string utc, bool open)
    {
        var schedule = new ScheduleDefined(Given.Earlier, "s", "S", "Europe/Berlin", [new(DayOfWeek.Saturday, 22 * 60, 3 * 60)], []);
        Assert.Equal(open, OpeningTimes.At(schedule, DateTimeOffset.Parse(utc, CultureInfo.InvariantCulture)).Open);
    }

    [Fact]
    public void The_reason_is_a_sentence() => Assert.Equal(
        "schedule 's' (Europe/Istanbul) is open: Tuesday 10:00 lies in 09:00-18:00", At(TuesdayDay, "Europe/Istanbul", "2026-11-17T10:00:00", "+03:00").Why);

    [Theory]
    [InlineData("Europe/Atlantis")]
    [InlineData("Turkey Standard Time")]
    [InlineData("../etc/passwd")]
    [InlineData("+03:00")]
    [InlineData("")]
    public void A_bad_time_zone_is_refused_at_write(string zone) =>
        Schedule(TuesdayDay, zone).Decide(Given.Nothing<Schedule>(), Given.Now).Refuses("schedule.bad_time_zone");

    [Theory]
    [InlineData(-1, 60)]
    [InlineData(1440, 60)]
    [InlineData(0, 0)]
    [InlineData(0, 1441)]
    [InlineData(600, 600)]
    public void Minutes_outside_the_day_are_refused(int from, int to) =>
        Schedule(new(DayOfWeek.Monday, from, to), "Europe/Istanbul").Decide(Given.Nothing<Schedule>(), Given.Now).Refuses("schedule.bad_minutes");

    [Fact]
    public void A_whole_day_and_a_night_are_intervals()
    {
        var whole = Schedule(new(DayOfWeek.Monday, 0, 1440), "Europe/Istanbul");
        whole.Decide(Given.Nothing<Schedule>(), Given.Now).Says(new ScheduleDefined(Given.Now, "s", "S", "Europe/Istanbul", whole.Hours, []));
        Schedule(TuesdayNight, "UTC").Decide(Given.Facts<Schedule>(new ScheduleDefined(Given.Earlier, "s", "S", "UTC", [TuesdayNight], [])), Given.Now).IsQuiet();
    }

    private static DefineSchedule Schedule(OpeningHours hours, string zone) => new("s", "S", zone, [hours], []);

    private static (bool Open, string Why) At(OpeningHours hours, string zone, string local, string offset, params DateOnly[] holidays) =>
        OpeningTimes.At(new ScheduleDefined(Given.Earlier, "s", "S", zone, [hours], holidays), DateTimeOffset.Parse(local + offset, CultureInfo.InvariantCulture));
}
