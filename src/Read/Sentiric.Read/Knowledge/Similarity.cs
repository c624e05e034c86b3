using System.Globalization;
using System.Text;

namespace Sentiric.Read.Knowledge;

/// <summary>
/// How close two short texts are, 0..1, without a model: the share of words that agree in their stems, and of letter trigrams. Turkish puts
/// its grammar behind the word ("randevumu", "randevunuz"), so a word agrees when its first letters do.
/// </summary>
internal static class Similarity
{
    private const int StemLetters = 5;
    private static readonly CultureInfo Turkish = CultureInfo.GetCultureInfo("tr-TR");

    private static readonly HashSet<string> Filler =
    [
        "bir", "bu", "şu", "ve", "de", "da", "mi", "mı", "mu", "mü", "ne", "acaba", "lütfen", "peki", "ben", "siz", "sizin", "bana", "için",
        "miyim", "mıyım", "misiniz", "mısınız", "musunuz", "müsünüz", "alabilir", "öğrenebilir", "öğrenmek", "istiyorum", "istemiştim", "söyler", "rica", "etsem",
        "the", "a", "an", "is", "are", "do", "you", "your", "to", "of", "please", "i", "my", "what", "can",
    ];

    public static double Of(string asked, string known)
    {
        var (a, b) = (Words(asked), Words(known));
        if (a.Count == 0 || b.Count == 0)
        {
            return 0;
        }

        var stems = Dice(Stems(a), Stems(b));
        var letters = Dice(Trigrams(a), Trigrams(b));
        return (0.65 * stems) + (0.35 * letters);
    }

    // Questions of filler words alone ("ne var") keep them, or nothing would be left.
    private static List<string> Words(string text)
    {
        var all = Fold(text).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var telling = all.Where(w => !Filler.Contains(w)).ToList();
        return telling.Count > 0 ? telling : [.. all];
    }

    private static string Fold(string text)
    {
        var folded = new StringBuilder(text.Length);
        foreach (var c in text.ToLower(Turkish))
        {
            folded.Append(char.IsLetterOrDigit(c) ? c : ' ');
        }

        return folded.ToString();
    }

    private static HashSet<string> Stems(List<string> words) => [.. words.Select(w => w.Length <= StemLetters ? w : w[..StemLetters])];

    private static HashSet<string> Trigrams(List<string> words)
    {
        var text = $" {string.Join(' ', words)} ";
        return [.. Enumerable.Range(0, Math.Max(0, text.Length - 2)).Select(i => text.Substring(i, 3))];
    }

    private static double Dice(HashSet<string> a, HashSet<string> b) => 2.0 * a.Count(b.Contains) / (a.Count + b.Count);
}
