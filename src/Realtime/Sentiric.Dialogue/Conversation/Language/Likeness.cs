namespace Sentiric.Dialogue;

/// <summary>How alike two words or phrases are, 0..1, tolerant of Turkish suffixes and of small mishearings.</summary>
internal static class Likeness
{
    /// <summary>From here on two words count as the same.</summary>
    public const double SameWord = 0.62;

    private const int ShortestStem = 4;

    /// <summary>1: equal; 0.9: one is the other's stem; else the Dice coefficient of their letter pairs.</summary>
    public static double OfWords(string a, string b)
    {
        if (a == b)
        {
            return 1;
        }

        var shorter = Math.Min(a.Length, b.Length);
        if (shorter >= ShortestStem && CommonPrefix(a, b) == shorter)
        {
            return 0.9;
        }

        // Short words differ in one letter and mean something else ("gün", "dün"): only the pairs of longer ones are compared.
        return shorter < ShortestStem ? 0 : Math.Max(Dice(a, b), StemLikeness(a, b, shorter));
    }

    public static bool SameAs(this Word word, string other) => OfWords(word.Folded, other) >= SameWord;

    /// <summary>Letter pairs that both have, of all that they have. Blanks count, so it works on phrases too.</summary>
    public static double Dice(string a, string b)
    {
        if (a.Length < 2 || b.Length < 2)
        {
            return a == b ? 1 : 0;
        }

        var pairs = new Dictionary<(char, char), int>();
        for (var i = 0; i + 1 < a.Length; i++)
        {
            pairs[(a[i], a[i + 1])] = pairs.GetValueOrDefault((a[i], a[i + 1])) + 1;
        }

        var shared = 0;
        for (var i = 0; i + 1 < b.Length; i++)
        {
            if (pairs.TryGetValue((b[i], b[i + 1]), out var left) && left > 0)
            {
                pairs[(b[i], b[i + 1])] = left - 1;
                shared++;
            }
        }

        return 2.0 * shared / (a.Length + b.Length - 2);
    }

    // "randevum" and "randevusu" share a stem of seven letters: what differs is the suffix.
    private static double StemLikeness(string a, string b, int shorter)
    {
        var common = CommonPrefix(a, b);
        return common >= ShortestStem + 1 && common >= shorter * 0.7 ? 0.8 : 0;
    }

    private static int CommonPrefix(string a, string b)
    {
        var i = 0;
        while (i < a.Length && i < b.Length && a[i] == b[i])
        {
            i++;
        }

        return i;
    }
}
