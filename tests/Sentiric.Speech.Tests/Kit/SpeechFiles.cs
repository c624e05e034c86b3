using System.Runtime.CompilerServices;
using Sentiric.Speech.Native;

namespace Sentiric.Speech.Tests.Kit;

/// <summary>What a test may need beyond the code.</summary>
[Flags]
public enum Need
{
    None = 0,
    Runtime = 1,
    CtcModel = 2,
    SileroModel = 4,
    Espeak = 8,
}

/// <summary>
/// Where the native library, the models and the voice lie: as the environment says, or what the set-up filled (.infra/native), the
/// repository's own models folder and the path.
/// </summary>
public static class SpeechFiles
{
    public static string Root { get; } = Find();

    public static string? Runtime { get; } = First(OnnxRuntime.LibraryName, Variable("SENTIRIC_NATIVE"), Path.Combine(Root, ".infra", "native"));

    public static string? CtcModel { get; } = Model("sentiric-ctc-tr-8k.onnx");

    public static string? SileroModel { get; } = Model("silero_vad.onnx");

    public static string? GeneralPhrases { get; } = Model("phrases.tr.txt");

    public static string? Espeak { get; } =
        Variable("Speech__Espeak") is { } given && File.Exists(given) ? given : First("espeak-ng", (Variable("PATH") ?? "").Split(':'));

    /// <summary>Set where the set-up unpacked the program without installing it.</summary>
    public static string? EspeakLibraryPath { get; } = Variable("Speech__EspeakLibraryPath");

    public static string? EspeakDataPath { get; } = Variable("Speech__EspeakDataPath");

    /// <summary>Why a test cannot run here; null when everything that it needs is there.</summary>
    public static string? Missing(Need need) =>
        need.HasFlag(Need.Runtime) && Runtime is null ? "libonnxruntime.so is not here: run the set-up or set SENTIRIC_NATIVE"
        : need.HasFlag(Need.CtcModel) && CtcModel is null ? "sentiric-ctc-tr-8k.onnx is not here: set SENTIRIC_MODELS"
        : need.HasFlag(Need.SileroModel) && SileroModel is null ? "silero_vad.onnx is not here: run the set-up or set SENTIRIC_MODELS"
        : need.HasFlag(Need.Espeak) && Espeak is null ? "espeak-ng is not here: run the set-up or install it"
        : null;

    public static string Required(string? found) => found ?? throw new InvalidOperationException("The test did not say that it needs this file.");

    private static string? Model(string name) =>
        First(name, Variable("SENTIRIC_MODELS"), Path.Combine(Root, ".infra", "native"), Path.Combine(Root, "models"));

    private static string? First(string name, params string?[] folders) =>
        folders.Where(folder => !string.IsNullOrEmpty(folder)).Select(folder => Path.Combine(folder ?? "", name)).FirstOrDefault(File.Exists);

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static string Find([CallerFilePath] string thisFile = "")
    {
        string? folder = Path.GetDirectoryName(thisFile);
        while (folder is not null && !File.Exists(Path.Combine(folder, "Sentiric.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? AppContext.BaseDirectory;
    }
}
