namespace Sentiric.Speech.Tests.Recognition.Ctc;

public class CharGramsTests
{
    private static readonly CtcAlphabet Alphabet = new(CtcAlphabet.Turkish);

    [Fact]
    public void After_any_history_the_probabilities_add_up_to_one()
    {
        var general = new CharGrams(Alphabet, ["evet", "hayır efendim", "randevu almak istiyorum"], order: 6);
        var session = new CharGrams(Alphabet, ["ahmet yılmaz", "evet efendim"], order: 6, weight: 8, general);
        foreach (var model in (CharGrams[])[general, session])
        {
            foreach (ulong history in (ulong[])[model.Start, After(model, "eve"), After(model, "zzzzz"), After(model, "yılm")])
            {
                double sum = Enumerable.Range(0, Alphabet.Count).Sum(symbol => Math.Exp(model.LogProbability(history, symbol)));
                Assert.Equal(1.0, sum, 4);
            }
        }
    }

    [Fact]
    public void A_session_over_the_general_text_is_one_model_of_both()
    {
        string[] general = ["evet", "hayır efendim"];
        string[] phrases = ["randevu almak", "evet almak"];
        var layered = new CharGrams(Alphabet, phrases, order: 6, weight: 3, new CharGrams(Alphabet, general, order: 6));
        var single = new CharGrams(Alphabet, [.. general, .. phrases, .. phrases, .. phrases], order: 6);
        foreach (string text in (string[])["evet", "randevu", "hayır almak", "xyz"])
        {
            Assert.Equal(single.PerLetter(Alphabet.Encode(text)), layered.PerLetter(Alphabet.Encode(text)), 6);
        }
    }

    [Fact]
    public void Witten_Bell_by_hand()
    {
        // one line "ab ": unigrams a, b, space once each, three types; P(a) = (1 + 3/29) / 6
        var model = new CharGrams(Alphabet, ["ab"], order: 1);
        double expected = (1 + (3.0 / Alphabet.Count)) / 6;
        Assert.Equal(Math.Log(expected), model.LogProbability(model.Start, Alphabet.Encode("a")[0]), 5);
    }

    [Fact]
    public void A_phrase_of_the_session_becomes_likelier_and_the_rest_hardly_less()
    {
        var general = new CharGrams(Alphabet, ["evet efendim", "hayır olmaz", "randevu almak istiyorum"], order: 6);
        var session = new CharGrams(Alphabet, ["zülfikar bostancı"], order: 6, weight: 8, general);
        int[] name = Alphabet.Encode("zülfikar bostancı");
        int[] common = Alphabet.Encode("randevu almak istiyorum");
        Assert.True(session.PerLetter(name) > general.PerLetter(name) + 2);
        Assert.True(session.PerLetter(common) > general.PerLetter(common) - 0.3);
    }

    private static ulong After(CharGrams model, string text) =>
        Alphabet.Encode(text).Aggregate(model.Start, model.Push);
}
