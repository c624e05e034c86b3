namespace Sentiric.Speech;

/// <summary>What an engine can do. <paramref name="Languages"/> are two-letter ISO 639-1 codes; "*" alone means that the engine takes any.</summary>
public sealed record RecognizerInfo(string Engine, string Model, IReadOnlyList<string> Languages, bool Streaming, int NativeSampleRate)
{
    /// <summary>True for "tr" and for "tr-TR" when the engine knows "tr".</summary>
    public bool Knows(string language) => Languages.Contains("*") || Languages.Contains(SpeechLanguage.Primary(language));
}
