using System.Collections.Frozen;
using System.Globalization;

namespace Sentiric.Dialogue;

/// <summary>
/// A day in a sentence: "salı", "salıya", "çarşamba günü", "bugün", "yarın", "öbür gün", "on beş kasım", "next tuesday", "november 15".
/// Canonical: the weekday's name in its language, bugün/yarın (today/tomorrow), or yyyy-MM-dd.
/// </summary>
internal static class DaySlot
{
    // Longer names first: "pazartesi" begins with "pazar", "cumartesi" with "cuma".
    private static readonly (string Stem, string Value)[] Days =
    [
        ("pazartesi", "pazartesi"), ("cumartesi", "cumartesi"), ("sali", "salı"), ("carsamba", "çarşamba"), ("persembe", "perşembe"), ("cuma", "cuma"), ("pazar", "pazar"),
        ("monday", "monday"), ("tuesday", "tuesday"), ("wednesday", "wednesday"), ("thursday", "thursday"), ("friday", "friday"), ("saturday", "saturday"), ("sunday", "sunday"),
        ("bugun", "bugün"), ("yarin", "yarın"), ("today", "today"), ("tomorrow", "tomorrow"),
    ];

    private static readonly string[] Months =
        ["ocak", "subat", "mart", "nisan", "mayis", "haziran", "temmuz", "agustos", "eylul", "ekim", "kasim", "aralik"];

    private static readonly string[] EnglishMonths =
        ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];

    private static readonly string[] SpokenMonths =
        ["Ocak", "Şubat", "Mart", "Nisan", "Mayıs", "Haziran", "Temmuz", "Ağustos", "Eylül", "Ekim", "Kasım", "Aralık"];

    private static readonly FrozenSet<string> CaseSuffixes = new[]
    {
        "", "ya", "ye", "yi", "a", "e", "i", "u", "da", "de", "dan", "den", "nin", "in", "un", "ki", "leri", "lari", "si", "sine", "ne", "ni", "ta", "te", "a", "s",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <returns>The last day in the sentence: "salı değil çarşamba" means Wednesday.</returns>
    public static SlotMatch? Find(IReadOnlyList<Word> words, DateOnly today)
    {
        SlotMatch? found = null;
        for (var at = 0; at < words.Count; at++)
        {
            if (DateAt(words, at, today) is { } date)
            {
                found = date;
                at = date.End - 1;
            }
            else if (NameOf(words[at].Folded) is { } name)
            {
                found = new(name, at, WithDayWord(words, at + 1));
            }
        }

        return found;
    }

    /// <summary>"2026-11-15" as "15 Kasım"; everything else as it is.</summary>
    public static string Spoken(string value, string language)
    {
        if (!DateOnly.TryParseExact(value, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date))
        {
            return language == "en" && value.Length > 0 && value is not ("today" or "tomorrow") ? char.ToUpperInvariant(value[0]) + value[1..] : value;
        }

        var day = date.Day.ToString(CultureInfo.InvariantCulture);
        return language == "en" ? date.ToString("MMMM d", CultureInfo.InvariantCulture) : $"{day} {SpokenMonths[date.Month - 1]}";
    }

    private static string? NameOf(string word)
    {
        foreach (var (stem, value) in Days)
        {
            if (word.StartsWith(stem, StringComparison.Ordinal) && CaseSuffixes.Contains(word[stem.Length..]))
            {
                return value;
            }
        }

        return null;
    }

    private static int WithDayWord(IReadOnlyList<Word> words, int at) =>
        at < words.Count && words[at].Folded is "gunu" or "gun" or "gunune" or "gununde" ? at + 1 : at;

    private static SlotMatch? DateAt(IReadOnlyList<Word> words, int at, DateOnly today) =>
        AfterTomorrow(words, at, today) ?? Iso(words, at) ?? DayThenMonth(words, at, today) ?? MonthThenDay(words, at, today);

    private static SlotMatch? AfterTomorrow(IReadOnlyList<Word> words, int at, DateOnly today)
    {
        var turkish = words[at].Folded is "obur" or "ertesi" && WithDayWord(words, at + 1) == at + 2;
        if (turkish || words[at].Folded is "oburgun")
        {
            return new(Canonical(today.AddDays(2)), at, at + (turkish ? 2 : 1));
        }

        var english = words[at].Folded == "day" && at + 2 < words.Count && words[at + 1].Folded == "after" && words[at + 2].Folded == "tomorrow";
        return english ? new(Canonical(today.AddDays(2)), at, at + 3) : null;
    }

    // A date with hyphens comes as three words: 2026 11 15.
    private static SlotMatch? Iso(IReadOnlyList<Word> words, int at) =>
        at + 2 < words.Count && words[at].Folded.Length == 4
        && DateOnly.TryParseExact($"{words[at].Folded}-{words[at + 1].Folded}-{words[at + 2].Folded}", "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
            ? new(Canonical(date), at, at + 3)
            : null;

    private static SlotMatch? DayThenMonth(IReadOnlyList<Word> words, int at, DateOnly today) =>
        NumberWords.ReadSmall(words, at) is { Suffix: "" } day && at + day.Used < words.Count && MonthOf(words[at + day.Used].Folded) is { } month
            ? Date(today, month, day.Value, at, WithDayWord(words, at + day.Used + 1))
            : null;

    private static SlotMatch? MonthThenDay(IReadOnlyList<Word> words, int at, DateOnly today) =>
        Array.IndexOf(EnglishMonths, words[at].Folded) is >= 0 and var month && NumberWords.ReadSmall(words, at + 1) is { } day
            ? Date(today, month + 1, day.Value, at, at + 1 + day.Used)
            : null;

    private static int? MonthOf(string word)
    {
        for (var i = 0; i < Months.Length; i++)
        {
            var isTurkish = word.StartsWith(Months[i], StringComparison.Ordinal) && word.Length <= Months[i].Length + 3;
            if (isTurkish || word == EnglishMonths[i])
            {
                return i + 1;
            }
        }

        return null;
    }

    /// <summary>The next such date from today on.</summary>
    private static SlotMatch? Date(DateOnly today, int month, int day, int start, int end)
    {
        for (var year = today.Year; year <= today.Year + 1; year++)
        {
            if (day >= 1 && day <= DateTime.DaysInMonth(year, month) && new DateOnly(year, month, day) is var date && date >= today)
            {
                return new(Canonical(date), start, end);
            }
        }

        return null;
    }

    private static string Canonical(DateOnly date) => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
