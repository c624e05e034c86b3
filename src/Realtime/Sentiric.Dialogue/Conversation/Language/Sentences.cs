namespace Sentiric.Dialogue;

/// <summary>
/// Cuts text into sentences for the synthesiser. A full stop ends one only when a blank and a capital, a digit or the end follow and the word before
/// is no abbreviation, ordinal or initial: "saat 14.30'da Dr. Ayşe 3,5 TL ödedi." is one sentence.
/// </summary>
public static class Sentences
{
    private static readonly HashSet<string> Abbreviations = new(StringComparer.OrdinalIgnoreCase)
    {
        "dr", "prof", "doç", "av", "sn", "vb", "vs", "bkz", "no", "tel", "cad", "sok", "mah", "apt", "ltd", "şti", "örn", "yrd", "op", "uzm", "mr", "mrs", "ms", "st", "etc", "inc", "approx",
    };

    public static IReadOnlyList<string> Of(string text)
    {
        var sentences = new List<string>();
        var rest = text;
        while (TakeFirst(rest) is { } first)
        {
            sentences.Add(first.Sentence);
            rest = first.Remainder;
        }

        if (!string.IsNullOrWhiteSpace(rest))
        {
            sentences.Add(rest.Trim());
        }

        return sentences;
    }

    /// <summary>The first sentence that is certainly whole, for text that still grows; null while there is none.</summary>
    public static (string Sentence, string Remainder)? TakeFirst(string text)
    {
        for (var i = 0; i + 1 < text.Length; i++)
        {
            if (Ends(text, i) && text[..(i + 1)].Trim() is { Length: > 0 } sentence)
            {
                return (sentence, text[(i + 1)..].TrimStart());
            }
        }

        return null;
    }

    private static bool Ends(string text, int at) => text[at] switch
    {
        '\n' => true,
        '!' or '?' or '…' => char.IsWhiteSpace(text[at + 1]),
        '.' => char.IsWhiteSpace(text[at + 1]) && !IsAbbreviation(text, at) && NextStartsSentence(text, at + 1),
        _ => false,
    };

    private static bool IsAbbreviation(string text, int dot)
    {
        var start = dot;
        while (start > 0 && char.IsLetterOrDigit(text[start - 1]))
        {
            start--;
        }

        var word = text[start..dot];
        var isInitial = word.Length == 1 && char.IsUpper(word[0]);
        var isOrdinal = word.Length is > 0 and <= 2 && word.All(char.IsAsciiDigit);
        return isInitial || isOrdinal || Abbreviations.Contains(word);
    }

    private static bool NextStartsSentence(string text, int at)
    {
        while (at < text.Length && (char.IsWhiteSpace(text[at]) || text[at] is '"' or '“' or '('))
        {
            at++;
        }

        return at >= text.Length || char.IsUpper(text[at]) || char.IsDigit(text[at]);
    }
}
