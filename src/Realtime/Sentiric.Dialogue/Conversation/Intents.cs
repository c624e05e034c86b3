using Sentiric.Contracts.Events;

namespace Sentiric.Dialogue;

/// <summary>What a caller wants, by the words: tasks by their triggers, a good-bye, a person, a yes or no.</summary>
internal static class Intents
{
    /// <summary>From here on a trigger counts as said.</summary>
    public const double Threshold = 0.6;

    /// <summary>From here on it is certain enough to go before a question.</summary>
    public const double Certain = 0.9;

    private const double FillerWeight = 0.25;

    // The share of words in a good-bye that may be misheard.
    private const double UnknownInClosing = 0.26;

    /// <summary>The best task for the words and how well it fits, 0..1.</summary>
    public static (AssistantTask? Task, double Score) BestTask(AssistantDefinition assistant, IReadOnlyList<Word> words)
    {
        var (best, bestScore) = ((AssistantTask?)null, 0.0);
        foreach (var task in assistant.Tasks)
        {
            foreach (var trigger in task.Triggers)
            {
                var score = Match(words, Words.Of(trigger));
                if (score > bestScore)
                {
                    (best, bestScore) = (task, score);
                }
            }
        }

        return (best, bestScore);
    }

    /// <summary>The share of the trigger's weight that was said, words in any order.</summary>
    public static double Match(IReadOnlyList<Word> words, IReadOnlyList<Word> trigger)
    {
        var (said, all) = (0.0, 0.0);
        foreach (var wanted in trigger)
        {
            var weight = Vocabulary.Fillers.Contains(wanted.Folded) ? FillerWeight : 1;
            var best = words.Select(w => Likeness.OfWords(w.Folded, wanted.Folded)).DefaultIfEmpty(0).Max();
            said += best >= Likeness.SameWord ? weight * best : 0;
            all += weight;
        }

        // "Randevumu iptal etmek istiyorum" does not ask for a new one.
        var opposite = words.Any(w => IsOpposite(w.Folded)) && !trigger.Any(w => IsOpposite(w.Folded));
        return all <= 0 ? 0 : said / all * (opposite ? 0.4 : 1);
    }

    /// <param name="anythingElse">"Anything else?" was asked: a plain no closes.</param>
    /// <param name="first">First words of the caller: "iyi günler" greets.</param>
    public static bool IsClosing(IReadOnlyList<Word> words, bool anythingElse, bool first)
    {
        var folded = Words.Joined(words);
        if (words.Count == 0 || GoesOn(words))
        {
            return false;
        }

        var unknown = words.Count(w => !Vocabulary.ClosingWords.Contains(w.Folded));
        if ((double)unknown / words.Count > UnknownInClosing)
        {
            return false;
        }

        var farewell = !first && Vocabulary.HasAny(folded, Vocabulary.Farewells);
        return farewell || (anythingElse && words.Any(w => Vocabulary.No.Contains(w.Folded)));
    }

    /// <summary>"Teşekkürler, bir de şunu soracaktım": the caller goes on, whatever else he says.</summary>
    public static bool GoesOn(IReadOnlyList<Word> words) => Vocabulary.HasAny(Words.Joined(words), Vocabulary.GoingOn) && !Vocabulary.HasAny(Words.Joined(words), NoMore);

    /// <summary>Announces a question or asks for patience, and says nothing more: "bir de şunu soracaktım", "bir dakika lütfen".</summary>
    public static bool OnlyGoesOn(IReadOnlyList<Word> words) => GoesOn(words) && words.All(w =>
        Vocabulary.Fillers.Contains(w.Folded) || Vocabulary.Thanks.Contains(w.Folded) || Vocabulary.ClosingWords.Contains(w.Folded)
        || w.Folded.StartsWith("sor", StringComparison.Ordinal)
        || w.Folded is "daha" or "var" or "sunu" or "bunu" or "dakika" or "saniye" or "ederim" or "another" or "question" or "have" or "ask" or "one" or "more" or "thing" or "also" or "may");

    public static bool WantsPerson(IReadOnlyList<Word> words) => Vocabulary.HasAny(Words.Joined(words), Vocabulary.WantsPerson);

    public static bool GivesUp(IReadOnlyList<Word> words) => Vocabulary.HasAny(Words.Joined(words), Vocabulary.GiveUps);

    public static bool IsThanks(IReadOnlyList<Word> words) => words.Any(w => Vocabulary.Thanks.Contains(w.Folded)) && words.All(w => Vocabulary.ClosingWords.Contains(w.Folded));

    public static bool IsGreeting(IReadOnlyList<Word> words) => words.Count > 0 && words.All(w => Vocabulary.Greetings.Contains(w.Folded));

    /// <summary>True: yes; false: no; null: neither or both.</summary>
    public static bool? YesOrNo(IReadOnlyList<Word> words)
    {
        var no = words.Any(w => Vocabulary.No.Contains(w.Folded));
        var yes = words.Any(w => Vocabulary.Yes.Contains(w.Folded));
        return no ? false : yes ? true : null;
    }

    private static readonly string[] NoMore = ["sorum yok", "soru yok", "sormak istedigim yok", "sey yok"];

    private static bool IsOpposite(string word) => Vocabulary.Opposites.Any(o => word.StartsWith(o, StringComparison.Ordinal));
}
