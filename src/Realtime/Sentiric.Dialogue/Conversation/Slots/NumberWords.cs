using System.Collections.Frozen;
using System.Globalization;

namespace Sentiric.Dialogue;

/// <summary>Spoken numbers, Turkish with case suffixes ("onda", "dörde", "yirmi üçü") and English.</summary>
internal static class NumberWords
{
    private static readonly FrozenDictionary<string, int> Values = new Dictionary<string, int>
    {
        ["sifir"] = 0, ["bir"] = 1, ["iki"] = 2, ["uc"] = 3, ["dort"] = 4, ["dord"] = 4, ["bes"] = 5, ["alti"] = 6, ["yedi"] = 7, ["sekiz"] = 8, ["dokuz"] = 9,
        ["on"] = 10, ["yirmi"] = 20, ["otuz"] = 30, ["kirk"] = 40, ["elli"] = 50, ["altmis"] = 60, ["yetmis"] = 70, ["seksen"] = 80, ["doksan"] = 90, ["yuz"] = 100, ["bin"] = 1000,
        ["zero"] = 0, ["oh"] = 0, ["one"] = 1, ["two"] = 2, ["three"] = 3, ["four"] = 4, ["five"] = 5, ["six"] = 6, ["seven"] = 7, ["eight"] = 8, ["nine"] = 9, ["ten"] = 10,
        ["eleven"] = 11, ["twelve"] = 12, ["thirteen"] = 13, ["fourteen"] = 14, ["fifteen"] = 15, ["sixteen"] = 16, ["seventeen"] = 17, ["eighteen"] = 18, ["nineteen"] = 19,
        ["twenty"] = 20, ["thirty"] = 30, ["forty"] = 40, ["fifty"] = 50, ["sixty"] = 60, ["seventy"] = 70, ["eighty"] = 80, ["ninety"] = 90, ["hundred"] = 100, ["thousand"] = 1000,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenSet<string> Suffixes = new[]
    {
        "de", "da", "te", "ta", "e", "a", "ye", "ya", "den", "dan", "ten", "tan", "i", "u", "yi", "yu", "si", "su", "in", "un", "nin", "nun", "inde", "unda", "sinde", "sunda", "ine", "una", "sine", "suna",
        "inci", "uncu", "nci", "ncu", "inda", "sina", "sinda", "ina",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The longest spoken number word; longer words are not looked at.</summary>
    private const int LongestStem = 9;

    /// <summary>The value of one word, and the case suffix that it carries.</summary>
    public static (int Value, string Suffix)? Read(string folded)
    {
        if (Values.TryGetValue(folded, out var exact))
        {
            return (exact, "");
        }

        if (folded.Length is > 0 and <= 6 && folded.All(char.IsAsciiDigit))
        {
            return (int.Parse(folded, CultureInfo.InvariantCulture), "");
        }

        for (var stem = Math.Min(folded.Length - 1, LongestStem); stem >= 2; stem--)
        {
            if (Suffixes.Contains(folded[stem..]) && Values.TryGetValue(folded[..stem], out var value))
            {
                return (value, folded[stem..]);
            }
        }

        return null;
    }

    public static bool IsLocative(string suffix) => suffix is "de" or "da" or "te" or "ta" or "inde" or "unda" or "sinde" or "sunda" or "inda" or "sinda";

    /// <summary>A number up to 99 from one or two words: "on", "yirmi üç". A suffix ends it.</summary>
    public static (int Value, string Suffix, int Used)? ReadSmall(IReadOnlyList<Word> words, int at)
    {
        if (at >= words.Count || Read(words[at].Folded) is not { } first || first.Value >= 100)
        {
            return null;
        }

        var isTens = first.Value is >= 10 and <= 90 && first.Value % 10 == 0;
        if (isTens && first.Suffix.Length == 0 && at + 1 < words.Count && !char.IsAsciiDigit(words[at].Folded[0])
            && Read(words[at + 1].Folded) is { Value: >= 1 and <= 9 } unit && IsTurkishTenOrTens(words[at].Folded))
        {
            return (first.Value + unit.Value, unit.Suffix, 2);
        }

        return (first.Value, first.Suffix, 1);
    }

    // English "ten five" is 10:05, Turkish "on beş" is fifteen.
    private static bool IsTurkishTenOrTens(string folded) => folded != "ten";
}
