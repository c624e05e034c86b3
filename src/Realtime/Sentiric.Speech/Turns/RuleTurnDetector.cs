using System.Collections.Frozen;

namespace Sentiric.Speech;

/// <summary>How long a silence ends a turn, by how the text so far looks.</summary>
public sealed record TurnOptions
{
    public static TurnOptions Default { get; } = new();

    /// <summary>After a text that looks complete.</summary>
    public TimeSpan AfterComplete { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>After a text that answers what was asked, whatever its last word.</summary>
    public TimeSpan AfterAnswer { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>After a text that may or may not go on, and when nothing was understood.</summary>
    public TimeSpan AfterUnclear { get; init; } = TimeSpan.FromMilliseconds(700);

    /// <summary>After a text that surely goes on ("ve", "ama", "için"); no turn outlives this silence.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromMilliseconds(1500);
}

/// <summary>End of turn by rule: the look of the last words picks the silence that must follow. No model, no state, no clock.</summary>
public sealed class RuleTurnDetector(TurnOptions options) : ITurnDetector
{
    public RuleTurnDetector()
        : this(TurnOptions.Default)
    {
    }

    public TurnDecision Decide(TurnContext context)
    {
        var (endsAfter, reason) = TextEnding.Of(context.PartialText ?? "", context.Language) switch
        {
            Ending.Complete => (options.AfterComplete, TurnReason.CompleteSentence),
            Ending.Unclear when context.IsAnswer => (options.AfterAnswer, TurnReason.Answer),
            Ending.Unclear => (options.AfterUnclear, TurnReason.LongPause),
            Ending.WantsMore => (options.Limit, TurnReason.SilenceLimit),
        };
        bool ended = context.Silence >= endsAfter;
        return new TurnDecision(ended, endsAfter, ended ? reason : TurnReason.Waiting);
    }
}

internal enum Ending
{
    Complete,
    Unclear,
    WantsMore,
}

/// <summary>
/// Judges the end of a text. Turkish puts the finite verb last, so its endings tell most; English is judged by closing words alone,
/// because its sentences may end in anything.
/// </summary>
internal static class TextEnding
{
    // a word shorter than this is too short to carry a verb ending: "adım" is a noun
    private const int ShortestVerb = 5;

    private static readonly FrozenSet<string> TurkishClosers = FrozenSet.ToFrozenSet(
        [
            "evet", "hayır", "tamam", "olur", "olmaz", "peki", "lütfen", "teşekkürler", "merhaba", "alo", "günaydın", "sağolun", "tabii", "tabi",
            "doğru", "yanlış", "yok", "var", "değil", "mı", "mi", "mu", "mü", "mısınız", "misiniz", "musunuz", "müsünüz", "mıyım", "miyim",
            "muyum", "müyüm", "mıyız", "miyiz", "iptal", "temsilci", "operatör", "günler", "akşamlar", "geceler", "ederim", "ederiz", "isterim",
            "istemem", "hoşçakalın", "görüşürüz", "kadar", "anladım", "gerek",
        ],
        StringComparer.Ordinal);

    private static readonly FrozenSet<string> TurkishOpeners = FrozenSet.ToFrozenSet(
        [
            "ve", "ama", "fakat", "ile", "için", "çünkü", "veya", "ya", "da", "de", "ki", "yani", "şey", "bir", "bu", "şu", "o", "benim",
            "eğer", "ancak", "hem", "ne", "nasıl", "en", "daha", "çok", "ıı", "ee", "ııı", "eee", "hani", "mesela", "acaba", "bide", "gibi", "saat",
        ],
        StringComparer.Ordinal);

    // person and tense endings that close a Turkish clause
    private static readonly string[] TurkishVerbEndings =
    [
        "yorum", "yorsun", "yor", "yoruz", "yorsunuz", "yorlar", "acağım", "eceğim", "acağız", "eceğiz", "acak", "ecek", "acaksınız", "eceksiniz",
        "ırım", "irim", "urum", "ürüm", "arım", "erim", "ırsınız", "irsiniz", "dım", "dim", "dum", "düm", "tım", "tim",
        "tum", "tüm", "dık", "dik", "duk", "dük", "tık", "tik", "dı", "di", "du", "dü", "tı", "ti", "tu", "tü", "dınız", "diniz", "tınız", "tiniz",
        "mış", "miş", "muş", "müş", "malıyım", "meliyim", "ayım", "eyim", "alım", "elim", "sınız", "siniz", "sunuz", "sünüz", "dır", "dir", "dur",
        "dür", "tır", "tir",
    ];

    private static readonly FrozenSet<string> EnglishClosers = FrozenSet.ToFrozenSet(
        [
            "yes", "no", "okay", "ok", "please", "thanks", "you", "hello", "hi", "bye", "goodbye", "right", "correct", "wrong", "sure", "agent",
            "operator", "representative", "cancel", "help", "appointment", "today", "tomorrow", "it", "that", "now", "am", "pm",
        ],
        StringComparer.Ordinal);

    private static readonly FrozenSet<string> EnglishOpeners = FrozenSet.ToFrozenSet(
        [
            "and", "but", "or", "so", "because", "the", "a", "an", "to", "for", "with", "of", "in", "on", "at", "my", "your", "is", "are", "if",
            "then", "um", "uh", "er", "like", "i", "we", "from", "about", "would", "could", "can", "want", "need",
        ],
        StringComparer.Ordinal);

    public static Ending Of(string text, string language)
    {
        var words = SpokenText.Words(text, language);
        if (words.Length == 0)
        {
            return Ending.Unclear;
        }

        string last = words[^1];
        return SpeechLanguage.Primary(language) switch
        {
            "tr" => OfTurkish(text, last),
            "en" => OfEnglish(text, last),
            _ => EndsWithStop(text) ? Ending.Complete : Ending.Unclear,
        };
    }

    private static Ending OfTurkish(string text, string last) =>
        TurkishOpeners.Contains(last) ? Ending.WantsMore
        : EndsWithStop(text) || TurkishClosers.Contains(last) || HasVerbEnding(last) ? Ending.Complete
        : Ending.Unclear;

    private static Ending OfEnglish(string text, string last) =>
        EnglishOpeners.Contains(last) ? Ending.WantsMore
        : EndsWithStop(text) || EnglishClosers.Contains(last) ? Ending.Complete
        : Ending.Unclear;

    private static bool EndsWithStop(string text) => text.TrimEnd() is [.., '.' or '!' or '?'] and not [.., '.', '.'];

    private static bool HasVerbEnding(string word) =>
        word.Length >= ShortestVerb && TurkishVerbEndings.Any(ending => word.EndsWith(ending, StringComparison.Ordinal));
}
