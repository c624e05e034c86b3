namespace Sentiric.Speech;

/// <summary>A speech server that speaks the OpenAI API: OpenAI itself, a whisper.cpp or faster-whisper server, and the like.</summary>
public sealed record OpenAiSpeechOptions
{
    /// <summary>Rate of the raw PCM that /v1/audio/speech answers with.</summary>
    public const int SpeechRate = 24_000;

    /// <summary>Address that "v1/..." is appended to, with its closing slash.</summary>
    public required Uri BaseAddress { get; init; }

    /// <summary>Sent as a bearer token; null sends none.</summary>
    public string? ApiKey { get; init; }

    public string RecognitionModel { get; init; } = "whisper-1";

    public string SynthesisModel { get; init; } = "tts-1";

    /// <summary>Voice names of the server; the first one is the usual one.</summary>
    public IReadOnlyList<string> Voices { get; init; } = ["alloy"];

    /// <summary>Languages that the server knows, "*" for any.</summary>
    public IReadOnlyList<string> Languages { get; init; } = ["*"];

    /// <summary>How long an answer may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(20);
}
