namespace Sentiric.Speech.Tests.Recognition.Ctc;

public class PrefixBeamTests
{
    private static readonly CtcAlphabet Alphabet = new("ab ");
    private static readonly CharGrams NoLanguage = new(Alphabet, [], order: 3);
    private static readonly BeamWeights SoundOnly = new(Width: 16, LanguageWeight: 0, LetterBonus: 0);

    [Fact]
    public void A_letter_that_goes_on_is_one_letter_and_a_blank_between_makes_it_two()
    {
        Assert.Equal("a", Best(SoundOnly, NoLanguage, "aaa"));
        Assert.Equal("aa", Best(SoundOnly, NoLanguage, "a-a"));
        Assert.Equal("ab", Best(SoundOnly, NoLanguage, "-aab--"));
        Assert.Equal("", Best(SoundOnly, NoLanguage, "----"));
    }

    [Fact]
    public void Many_weak_paths_outweigh_one_strong_path()
    {
        // the textbook case: "-" alone is the best path (0.36), but "a" has three paths (0.24 + 0.24 + 0.16)
        float[] frame = Frame(blank: 0.6, a: 0.4);
        Assert.Equal("a", BestOf(new PrefixBeam(NoLanguage, SoundOnly), frame, frame));
    }

    [Fact]
    public void The_score_of_a_reading_is_its_forward_probability()
    {
        var random = new Random(11);
        float[][] frames = [.. Enumerable.Range(0, 5).Select(_ => RandomFrame(random))];
        var beam = new PrefixBeam(NoLanguage, SoundOnly with { Width = 1000 });
        foreach (float[] frame in frames)
        {
            beam.Step(frame);
        }

        float[] sound = [.. frames.SelectMany(frame => frame)];
        foreach (var reading in beam.Readings().Take(10))
        {
            Assert.Equal(CtcScore.Forward(sound, 4, reading.Symbols), reading.Score, 4);
        }
    }

    [Fact]
    public void The_language_decides_where_the_sound_does_not()
    {
        var likesB = new CharGrams(Alphabet, ["ab ab ab", "ab ab"], order: 3);
        float[][] frames = [Frame(a: 0.98), Frame(blank: 0.98), Frame(a: 0.5, b: 0.45)];
        Assert.Equal("aa", BestOf(new PrefixBeam(NoLanguage, SoundOnly), frames));
        Assert.Equal("ab", BestOf(new PrefixBeam(likesB, new BeamWeights(16, 0.6f, 0.6f)), frames));
    }

    [Fact]
    public void When_the_tree_is_full_what_was_heard_stays_and_listening_goes_on()
    {
        // every second frame adds a node at least, so the tree fills twice
        const int MuchSpeech = 2 * 2 * PrefixBeam.MaxNodes;
        var beam = new PrefixBeam(NoLanguage, SoundOnly with { Width = 2 });
        int expected = 0;
        for (int i = 0; i < MuchSpeech; i++)
        {
            // sure of itself: with 1 % of doubt, thousands of ways to drop one letter would together outweigh the one way to keep all
            beam.Step(i % 2 == 0 ? Frame(a: 1, b: 1e-5, blank: 1e-5) : Frame(a: 1e-5, b: 1e-5, blank: 1));
            expected += i % 2 == 0 ? 1 : 0;
        }

        var best = beam.Readings().First();
        Assert.Equal(expected, best.Symbols.Length);
        Assert.Equal((0, MuchSpeech - 2), (best.FirstFrame, best.LastFrame));
    }

    [Fact]
    public void A_reset_forgets_everything()
    {
        var beam = new PrefixBeam(NoLanguage, SoundOnly);
        beam.Step(Frame(a: 0.97));
        beam.Reset();
        Assert.Empty(beam.BestSymbols());
    }

    [Fact]
    public void The_forward_score_adds_up_all_alignments()
    {
        // every text of up to three letters over three frames: their probabilities add up to one
        var random = new Random(4);
        float[] sound = [.. Enumerable.Range(0, 3).SelectMany(_ => RandomFrame(random))];
        double sum = 0;
        double best = double.NegativeInfinity;
        foreach (int[] text in Texts(3))
        {
            double forward = CtcScore.Forward(sound, 4, text);
            Assert.True(CtcScore.BestPath(sound, 4, text) <= forward + 1e-9);
            best = Math.Max(best, CtcScore.BestPath(sound, 4, text));
            sum += Math.Exp(forward);
        }

        Assert.Equal(1.0, sum, 5);
        Assert.Equal(CtcScore.Unconstrained(sound, 4), best, 5);
    }

    private static IEnumerable<int[]> Texts(int longest)
    {
        IEnumerable<int[]> texts = [[]];
        for (int length = 0; length <= longest; length++)
        {
            foreach (int[] text in texts)
            {
                yield return text;
            }

            texts = [.. texts.SelectMany(text => Enumerable.Range(0, 3).Select(symbol => (int[])[.. text, symbol]))];
        }
    }

    private static string Best(BeamWeights weights, CharGrams language, string frames) =>
        BestOf(new PrefixBeam(language, weights), [.. frames.Select(letter => letter switch
        {
            'a' => Frame(a: 0.97),
            'b' => Frame(b: 0.97),
            _ => Frame(blank: 0.97),
        })]);

    private static string BestOf(PrefixBeam beam, params float[][] frames)
    {
        foreach (float[] frame in frames)
        {
            beam.Step(frame);
        }

        return Alphabet.Decode(beam.Readings().First().Symbols);
    }

    private static float[] Frame(double blank = 0.01, double a = 0.01, double b = 0.01) =>
        [(float)Math.Log(blank), (float)Math.Log(a), (float)Math.Log(b), (float)Math.Log(0.0001)];

    private static float[] RandomFrame(Random random)
    {
        double[] weights = [.. Enumerable.Range(0, 4).Select(_ => random.NextDouble() + 0.05)];
        return [.. weights.Select(weight => (float)Math.Log(weight / weights.Sum()))];
    }
}
