namespace Sentiric.Testing.Platform;

/// <summary>Where the speech engines lie: as the environment says, or as './sentiric' put them into this clone.</summary>
public static class SpeechFiles
{
    public static string Native { get; } = Variable("SENTIRIC_NATIVE") ?? Variable("Speech__NativeFolder") ?? Repository.PathOf(".infra", "native");

    public static string Models { get; } = Variable("SENTIRIC_MODELS") ?? Variable("Speech__ModelFolder") ?? Repository.PathOf("models");

    public static string? Espeak { get; } = Programs.Find(Variable("Speech__Espeak") ?? "espeak-ng");

    public static string? EspeakLibraryPath { get; } = Variable("Speech__EspeakLibraryPath");

    public static string? EspeakDataPath { get; } = Variable("Speech__EspeakDataPath");

    /// <summary>What is not here, in words; null when a call can be spoken and understood.</summary>
    public static string? Missing { get; } =
        !File.Exists(Path.Combine(Native, "libonnxruntime.so")) ? $"libonnxruntime.so is not in {Native}: './sentiric setup' gets it"
        : !File.Exists(Path.Combine(Native, "silero_vad.onnx")) ? $"silero_vad.onnx is not in {Native}: './sentiric setup' gets it"
        : !Directory.EnumerateFiles(Models, "*.onnx").Any() ? $"there is no recogniser model in {Models}"
        : Espeak is null ? "espeak-ng is not installed"
        : null;

    public static IEnumerable<KeyValuePair<string, string>> Settings()
    {
        yield return new("Speech__NativeFolder", Native);
        yield return new("Speech__ModelFolder", Models);
        yield return new("Speech__Espeak", Espeak ?? "espeak-ng");
        if (EspeakLibraryPath is { } libraries)
        {
            yield return new("Speech__EspeakLibraryPath", libraries);
        }

        if (EspeakDataPath is { } data)
        {
            yield return new("Speech__EspeakDataPath", data);
        }
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
