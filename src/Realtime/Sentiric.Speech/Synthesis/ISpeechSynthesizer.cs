namespace Sentiric.Speech;

/// <summary>A text-to-speech engine. Shared by all calls.</summary>
public interface ISpeechSynthesizer
{
    /// <summary>The engine's name for people and journals ("espeak-ng"); empty when it is not known, as of an engine in another process before its first words.</summary>
    string Engine => "";

    IReadOnlyList<VoiceInfo> Voices { get; }

    /// <summary>
    /// Speaks a text as mono S16 at the rate asked for, in pieces as they become ready. Cancelling stops the engine at once (barge-in).
    /// An empty text gives no audio. Throws <see cref="SpeechEngineException"/> for an unknown language or voice and when the engine fails.
    /// </summary>
    IAsyncEnumerable<AudioChunk> SynthesizeAsync(SynthesisRequest request, CancellationToken cancel);
}

/// <summary>One voice. <paramref name="License"/> is that of the audio that the voice makes, for the model list in the console.</summary>
public sealed record VoiceInfo(string Id, string Language, string Name, int NativeSampleRate, string License);

/// <summary>
/// What to say. <paramref name="Voice"/> is a <see cref="VoiceInfo.Id"/>, null for the language's first voice.
/// <paramref name="Rate"/> is the speaking rate, 1 being usual, kept within 0.5..2.
/// </summary>
public sealed record SynthesisRequest(string Text, string Language, string? Voice = null, int SampleRate = 8000, double Rate = 1.0);
