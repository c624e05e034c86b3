using System.Globalization;
using System.Text;

namespace Sentiric.Dialogue;

/// <summary>One word as it was said and as it is compared: small letters without diacritics, so "ÇALIŞMA" and "calisma" are one word.</summary>
/// <param name="Raw">As written, without the suffix after an apostrophe.</param>
internal readonly record struct Word(string Raw, string Folded)
{
    public override string ToString() => Folded;
}

/// <summary>Cuts text into words. Digits with a dot or colon inside ("14.30") stay one word.</summary>
internal static class Words
{
    /// <summary>Longer texts are cut: no caller says that much in one turn.</summary>
    public const int MaxWords = 200;

    public static IReadOnlyList<Word> Of(string text)
    {
        var words = new List<Word>();
        var at = 0;
        while (at < text.Length && words.Count < MaxWords)
        {
            var end = WordEnd(text, at);
            if (end == at)
            {
                at++;
                continue;
            }

            var raw = text[at..end];
            words.Add(new(raw, Fold(raw)));
            at = AfterSuffix(text, end);
        }

        return words;
    }

    /// <summary>Small letters, Turkish letters as their Latin neighbours. The same for both languages: it is only compared, never shown.</summary>
    public static string Fold(string text)
    {
        var folded = new StringBuilder(text.Length);
        foreach (var letter in text)
        {
            folded.Append(FoldLetter(letter));
        }

        return folded.ToString();
    }

    public static string Joined(IEnumerable<Word> words) => string.Join(' ', words.Select(w => w.Folded));

    private static char FoldLetter(char letter) => letter switch
    {
        'I' or 'İ' or 'ı' or 'î' or 'Î' => 'i',
        'ç' or 'Ç' => 'c',
        'ğ' or 'Ğ' => 'g',
        'ö' or 'Ö' => 'o',
        'ş' or 'Ş' => 's',
        'ü' or 'Ü' or 'û' or 'Û' => 'u',
        'â' or 'Â' => 'a',
        _ => char.ToLower(letter, CultureInfo.InvariantCulture),
    };

    private static int WordEnd(string text, int at)
    {
        var end = at;
        while (end < text.Length && (char.IsLetterOrDigit(text[end]) || JoinsDigits(text, end)))
        {
            end++;
        }

        return end;
    }

    private static bool JoinsDigits(string text, int at) =>
        text[at] is '.' or ':' && at > 0 && at + 1 < text.Length && char.IsAsciiDigit(text[at - 1]) && char.IsAsciiDigit(text[at + 1]);

    // Turkish puts suffixes of names and figures behind an apostrophe: "14.30'da", "Ayşe'nin".
    private static int AfterSuffix(string text, int at)
    {
        if (at >= text.Length || text[at] is not ('\'' or '’'))
        {
            return at;
        }

        at++;
        while (at < text.Length && char.IsLetter(text[at]))
        {
            at++;
        }

        return at;
    }
}
