using System.Collections.Frozen;

namespace Sentiric.Speech;

/// <summary>
/// Listener noises: words by which somebody shows that he listens, not that he wants to speak. Said while the agent speaks, they do not interrupt.
/// </summary>
public static class Backchannels
{
    private const int MaxWords = 4;

    private static readonly FrozenSet<string> Turkish = FrozenSet.ToFrozenSet(
        [
            "hı", "hıhı", "hı-hı", "hıhım", "hım", "hmm", "hm", "ıhı", "ıhım", "ıı", "aa", "ha", "haa", "he", "hee", "oo", "ah",
            "evet", "eveet", "tamam", "tamamdır", "peki", "olur", "anladım", "doğru", "tabi", "tabii", "aynen", "güzel", "öyle", "iyi",
        ],
        StringComparer.Ordinal);

    private static readonly FrozenSet<string> English = FrozenSet.ToFrozenSet(
        [
            "uh", "huh", "uhhuh", "uh-huh", "mhm", "mm", "mmhmm", "mm-hmm", "hmm", "hm", "ah", "oh", "aha", "yeah", "yep", "yes", "yup",
            "ok", "okay", "right", "sure", "fine", "good", "great", "alright", "true",
        ],
        StringComparer.Ordinal);

    /// <summary>
    /// True when the whole text is nothing but back-channels ("hı hı", "evet evet", "uh huh"), four words at most; false for an empty text
    /// and for a language without a list.
    /// </summary>
    public static bool IsBackchannel(string text, string language)
    {
        var words = SpokenText.Words(text, language);
        var list = SpeechLanguage.Primary(language) switch
        {
            "tr" => Turkish,
            "en" => English,
            _ => FrozenSet<string>.Empty,
        };
        return words.Length is > 0 and <= MaxWords && words.All(list.Contains);
    }
}
