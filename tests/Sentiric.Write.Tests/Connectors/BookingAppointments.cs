using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.EventStore;
using Sentiric.Write.Connectors;
using Sentiric.Write.Tests.Kit;

namespace Sentiric.Write.Tests.Connectors;

/// <summary>It is Tuesday 17 November 2026, 10:00 in Istanbul; the calendar is open Monday to Saturday, 09:00-18:00.</summary>
public sealed class BookingAppointments
{
    [Fact]
    public async Task An_appointment_is_booked()
    {
        using var world = await Calendars.OpenAsync();
        var booked = await world.BookAsync("cuma", "14:30");
        Assert.Equal(("cuma", "2026-11-20", "14:30"), (booked.Value.Values["day"], booked.Value.Values["date"], booked.Value.Values["time"]));
        var stored = Assert.Single(await world.LogAsync(), e => e.EventType == "appointment_booked");
        Assert.Equal("calendar-takvim-2026-11-20", stored.StreamId);
        Assert.Equal(
            new AppointmentBooked(Given.Now, Guid.Parse(booked.Value.Values["appointment_id"]), "takvim", new(2026, 11, 20, 11, 30, 0, TimeSpan.Zero),
                30, "Ayşe Yılmaz", "+905321112233", "k1"),
            world.Store.Serializer.Deserialize(stored));
    }

    [Fact]
    public async Task The_same_request_books_once()
    {
        using var world = await Calendars.OpenAsync();
        var first = await world.BookAsync("cuma", "14:30");
        var second = await world.BookAsync("cuma", "14:30");
        Assert.Equal(first.Value.Values, second.Value.Values);
        Assert.Single(await world.LogAsync(), e => e.EventType == "appointment_booked");
    }

    // D47: the answer got lost, midnight passed, the request comes again.
    [Fact]
    public async Task Tomorrow_asked_again_after_midnight_is_still_the_same_day()
    {
        using var world = await Calendars.OpenAsync();
        var first = await world.BookAsync("yarın", "14:30");
        world.Time.Advance(TimeSpan.FromHours(15));
        Assert.Equal(first.Value.Values, (await world.BookAsync("yarın", "14:30")).Value.Values);
        Assert.Single(await world.LogAsync(), e => e.EventType == "appointment_booked");
    }

    [Fact]
    public async Task A_taken_time_is_refused_with_the_next_free_one()
    {
        using var world = await Calendars.OpenAsync();
        await world.BookAsync("cuma", "14:30");
        await world.BookAsync("cuma", "15:00", "k2");
        var refused = await world.BookAsync("cuma", "14:30", "k3", "Fatma Kaya");
        Assert.Equal("calendar.slot_taken", refused.Refusal?.Code);
        Assert.Equal("Cuma 14:30 dolu. En yakın boş saat cuma 15:30.", refused.Refusal?.Why);
    }

    [Fact]
    public async Task The_next_free_time_may_be_on_another_day()
    {
        using var world = await Calendars.OpenAsync();
        await world.BookAsync("cumartesi", "17:30");
        var refused = await world.BookAsync("cumartesi", "17:30", "k2");
        Assert.Equal("Cumartesi 17:30 dolu. En yakın boş saat pazartesi 09:00.", refused.Refusal?.Why);
    }

    [Fact]
    public async Task Two_callers_at_once_cannot_have_one_time()
    {
        using var world = await Calendars.OpenAsync();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(() => world.BookAsync("cuma", "14:30", $"k{i}").AsTask())));
        Assert.Equal(1, outcomes.Count(o => o.Ok));
        Assert.All(outcomes.Where(o => !o.Ok), o => Assert.Equal("calendar.slot_taken", o.Refusal?.Code));
    }

    [Theory]
    [InlineData("bugün", "2026-11-17")]
    [InlineData("BUGÜN", "2026-11-17")]
    [InlineData("yarın", "2026-11-18")]
    [InlineData("YARIN", "2026-11-18")]
    [InlineData("salı", "2026-11-24")]
    [InlineData("SALI günü", "2026-11-24")]
    [InlineData("çarşamba", "2026-11-18")]
    [InlineData("Perşembe", "2026-11-19")]
    [InlineData("pazartesi", "2026-11-23")]
    [InlineData("İSTANBUL", null)]
    [InlineData("Friday", "2026-11-20")]
    [InlineData("FRIDAY", "2026-11-20")]
    [InlineData("today", "2026-11-17")]
    [InlineData("tomorrow", "2026-11-18")]
    [InlineData("2026-12-01", "2026-12-01")]
    [InlineData("2026-13-01", null)]
    [InlineData("", null)]
    public void Days_are_understood_as_people_say_them(string said, string? date) =>
        Assert.Equal(date, DayWords.Parse(said, new DateOnly(2026, 11, 17))?.ToString("yyyy-MM-dd"));

    // Istanbul is three hours ahead: at 22:00 UTC it is tomorrow there.
    [Fact]
    public async Task Today_is_today_in_the_calendar_s_time_zone()
    {
        using var world = await Calendars.OpenAsync();
        world.Time.Advance(TimeSpan.FromHours(15));
        Assert.Equal("2026-11-18", (await world.BookAsync("bugün", "14:30")).Value.Values["date"]);
    }

    [Theory]
    [InlineData("pazar", "14:30", "calendar.closed", "Pazar günü kapalıyız.")]
    [InlineData("cuma", "08:30", "calendar.closed", "Çalışma saatlerimiz 09:00 ile 18:00 arası.")]
    [InlineData("cuma", "18:00", "calendar.closed", "Çalışma saatlerimiz 09:00 ile 18:00 arası.")]
    [InlineData("cuma", "23:45", "calendar.closed", "Çalışma saatlerimiz 09:00 ile 18:00 arası.")]
    [InlineData("cuma", "14:10", "connector.bad_parameter", "Randevular 30 dakikada bir başlıyor.")]
    [InlineData("bugün", "09:30", "connector.bad_parameter", "Söylediğiniz saat geçti.")]
    [InlineData("2026-11-16", "14:30", "connector.bad_parameter", "Söylediğiniz saat geçti.")]
    [InlineData("2030-01-01", "14:30", "connector.bad_parameter", "Söylediğiniz gün çok ileride.")]
    [InlineData("bir gün", "14:30", "connector.bad_parameter", "Bir gün söylemeniz gerekiyor, örneğin pazartesi ya da yarın.")]
    [InlineData("cuma", "öğlen", "connector.bad_parameter", "Bir saat söylemeniz gerekiyor, örneğin 14:30.")]
    public async Task What_cannot_be_booked_is_refused_in_a_sentence(string day, string time, string code, string why)
    {
        using var world = await Calendars.OpenAsync();
        var refused = await world.BookAsync(day, time);
        Assert.Equal((code, why), (refused.Refusal?.Code, refused.Refusal?.Why));
    }

    [Fact]
    public async Task The_sentence_is_english_for_an_english_caller()
    {
        using var world = await Calendars.OpenAsync();
        var refused = await world.DoAsync("book", "k1", ("day", "sunday"), ("time", "14:30"), ("name", "Jane"), ("language", "en"));
        Assert.Equal("We are closed on Sunday.", refused.Refusal?.Why);
        Assert.Equal("Friday", (await world.DoAsync("book", "k1", ("day", "friday"), ("time", "14.30"), ("name", "Jane"), ("language", "en"))).Value.Values["day"]);
    }

    [Fact]
    public async Task A_cancelled_time_is_free_again()
    {
        using var world = await Calendars.OpenAsync();
        var booked = await world.BookAsync("cuma", "14:30");
        var id = booked.Value.Values["appointment_id"];
        Assert.True((await world.DoAsync("cancel", "c1", ("appointment_id", id))).Ok);
        Assert.True((await world.DoAsync("cancel", "c2", ("appointment_id", id))).Ok);
        Assert.True((await world.BookAsync("cuma", "14:30", "k2")).Ok);
        Assert.Equal(["appointment_booked", "appointment_cancelled", "appointment_booked"], await world.StreamAsync(Streams.Calendar("takvim", new(2026, 11, 20))));
    }

    [Theory]
    [InlineData("")]
    [InlineData("01980000-0000-7000-8000-0000000000aa")]
    [InlineData("not-an-id")]
    public async Task An_unknown_appointment_is_not_cancelled(string id)
    {
        using var world = await Calendars.OpenAsync();
        Assert.Equal("connector.bad_parameter", (await world.DoAsync("cancel", "c1", ("appointment_id", id))).Refusal?.Code);
        var made = AppointmentId.Of(new(2026, 11, 20), World.Demo, "takvim", "never").ToString("D");
        Assert.Equal("connector.bad_parameter", (await world.DoAsync("cancel", "c1", ("appointment_id", made))).Refusal?.Code);
    }

    [Fact]
    public async Task Free_times_are_told()
    {
        using var world = await Calendars.OpenAsync();
        await world.BookAsync("bugün", "10:30");
        var free = await world.DoAsync("free", "f1", ("day", "bugün"));
        Assert.Equal(("14", "11:00, 11:30, 12:00, 12:30, 13:00"), (free.Value.Values["count"], free.Value.Values["times"]));
    }

    [Fact]
    public async Task What_is_not_there_is_refused()
    {
        using var world = await Calendars.OpenAsync();
        Assert.Equal("connector.action_unknown", (await world.DoAsync("burn", "k1")).Refusal?.Code);
        var request = new ExecuteConnector(World.Other, "takvim", "free", new Dictionary<string, string>(), "k1", null);
        Assert.Equal("connector.unknown", (await world.Connectors.ExecuteAsync(request, default)).Refusal?.Code);
        Assert.Equal("connector.bad_parameter", (await world.DoAsync("free", "a key\r\nwith: a header", ("day", "cuma"))).Refusal?.Code);
    }

    [Fact]
    public void An_appointment_s_id_tells_its_day()
    {
        var id = AppointmentId.Of(new(2026, 11, 20), "demo", "takvim", "k1");
        Assert.Equal(new DateOnly(2026, 11, 20), AppointmentId.DayOf(id));
        Assert.Equal(8, id.Version);
        Assert.NotEqual(id, AppointmentId.Of(new(2026, 11, 20), "other", "takvim", "k1"));
        Assert.Null(AppointmentId.DayOf(Guid.CreateVersion7()));
    }
}
