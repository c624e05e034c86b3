using System.Globalization;

namespace Sentiric.Scenarios.Kit;

/// <summary>Word error rate: substitutions, insertions and deletions over the words that were said.</summary>
internal static class WordErrors
{
    private static readonly CultureInfo Turkish = CultureInfo.GetCultureInfo("tr-TR");

    public static (int Errors, int Words) Count(string said, string heard)
    {
        var (a, b) = (Words(said), Words(heard));
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return (row[b.Length], a.Length);
    }

    public static double Rate(string said, string heard) => Count(said, heard) is var (errors, words) ? (double)errors / Math.Max(1, words) : 0;

    private static string[] Words(string text) =>
        [.. text.ToLower(Turkish).Split([' ', ',', '.', '?', '!', '\''], StringSplitOptions.RemoveEmptyEntries)];
}
