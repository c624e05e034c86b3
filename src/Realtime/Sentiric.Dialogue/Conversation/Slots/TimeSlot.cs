using System.Globalization;

namespace Sentiric.Dialogue;

/// <summary>
/// A time of day in a sentence: "saat onda", "on buçukta", "14.30'da", "öğleden sonra üçte", "ona çeyrek kala", "half past ten", "3 pm".
/// Without a word for the time of day the hours 1 to 6 are those of the afternoon: nobody books at three in the night.
/// </summary>
internal static class TimeSlot
{
    private const int LastHourTakenForAfternoon = 6;

    private enum DayPart
    {
        Unsaid,
        Morning,
        Noon,
        Afternoon,
        Evening,
        Night,
    }

    /// <param name="asked">The time was asked for: a bare number is one then.</param>
    /// <returns>HH:mm and the words that it was made of, the last time in the sentence; null when there is none.</returns>
    public static SlotMatch? Find(IReadOnlyList<Word> words, bool asked)
    {
        SlotMatch? found = null;
        for (var at = 0; at < words.Count;)
        {
            if (ReadAt(words, at, asked) is not { } time)
            {
                at++;
                continue;
            }

            var (start, end) = WithSurroundings(words, at, at + time.Used);
            var value = Clock(time.Hour, time.Minute, PartOfDay(words, start, at) is var before and not DayPart.Unsaid ? before : PartOfDay(words, at + time.Used, end));
            found = value is null ? found : new(value, start, end);
            at += time.Used;
        }

        return found;
    }

    private readonly record struct Reading(int Hour, int Minute, int Used);

    private static Reading? ReadAt(IReadOnlyList<Word> words, int at, bool asked) =>
        Digits(words[at].Folded) ?? EnglishPhrase(words, at) ?? Relative(words, at) ?? Hour(words, at, asked) ?? HalfPastTwelve(words, at);

    private static Reading? Digits(string word)
    {
        var mark = word.IndexOfAny(['.', ':']);
        return mark is 1 or 2 && word.Length == mark + 3
            && int.TryParse(word.AsSpan(0, mark), NumberStyles.None, CultureInfo.InvariantCulture, out var hour)
            && int.TryParse(word.AsSpan(mark + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var minute)
            ? new Reading(hour, minute, 1)
            : null;
    }

    /// <summary>"half past ten", "quarter to three", "quarter past two".</summary>
    private static Reading? EnglishPhrase(IReadOnlyList<Word> words, int at)
    {
        var minutes = words[at].Folded switch { "half" => 30, "quarter" => 15, _ => 0 };
        if (minutes == 0 || at + 2 >= words.Count || words[at + 1].Folded is not ("past" or "to") || NumberWords.ReadSmall(words, at + 2) is not { } hour)
        {
            return null;
        }

        return words[at + 1].Folded == "past" ? new(hour.Value, minutes, 2 + hour.Used) : new(hour.Value - 1, 60 - minutes, 2 + hour.Used);
    }

    /// <summary>"ona çeyrek kala" (9:45), "onu beş geçe" (10:05).</summary>
    private static Reading? Relative(IReadOnlyList<Word> words, int at)
    {
        if (NumberWords.ReadSmall(words, at) is not { Suffix.Length: > 0 } hour)
        {
            return null;
        }

        var next = at + hour.Used;
        var (minutes, used) = next < words.Count && words[next].Folded == "ceyrek" ? (15, 1)
            : NumberWords.ReadSmall(words, next) is { } m ? (m.Value, m.Used) : (0, 0);
        var verb = next + used < words.Count ? words[next + used].Folded : "";
        var all = hour.Used + used + 1;
        return minutes == 0 ? null
            : verb.StartsWith("gec", StringComparison.Ordinal) ? new(hour.Value, minutes, all)
            : verb is "kala" or "var" ? new(hour.Value - 1, 60 - minutes, all)
            : null;
    }

    private static Reading? Hour(IReadOnlyList<Word> words, int at, bool asked)
    {
        if (NumberWords.ReadSmall(words, at) is not { } hour)
        {
            return null;
        }

        var next = at + hour.Used;
        var follower = next < words.Count ? words[next].Folded : "";
        if (hour.Suffix.Length == 0 && follower.StartsWith("bucu", StringComparison.Ordinal))
        {
            return new(hour.Value, 30, hour.Used + 1);
        }

        var announced = at > 0 && words[at - 1].Folded is "saat" or "saati" or "saatin" || (at > 0 && words[at - 1].Folded is "at" or "around");
        var clocked = follower is "am" or "pm" or "oclock" || (follower == "o" && next + 1 < words.Count && words[next + 1].Folded == "clock");
        var dayPart = at > 0 && IsDayPart(words[at - 1].Folded);
        if (!announced && !clocked && !asked && !dayPart && !NumberWords.IsLocative(hour.Suffix))
        {
            return null;
        }

        // A minute follows an hour without suffix: "on otuz", "dokuz kırk beşte".
        return hour.Suffix.Length == 0 && NumberWords.ReadSmall(words, next) is { Value: >= 5 and < 60 } minute
            ? new(hour.Value, minute.Value, hour.Used + minute.Used)
            : new(hour.Value, 0, hour.Used);
    }

    private static Reading? HalfPastTwelve(IReadOnlyList<Word> words, int at) =>
        words[at].Folded is "yarimda" ? new(12, 30, 1) : words[at].Folded is "noon" or "oglen" or "ogleyin" && !FollowedByNumber(words, at) ? new(12, 0, 1) : null;

    private static bool FollowedByNumber(IReadOnlyList<Word> words, int at) =>
        words.Skip(at + 1).Take(2).Any(w => NumberWords.Read(w.Folded) is not null || char.IsAsciiDigit(w.Folded[0]));

    private static (int Start, int End) WithSurroundings(IReadOnlyList<Word> words, int start, int end)
    {
        while (start > 0 && (words[start - 1].Folded is "saat" or "saati" or "saatin" or "at" or "around" || IsDayPart(words[start - 1].Folded)))
        {
            start--;
        }

        while (end < words.Count && (words[end].Folded is "am" or "pm" or "oclock" or "o" or "clock" or "gibi" or "civari" or "icin" or "in" or "the" || IsDayPart(words[end].Folded)))
        {
            end++;
        }

        return (start, end);
    }

    private static bool IsDayPart(string word) =>
        word is "sabah" or "sabahleyin" or "oglen" or "ogle" or "ogleden" or "sonra" or "once" or "aksam" or "aksamustu" or "gece" or "morning" or "afternoon" or "evening" or "night";

    private static DayPart PartOfDay(IReadOnlyList<Word> words, int start, int end)
    {
        for (var i = start; i < end; i++)
        {
            var part = words[i].Folded switch
            {
                "sabah" or "sabahleyin" or "morning" or "am" or "once" => DayPart.Morning,
                "sonra" or "afternoon" or "pm" => DayPart.Afternoon,
                "oglen" or "ogle" => DayPart.Noon,
                "aksam" or "aksamustu" or "evening" => DayPart.Evening,
                "gece" or "night" => DayPart.Night,
                _ => DayPart.Unsaid,
            };
            if (part is not DayPart.Unsaid)
            {
                return part;
            }
        }

        return DayPart.Unsaid;
    }

    private static string? Clock(int hour, int minute, DayPart part)
    {
        hour = hour == 24 ? 0 : hour;
        if (hour is < 0 or > 23 || minute is < 0 or > 59)
        {
            return null;
        }

        var shifted = part switch
        {
            DayPart.Morning => hour == 12 ? 0 : hour,
            DayPart.Afternoon or DayPart.Evening => hour < 12 ? hour + 12 : hour,
            DayPart.Noon => hour is >= 1 and <= 3 ? hour + 12 : hour,
            DayPart.Night => hour == 12 ? 0 : hour is >= 8 and < 12 ? hour + 12 : hour,
            DayPart.Unsaid => hour is >= 1 and <= LastHourTakenForAfternoon ? hour + 12 : hour,
        };
        return string.Create(CultureInfo.InvariantCulture, $"{shifted:00}:{minute:00}");
    }
}
