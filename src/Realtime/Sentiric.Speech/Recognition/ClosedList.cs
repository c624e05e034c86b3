namespace Sentiric.Speech;

/// <summary>Picks the phrase of a closed list that a free transcription comes closest to, for engines that know no grammars.</summary>
public static class ClosedList
{
    // less alike than this is another sentence
    private const float LeastLikeness = 0.5f;

    /// <summary>The nearest phrase and its likeness 0..1 (1 minus edits per letter); an empty text and 0 when none is near.</summary>
    public static (string Phrase, float Likeness) Nearest(string text, IReadOnlyList<string> phrases, string language)
    {
        string said = Plain(text, language);
        var best = ("", 0f);
        foreach (string phrase in phrases.Take(RecognitionOptions.MaxPhrases))
        {
            string candidate = Plain(phrase, language);
            float likeness = 1 - ((float)Edits(said, candidate) / Math.Max(1, Math.Max(said.Length, candidate.Length)));
            if (likeness >= LeastLikeness && likeness > best.Item2)
            {
                best = (phrase, likeness);
            }
        }

        return best;
    }

    private static string Plain(string text, string language) => string.Join(' ', SpokenText.Words(text, language));

    /// <summary>Levenshtein distance, one row at a time.</summary>
    private static int Edits(string a, string b)
    {
        var row = new int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++)
        {
            row[j] = j;
        }

        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int above = row[j];
                int change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                row[j] = Math.Min(change, Math.Min(row[j - 1], above) + 1);
                diagonal = above;
            }
        }

        return row[^1];
    }
}
