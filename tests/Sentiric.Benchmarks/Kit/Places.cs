using System.Runtime.CompilerServices;

namespace Sentiric.Benchmarks.Kit;

/// <summary>Where programs, native libraries, models and recordings lie: as the environment says, or as './sentiric setup' put them into this clone.</summary>
public static class Places
{
    public static string Root { get; } = FindRoot();

    public static string? Postgres => Variable("SENTIRIC_TEST_PG");

    public static string? OnnxRuntime => First("libonnxruntime.so", Variable("SENTIRIC_NATIVE"), Variable("Speech__NativeFolder"), Path.Combine(Root, ".infra", "native"));

    public static string? Silero => First("silero_vad.onnx", Variable("SENTIRIC_NATIVE"), Variable("Speech__NativeFolder"), Path.Combine(Root, ".infra", "native"));

    public static string? CtcModel => First("sentiric-ctc-tr-8k.onnx", Variable("SENTIRIC_MODELS"), Path.Combine(Root, "models"));

    public static string? Phrases => First("phrases.tr.txt", Variable("SENTIRIC_MODELS"), Path.Combine(Root, "models"));

    public static string? Espeak => Variable("Speech__Espeak") is { } given && File.Exists(given) ? given : Program("espeak-ng");

    public static string? Sipp => Program("sipp");

    /// <summary>A server's program, so it lies where only root's path looks.</summary>
    public static string? Kamailio => Program("kamailio") ?? First("kamailio", "/usr/sbin", "/usr/local/sbin");

    public static string? RtpEngine => Program("rtpengine") ?? First("rtpengine", "/usr/sbin", "/usr/local/sbin");

    public static string? CCompiler => Program("gcc") ?? Program("cc");

    /// <summary>Recorded callers of the speech tests, 8 kHz.</summary>
    public static IReadOnlyList<string> Recordings =>
        Path.Combine(Root, "tests", "Sentiric.Speech.Tests", "data") is var folder && Directory.Exists(folder)
            ? [.. Directory.EnumerateFiles(folder, "*.wav").Order(StringComparer.Ordinal)]
            : [];

    public static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static string? Program(string name) => First(name, (Variable("PATH") ?? "").Split(Path.PathSeparator));

    private static string? First(string name, params string?[] folders) =>
        folders.Where(folder => !string.IsNullOrEmpty(folder)).Select(folder => Path.Combine(folder ?? "", name)).FirstOrDefault(File.Exists);

    private static string FindRoot([CallerFilePath] string thisFile = "")
    {
        foreach (var start in new[] { AppContext.BaseDirectory, Path.GetDirectoryName(thisFile) })
        {
            for (var folder = start is null ? null : new DirectoryInfo(start); folder is not null; folder = folder.Parent)
            {
                if (File.Exists(Path.Combine(folder.FullName, "Sentiric.sln"))) return folder.FullName;
            }
        }
        return AppContext.BaseDirectory;
    }
}
