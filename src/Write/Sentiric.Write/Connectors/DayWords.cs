using System.Collections.Frozen;
using System.Globalization;

namespace Sentiric.Write.Connectors;

/// <summary>Days as people say them, in Turkish and English. A weekday means the next such day after today.</summary>
public static class DayWords
{
    private const int MaxLength = 40;
    private static readonly string[] Turkish = ["pazar", "pazartesi", "salı", "çarşamba", "perşembe", "cuma", "cumartesi"];
    private static readonly FrozenDictionary<string, DayOfWeek> Weekdays = Enum.GetValues<DayOfWeek>()
        .SelectMany(d => new[] { (Word: Fold(Turkish[(int)d]), Day: d), (Word: Fold(d.ToString()), Day: d) })
        .ToFrozenDictionary(p => p.Word, p => p.Day, StringComparer.Ordinal);

    /// <summary>The date meant; null when the words name none.</summary>
    public static DateOnly? Parse(string? text, DateOnly today)
    {
        if (text is not { Length: > 0 and <= MaxLength })
        {
            return null;
        }

        if (DateOnly.TryParseExact(text.Trim(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date))
        {
            return date;
        }

        var word = Fold(text.Trim());
        word = word.EndsWith(" gunu", StringComparison.Ordinal) ? word[..^5] : word;
        return word switch
        {
            "bugun" or "today" => today,
            "yarin" or "tomorrow" => today.AddDays(1),
            _ => Weekdays.TryGetValue(word, out var day) ? Next(day, today) : null,
        };
    }

    public static string Name(DayOfWeek day, string language) => language == "en" ? day.ToString() : Turkish[(int)day];

    private static DateOnly Next(DayOfWeek day, DateOnly today)
    {
        var ahead = ((int)day - (int)today.DayOfWeek + 7) % 7;
        return today.AddDays(ahead == 0 ? 7 : ahead);
    }

    // "SALI", "Salı" and "sali" are one word: the dotted and dotless i, the cedillas and the umlauts fall together.
    private static string Fold(string text) => string.Concat(text.Select(c => c switch
    {
        'ı' or 'I' or 'İ' => 'i',
        'ş' or 'Ş' => 's',
        'ğ' or 'Ğ' => 'g',
        'ç' or 'Ç' => 'c',
        'ö' or 'Ö' => 'o',
        'ü' or 'Ü' => 'u',
        _ => char.ToLowerInvariant(c),
    }));
}
