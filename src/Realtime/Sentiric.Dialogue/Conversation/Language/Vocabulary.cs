using System.Collections.Frozen;

namespace Sentiric.Dialogue;

/// <summary>Words that mean the same in every conversation, folded. Turkish and English together: callers mix them.</summary>
internal static class Vocabulary
{
    public static readonly FrozenSet<string> Yes = Set(
        "evet", "tamam", "olur", "dogru", "onayliyorum", "onayla", "aynen", "tabii", "tabi", "elbette", "kabul", "uygun", "yes", "yeah", "yep", "correct",
        "right", "sure", "ok", "okay", "confirm", "fine");

    public static readonly FrozenSet<string> No = Set(
        "hayir", "yok", "olmaz", "yanlis", "degil", "istemiyorum", "istemem", "no", "nope", "wrong", "not");

    /// <summary>Said while the other speaks, to show that one listens.</summary>
    public static readonly FrozenSet<string> BackChannels = Set(
        "hi", "hihi", "hii", "hm", "hmm", "hmhm", "mhm", "mm", "mmm", "aha", "ha", "he", "hee", "ii", "ee", "evet", "tamam", "peki", "anladim", "tabii", "tabi", "oldu",
        "olur", "dogru", "aynen", "ok", "okay", "yes", "yeah", "yep", "uh", "huh", "right", "sure", "see", "i");

    public static readonly FrozenSet<string> Greetings = Set(
        "merhaba", "merhabalar", "selam", "selamlar", "alo", "efendim", "gunaydin", "iyi", "gunler", "aksamlar", "hello", "hi", "hey", "good", "morning", "afternoon",
        "evening", "day");

    public static readonly FrozenSet<string> Thanks = Set("tesekkur", "tesekkurler", "sagol", "sagolun", "eyvallah", "thanks", "thank", "mersi");

    /// <summary>Words of which a good-bye is made; one of them alone need not be one.</summary>
    public static readonly FrozenSet<string> ClosingWords = Set(
        "hayir", "yok", "tesekkur", "tesekkurler", "ederim", "ediyorum", "sag", "ol", "olun", "sagol", "sagolun", "iyi", "gunler", "aksamlar", "geceler", "calismalar", "hosca", "hoscakal",
        "hoscakalin", "kal", "kalin", "gorusuruz", "gorusmek", "uzere", "baska", "bir", "sey", "sorum", "soru", "istegim", "bu", "kadar", "tamam", "peki", "kolay",
        "gelsin", "gule", "simdilik", "istemiyorum", "her", "icin", "cok", "size", "de", "herhangi", "bay", "kapatabilirsiniz", "kapatabilirsin", "kapat", "no", "nothing", "else",
        "thanks", "thank", "you", "that", "thats", "is", "all", "good", "goodbye", "bye", "have", "a", "nice", "day", "see", "later", "very", "much", "i", "am", "done", "im",
        "s", "it", "for", "now");

    public static readonly string[] Farewells =
        ["hosca kal", "hoscakal", "gorusuruz", "gorusmek uzere", "iyi gunler", "iyi aksamlar", "iyi geceler", "iyi calismalar", "kolay gelsin", "gule gule", "bay bay", "goodbye", "good bye",
         "bye", "nice day", "see you", "kapatabilirsin", "sorum yok", "soru yok", "istegim yok", "sey yok", "bu kadar", "that is all", "thats all", "that s all", "nothing else"];

    /// <summary>Who says this goes on, whatever came before.</summary>
    public static readonly string[] GoingOn =
        ["bir de", "bir sey daha", "bir soru daha", "baska bir soru", "soracaktim", "soracagim", "sormak", "sorabilir", "sorayim", "bir sorum var", "bir sorum daha", "bir dakika", "one more", "another question", "also", "ask"];

    /// <summary>Interrogatives. The particle mi/mı comes with many suffixes and is looked for apart.</summary>
    public static readonly FrozenSet<string> Interrogatives = Set(
        "ne", "nedir", "neler", "nelerdir", "nerede", "nereye", "neresi", "nereden", "nasil", "kac", "kaca", "kacta", "kacda", "hangi", "hangisi", "kim", "niye", "neden", "nicin", "what", "whats", "where", "when",
        "how", "which", "who", "why");

    /// <summary>Words that carry little of what is wanted.</summary>
    public static readonly FrozenSet<string> Fillers = Set(
        "istiyorum", "isterim", "istemistim", "istiyordum", "almak", "alabilir", "alayim", "lutfen", "bir", "icin", "etmek", "yapmak", "miyim", "merhaba", "iyi", "gunler", "acaba", "ben", "bana", "sey", "olsun", "olur",
        "mu", "mi", "uygun", "o", "zaman", "su", "bu", "da", "de", "ise", "ama", "yani", "tamam", "evet", "hayir", "peki", "gunu", "gun", "saat", "saati", "saatinde", "saatte", "gelmek", "gelebilirim", "gelirim", "olabilir", "diyelim", "i", "want", "to", "a", "an", "the", "would", "like", "please", "can",
        "could", "on", "at", "for", "my", "is", "it", "be", "make", "lets", "day", "oclock", "clock", "am", "pm", "no", "yes", "hello", "hi");

    /// <summary>These turn a request into its opposite: a trigger without them does not mean it.</summary>
    public static readonly FrozenSet<string> Opposites = Set("iptal", "vazgec", "vazgectim", "sil", "silmek", "degistir", "degistirmek", "ertele", "ertelemek", "cancel", "delete", "reschedule");

    public static readonly string[] GiveUps =
        ["vazgectim", "vazgec", "iptal et", "iptal edelim", "bosver", "bos ver", "istemiyorum artik", "gerek kalmadi", "never mind", "nevermind", "forget it", "cancel that"];

    public static readonly string[] WantsPerson =
        ["temsilci", "musteri hizmet", "yetkili", "insanla", "bir insan", "gercek bir", "gercek kisi", "operator", "birine bagla", "birisiyle gorus", "human", "real person", "representative", "agent please",
         "speak to someone", "talk to someone"];

    public static bool IsQuestion(IReadOnlyList<Word> words) =>
        words.Any(w => Interrogatives.Contains(w.Folded) || IsQuestionParticle(w.Folded)) || (words.Count > 1 && words[0].Folded is "do" or "does" or "are" or "is" or "can" or "have");

    /// <summary>mi, mı, mu, mü with any personal suffix: misiniz, mıyım, mıdır.</summary>
    private static bool IsQuestionParticle(string word) =>
        word is "mi" or "mu" or "miyim" or "muyum" or "misin" or "musun" or "misiniz" or "musunuz" or "miyiz" or "muyuz" or "midir" or "mudur" or "miydi" or "muydu";

    /// <summary>A phrase stands in the text as whole words, the last one with any suffix.</summary>
    public static bool Has(string folded, string phrase)
    {
        for (var at = folded.IndexOf(phrase, StringComparison.Ordinal); at >= 0; at = folded.IndexOf(phrase, at + 1, StringComparison.Ordinal))
        {
            var end = at + phrase.Length;
            if ((at == 0 || folded[at - 1] == ' ') && (phrase.Length > WholePhrase || end == folded.Length || folded[end] == ' '))
            {
                return true;
            }
        }

        return false;
    }

    // A short phrase with a suffix is another word: "bir de" and "bir deniz".
    private const int WholePhrase = 7;

    public static bool HasAny(string folded, IEnumerable<string> phrases) => phrases.Any(p => Has(folded, p));

    private static FrozenSet<string> Set(params string[] words) => words.ToFrozenSet(StringComparer.Ordinal);
}
