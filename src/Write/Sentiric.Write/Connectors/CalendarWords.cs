using System.Globalization;

namespace Sentiric.Write.Connectors;

/// <summary>What the calendar says to the caller when it says no: the assistant speaks these sentences.</summary>
public sealed record CalendarWords(string Language)
{
    private bool English => Language == "en";

    public string Day(DateOnly day) => DayWords.Name(day.DayOfWeek, Language);

    public string BadDay => English ? "I need a day, like Monday or tomorrow." : "Bir gün söylemeniz gerekiyor, örneğin pazartesi ya da yarın.";

    public string BadTime => English ? "I need a time, like 14:30." : "Bir saat söylemeniz gerekiyor, örneğin 14:30.";

    public string NoName => English ? "I need a name for the appointment." : "Randevu için bir isim gerekiyor.";

    public string NoAppointment => English ? "I cannot find this appointment." : "Böyle bir randevu bulamadım.";

    public string Past => English ? "That time has passed already." : "Söylediğiniz saat geçti.";

    public string TooFar => English ? "That day is too far ahead." : "Söylediğiniz gün çok ileride.";

    public string ClosedOn(DateOnly day) => English ? $"We are closed on {Day(day)}." : $"{Upper(Day(day))} günü kapalıyız.";

    public string ClosedAt(CalendarSettings settings) => English
        ? $"We are open from {Time(settings.OpenFrom)} to {Time(settings.OpenTo)}."
        : $"Çalışma saatlerimiz {Time(settings.OpenFrom)} ile {Time(settings.OpenTo)} arası.";

    public string OffGrid(CalendarSettings settings) => English
        ? $"Appointments start every {settings.SlotMinutes} minutes."
        : $"Randevular {settings.SlotMinutes} dakikada bir başlıyor.";

    public string Taken(DateOnly day, TimeOnly time, (DateOnly Day, TimeOnly Time)? next) => (English, next) switch
    {
        (true, null) => $"{Day(day)} {Time(time)} is taken, and nothing is free in the days after it.",
        (false, null) => $"{Upper(Day(day))} {Time(time)} dolu, sonraki günlerde de boş yer yok.",
        (true, { } free) => $"{Day(day)} {Time(time)} is taken. The next free time is {Day(free.Day)} {Time(free.Time)}.",
        (false, { } free) => $"{Upper(Day(day))} {Time(time)} dolu. En yakın boş saat {Day(free.Day)} {Time(free.Time)}.",
    };

    public static string Time(TimeOnly time) => time.ToString("HH:mm", CultureInfo.InvariantCulture);

    // Of the weekday names none starts with i or ı, so the invariant capital is the Turkish one.
    private static string Upper(string word) => char.ToUpperInvariant(word[0]) + word[1..];
}
