using System.Globalization;
using System.Text;

namespace Sentiric.Cli.Demo;

/// <summary>How many words were heard wrong: inserted, deleted or exchanged, out of those that were said.</summary>
internal readonly record struct WordErrors(int Errors, int Said)
{
    private static readonly CultureInfo Turkish = CultureInfo.GetCultureInfo("tr-TR");

    public static WordErrors Between(string said, string heard)
    {
        var (a, b) = (Words(said), Words(heard));
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var exchanged = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(exchanged, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return new(row[^1], a.Length);
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Errors} of {Said} words wrong ({(Said == 0 ? 0 : 100.0 * Errors / Said):0.0} %)");

    // Case and punctuation are no words.
    private static string[] Words(string text)
    {
        var folded = new StringBuilder(text.Length);
        foreach (var c in text.ToLower(Turkish)) folded.Append(char.IsLetterOrDigit(c) ? c : ' ');
        return folded.ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }
}
