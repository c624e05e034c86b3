namespace Sentiric.Speech;

/// <summary>
/// How much the phrase list binds the recogniser.
/// Open: the list is ignored. Biased: its phrases are likelier, anything may be said. Closed: the answer is one of the phrases or empty.
/// </summary>
public enum GrammarMode
{
    Open,
    Biased,
    Closed,
}

/// <summary>What a session listens for. At most <see cref="MaxPhrases"/> phrases count; the rest of the list is not looked at.</summary>
public sealed record RecognitionOptions
{
    public const int MaxPhrases = 5_000;

    public string Language { get; init; } = "tr";

    /// <summary>Samples per second of the audio that will be written; 8000 on the phone side.</summary>
    public int SampleRate { get; init; } = 8000;

    /// <summary>Phrases the speaker is likely to say (names, products, menu words), in plain spelling.</summary>
    public IReadOnlyList<string> Phrases { get; init; } = [];

    public GrammarMode Grammar { get; init; } = GrammarMode.Biased;

    /// <summary>How many other readings a final result may carry, best first, the chosen one not among them.</summary>
    public int MaxAlternatives { get; init; }
}
