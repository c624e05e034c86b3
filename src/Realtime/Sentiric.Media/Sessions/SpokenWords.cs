namespace Sentiric.Media;

/// <summary>How much of a text was heard.</summary>
/// <param name="Words">Words that were heard to their end.</param>
/// <param name="Of">Words of the text.</param>
/// <param name="Text">Those that were heard, as they are written.</param>
/// <param name="Estimated">False: the voice told when each word ends. True: by the length of the words.</param>
public sealed record HeardWords(int Words, int Of, string Text, bool Estimated);

/// <summary>
/// The words that a playback says, so that "heard so far" can be told in words. Where the voice does not tell when each word ends, the time is shared out by letters, with the
/// pauses that punctuation makes; while the end is not known, at the usual pace of speech. A word that was cut was not heard.
/// </summary>
public sealed class SpokenWords
{
    public const int MaxLetters = 16_384;
    private const double MsPerLetter = 65; // Turkish and English run at about 15 letters a second
    private const int CommaLetters = 3, StopLetters = 7; // what a pause is long, in letters

    private readonly string text;
    private readonly int[] ends;         // of each word in the text
    private readonly long[] weights;     // letters and pauses up to there
    private readonly IReadOnlyList<long>? endsMs;

    /// <param name="endsMs">When each word ends, in ms of its playback, rising; null where nobody knows. Throws <see cref="ArgumentException"/> when there are not as many as words, and for texts of more
    /// than 16,384 letters.</param>
    public SpokenWords(string text, IReadOnlyList<long>? endsMs = null)
    {
        if (text.Length > MaxLetters) throw new ArgumentException($"A text of one playback has at most {MaxLetters} letters.", nameof(text));
        (this.text, this.endsMs) = (text, endsMs);
        (ends, weights) = Weigh(text);
        if (endsMs is not null && (endsMs.Count != ends.Length || !Rises(endsMs)))
        {
            throw new ArgumentException($"The text has {ends.Length} words; as many rising times are needed.", nameof(endsMs));
        }
    }

    /// <param name="totalMs">How long the whole text lasts; null while that is not known.</param>
    public HeardWords HeardAt(long heardMs, long? totalMs)
    {
        var heard = 0;
        while (heard < ends.Length && EndOf(heard, totalMs) <= heardMs) heard++;
        return new HeardWords(heard, ends.Length, heard == 0 ? "" : text[..ends[heard - 1]].Trim(), endsMs is null);
    }

    private double EndOf(int word, long? totalMs) => endsMs is { } known ? known[word]
        : totalMs is { } total ? (double)total * weights[word] / weights[^1]
        : weights[word] * MsPerLetter;

    private static (int[] Ends, long[] Weights) Weigh(string text)
    {
        var (ends, weights, weight) = (new List<int>(), new List<long>(), 0L);
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsWhiteSpace(text[i])) continue;
            weight++;
            if (i + 1 < text.Length && !char.IsWhiteSpace(text[i + 1])) continue;
            ends.Add(i + 1);
            weights.Add(weight); // the pause comes after the word, which has been heard before it
            weight += 1 + text[i] switch { ',' or ';' or ':' => CommaLetters, '.' or '!' or '?' or '\u2026' => StopLetters, _ => 0 };
        }
        return ([.. ends], [.. weights]);
    }

    private static bool Rises(IReadOnlyList<long> times)
    {
        for (var i = 0; i < times.Count; i++) if (times[i] < (i == 0 ? 0 : times[i - 1])) return false;
        return true;
    }
}
