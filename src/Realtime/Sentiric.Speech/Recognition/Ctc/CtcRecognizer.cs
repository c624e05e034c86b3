using Sentiric.Speech.Native;

namespace Sentiric.Speech;

/// <summary>Where the built-in recogniser finds its files and how it listens.</summary>
public sealed record CtcRecognizerOptions
{
    /// <summary>The network (.onnx); its card (.json) lies beside it.</summary>
    public required string ModelPath { get; init; }

    /// <summary>General phrases, one a line; null or a missing file leaves the general language model empty.</summary>
    public string? PhrasesPath { get; init; }

    /// <summary>SHA-256 of the network in hex, checked before it is loaded; null takes the one in the model's card.</summary>
    public string? ModelSha256 { get; init; }

    /// <summary>Sessions open at one time; one more is refused as overloaded.</summary>
    public int MaxSessions { get; init; } = 400;

    /// <summary>How often a session's own phrase counts against a line of the general text.</summary>
    public int PhraseWeight { get; init; } = 40;

    /// <summary>Prefixes that the decoder keeps; 1 to 64.</summary>
    public int BeamWidth { get; init; } = 16;

    /// <summary>How much the language model counts against the sound; 0 to 2.</summary>
    public float LanguageWeight { get; init; } = 0.9f;

    /// <summary>Makes up for the language model's liking for short texts, per letter; 0 to 2.</summary>
    public float LetterBonus { get; init; } = 1.2f;

    internal BeamWeights Weights => new(BeamWidth, LanguageWeight, LetterBonus);
}

/// <summary>
/// The built-in recogniser: a small streaming CTC network, a prefix beam and letter n-grams. About 5 ms of one core per second of speech.
/// It was trained on synthetic voices: it understands synthetic callers and closed phrase lists, not yet people.
/// Construction loads the network and counts the general phrases, about a second; sessions cost next to nothing.
/// </summary>
public sealed class CtcRecognizer : ISpeechRecognizer
{
    internal const int LanguageOrder = 6;
    private readonly CtcModel model;
    private readonly CtcRecognizerOptions options;
    private readonly SpeechWorkerPool pool;
    private readonly PhraseSetCache phraseSets;
    private int sessions;

    /// <summary>Throws <see cref="SpeechEngineException"/> when the model is missing, broken, changed, or another kind of model.</summary>
    public CtcRecognizer(OnnxRuntime runtime, CtcRecognizerOptions options, SpeechWorkerPool pool)
    {
        this.options = options;
        this.pool = pool;
        var card = CtcModelCard.BesideModel(options.ModelPath);
        if ((options.ModelSha256 ?? card.Sha256) is { } expected)
        {
            ModelFile.Verify(options.ModelPath, expected);
        }

        model = new CtcModel(runtime, options.ModelPath, card);
        var general = new CharGrams(model.Alphabet, GeneralPhrases(options.PhrasesPath), LanguageOrder);
        phraseSets = new PhraseSetCache(model.Alphabet, general, options.PhraseWeight);
        Info = new RecognizerInfo("ctc", Path.GetFileNameWithoutExtension(options.ModelPath), card.Languages, Streaming: true, card.SampleRate);
    }

    public RecognizerInfo Info { get; }

    public async ValueTask<IRecognitionSession> StartAsync(RecognitionOptions session, CancellationToken cancel)
    {
        if (!Info.Knows(session.Language))
        {
            throw new SpeechEngineException(
                SpeechFault.LanguageUnsupported,
                $"The recogniser {Info.Model} knows only {string.Join(", ", Info.Languages)}, not \"{session.Language}\".",
                "Choose another recogniser for this language in the speech settings.");
        }

        if (Interlocked.Increment(ref sessions) > options.MaxSessions)
        {
            Interlocked.Decrement(ref sessions);
            throw SpeechWorkerPool.Overloaded();
        }

        try
        {
            var phrases = session.Grammar == GrammarMode.Open ? [] : session.Phrases;
            var set = await pool.RunAsync(() => phraseSets.For(phrases), cancel);
            return new CtcSession(new CtcListener(model, set, options.Weights, session), pool, session.SampleRate, () => Interlocked.Decrement(ref sessions));
        }
        catch
        {
            Interlocked.Decrement(ref sessions);
            throw;
        }
    }

    public ValueTask DisposeAsync()
    {
        model.Dispose();
        return ValueTask.CompletedTask;
    }

    private static IEnumerable<string> GeneralPhrases(string? path) =>
        path is not null && File.Exists(path) ? File.ReadLines(path).Select(TurkishSpelling.Spell) : [];
}
