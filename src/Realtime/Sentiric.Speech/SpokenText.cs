using System.Globalization;

namespace Sentiric.Speech;

/// <summary>Text as it is spoken: words without case and punctuation, for comparing what was heard.</summary>
public static class SpokenText
{
    private static readonly CultureInfo Turkish = CultureInfo.GetCultureInfo("tr-TR");

    /// <summary>Lower case by the rules of the language: "IŞIK" is "ışık" in Turkish, "İyi" is "iyi".</summary>
    public static string Lower(string text, string language) =>
        SpeechLanguage.Primary(language) == "tr" ? text.ToLower(Turkish) : text.ToLowerInvariant();

    /// <summary>The words in lower case. A hyphen or apostrophe inside a word stays ("uh-huh", "ankara'da"), all other marks part words.</summary>
    public static string[] Words(string text, string language)
    {
        var letters = Lower(text, language).ToCharArray();
        for (int i = 0; i < letters.Length; i++)
        {
            if (!char.IsLetterOrDigit(letters[i]) && !JoinsLetters(letters, i))
            {
                letters[i] = ' ';
            }
        }

        return new string(letters).Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }

    private static bool JoinsLetters(char[] letters, int i) =>
        letters[i] is '-' or '\'' or '’' && i > 0 && i + 1 < letters.Length && char.IsLetter(letters[i - 1]) && char.IsLetter(letters[i + 1]);
}
