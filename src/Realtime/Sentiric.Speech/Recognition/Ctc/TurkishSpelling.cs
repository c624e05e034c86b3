using System.Globalization;
using System.Text;

namespace Sentiric.Speech;

/// <summary>
/// Spells a written phrase the way it is spoken and the way the recogniser's alphabet has it: "Saat 14.30'da" becomes "saat on dört otuzda",
/// "IŞIK" becomes "ışık", "Kâzım" becomes "kazım".
/// </summary>
public static class TurkishSpelling
{
    // a longer run of digits is read digit by digit, as telephone numbers are
    private const int LongestSpokenNumber = 6;
    private static readonly string[] Ones = ["sıfır", "bir", "iki", "üç", "dört", "beş", "altı", "yedi", "sekiz", "dokuz"];
    private static readonly string[] Tens = ["", "on", "yirmi", "otuz", "kırk", "elli", "altmış", "yetmiş", "seksen", "doksan"];

    public static string Spell(string written)
    {
        string text = SpokenText.Lower(written, "tr");
        var spoken = new StringBuilder(text.Length + 16);
        for (int i = 0; i < text.Length;)
        {
            int digits = DigitsAt(text, i);
            if (digits > 0)
            {
                Separate(spoken);
                spoken.Append(Number(text.AsSpan(i, digits)));
                i += digits;
            }
            else
            {
                spoken.Append(Letter(text[i++]));
            }
        }

        return string.Join(' ', spoken.ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    private static int DigitsAt(string text, int start)
    {
        int end = start;
        while (end < text.Length && char.IsAsciiDigit(text[end]))
        {
            end++;
        }

        return end - start;
    }

    private static void Separate(StringBuilder spoken)
    {
        if (spoken.Length > 0 && spoken[^1] != ' ')
        {
            spoken.Append(' ');
        }
    }

    private static string Number(ReadOnlySpan<char> digits)
    {
        bool asNumber = digits.Length <= LongestSpokenNumber && (digits.Length == 1 || digits[0] != '0');
        return asNumber ? Number(int.Parse(digits, CultureInfo.InvariantCulture)) : DigitByDigit(digits);
    }

    private static string DigitByDigit(ReadOnlySpan<char> digits)
    {
        var spoken = new StringBuilder();
        foreach (char digit in digits)
        {
            Separate(spoken);
            spoken.Append(Ones[digit - '0']);
        }

        return spoken.ToString();
    }

    /// <summary>0 to 999,999 in words: 1905 is "bin dokuz yüz beş".</summary>
    public static string Number(int value) => value switch
    {
        < 10 => Ones[value],
        < 100 => Joined(Tens[value / 10], value % 10),
        < 1000 => Joined(value < 200 ? "yüz" : Ones[value / 100] + " yüz", value % 100),
        < 1_000_000 => Joined(value < 2000 ? "bin" : Number(value / 1000) + " bin", value % 1000),
        _ => throw new ArgumentOutOfRangeException(nameof(value), value, "Numbers up to 999,999 are spelled."),
    };

    private static string Joined(string head, int rest) => rest == 0 ? head : $"{head} {Number(rest)}";

    // an apostrophe only parts a name from its ending; foreign letters are said with the nearest Turkish one
    private static string Letter(char letter) => letter switch
    {
        '\'' or '’' or '\u0307' => "",
        'â' => "a",
        'î' => "i",
        'û' => "u",
        'q' => "k",
        'w' => "v",
        'x' => "ks",
        _ when char.IsLetter(letter) => letter.ToString(),
        _ => " ",
    };
}
