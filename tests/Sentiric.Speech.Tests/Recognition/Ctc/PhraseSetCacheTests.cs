namespace Sentiric.Speech.Tests.Recognition.Ctc;

public class PhraseSetCacheTests
{
    private static readonly CtcAlphabet Alphabet = new(CtcAlphabet.Turkish);

    [Fact]
    public void The_same_phrases_are_made_ready_once()
    {
        var cache = NewCache();
        Assert.Same(cache.For(["evet", "hayır"]), cache.For(["evet", "hayır"]));
        Assert.NotSame(cache.For(["evet", "hayır"]), cache.For(["evethayır"]));
    }

    [Fact]
    public void At_the_bound_the_set_not_used_the_longest_goes()
    {
        var cache = NewCache();
        var first = cache.For(["bir"]);
        for (int i = 0; i < PhraseSetCache.Capacity - 1; i++)
        {
            cache.For([TurkishSpelling.Number(i)]);
            Assert.Same(first, cache.For(["bir"]));
        }

        cache.For(["yeni"]);
        Assert.Equal(PhraseSetCache.Capacity, cache.Count);
        Assert.Same(first, cache.For(["bir"]));
    }

    [Fact]
    public void A_phrase_without_letters_is_left_out()
    {
        var set = NewCache().For(["!!", "Evet", ""]);
        Assert.Equal(["Evet"], set.Phrases);
    }

    private static PhraseSetCache NewCache() => new(Alphabet, new CharGrams(Alphabet, [], CtcRecognizer.LanguageOrder), phraseWeight: 8);
}
