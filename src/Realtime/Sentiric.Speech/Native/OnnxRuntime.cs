using System.Runtime.InteropServices;
using System.Text;

namespace Sentiric.Speech.Native;

/// <summary>
/// ONNX Runtime through its C function table (onnxruntime_c_api.h, struct OrtApi): no managed package, one shared library.
/// Entries of that table never move between releases, new ones are appended; so an index is as good as a name.
/// Loaded once per path and kept until the process ends.
/// </summary>
public sealed unsafe class OnnxRuntime
{
    public const string LibraryName = "libonnxruntime.so";

    // the table's version that first has every entry used here; also the oldest library that is accepted
    private const uint ApiVersion = 14;
    private const int LogErrorsOnly = 3;
    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, OnnxRuntime> Loaded = new(StringComparer.Ordinal);
    private readonly void** table;

    private OnnxRuntime(void** table)
    {
        this.table = table;
        nint env;
        fixed (byte* name = "speech\0"u8)
        {
            Check(((delegate* unmanaged<int, byte*, nint*, nint>)table[OrtEntry.CreateEnv])(LogErrorsOnly, name, &env));
        }

        Environment = env;
        nint memory;
        Check(((delegate* unmanaged<int, int, nint*, nint>)table[OrtEntry.CreateCpuMemoryInfo])(0, 0, &memory));
        CpuMemory = memory;
    }

    internal nint Environment { get; }

    internal nint CpuMemory { get; }

    /// <summary>
    /// Loads the library from <paramref name="path"/> (a file or the folder that holds it), or from the usual places when it is null.
    /// Throws <see cref="SpeechEngineException"/> when it is missing, not a library, or too old.
    /// </summary>
    public static OnnxRuntime Load(string? path = null)
    {
        string file = Find(path);
        lock (Gate)
        {
            if (!Loaded.TryGetValue(file, out var runtime))
            {
                runtime = Open(file);
                Loaded[file] = runtime;
            }

            return runtime;
        }
    }

    internal void* Entry(int index) => table[index];

    /// <summary>Turns a status of the C API into an exception; 0 means success. Frees the status.</summary>
    internal void Check(nint status)
    {
        if (status == 0)
        {
            return;
        }

        byte* text = ((delegate* unmanaged<nint, byte*>)table[OrtEntry.GetErrorMessage])(status);
        string message = Marshal.PtrToStringUTF8((nint)text) ?? "unknown error";
        ((delegate* unmanaged<nint, void>)table[OrtEntry.ReleaseStatus])(status);
        throw new OnnxRuntimeException(message);
    }

    private static string Find(string? path)
    {
        var places = path is null ? UsualPlaces() : [path, Path.Combine(path, LibraryName)];
        foreach (string place in places)
        {
            if (File.Exists(place))
            {
                return Path.GetFullPath(place);
            }
        }

        throw new SpeechEngineException(
            SpeechFault.LibraryMissing,
            $"The ONNX Runtime library was not found; looked at {string.Join(", ", places)}.",
            "Install ONNX Runtime 1.14 or later and set the path of its shared library in the speech settings.");
    }

    private static string[] UsualPlaces() =>
    [
        Path.Combine(AppContext.BaseDirectory, LibraryName),
        Path.Combine(AppContext.BaseDirectory, "native", LibraryName),
        Path.Combine("/usr/local/lib", LibraryName),
        Path.Combine("/usr/lib", LibraryName),
    ];

    private static OnnxRuntime Open(string file)
    {
        if (!NativeLibrary.TryLoad(file, out nint library) || !NativeLibrary.TryGetExport(library, "OrtGetApiBase", out nint export))
        {
            throw Unusable(file, "is not an ONNX Runtime library for this system");
        }

        // struct OrtApiBase { const OrtApi* (*GetApi)(uint32_t); const char* (*GetVersionString)(void); }
        nint* apiBase = ((delegate* unmanaged<nint*>)export)();
        var table = ((delegate* unmanaged<uint, void**>)apiBase[0])(ApiVersion);
        return table is null ? throw Unusable(file, "is too old") : new OnnxRuntime(table);
    }

    private static SpeechEngineException Unusable(string file, string why) => new(
        SpeechFault.LibraryUnusable,
        $"{file} {why}.",
        "Replace it by ONNX Runtime 1.14 or later built for this processor and operating system.");

    internal static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text + "\0");
}

/// <summary>What ONNX Runtime itself said. Engines turn it into a <see cref="SpeechEngineException"/> that says what to do.</summary>
public sealed class OnnxRuntimeException(string message) : Exception(message);

/// <summary>Positions in struct OrtApi.</summary>
internal static class OrtEntry
{
    public const int GetErrorMessage = 2;
    public const int CreateEnv = 3;
    public const int CreateSession = 7;
    public const int Run = 9;
    public const int CreateSessionOptions = 10;
    public const int SetSessionGraphOptimizationLevel = 23;
    public const int SetIntraOpNumThreads = 24;
    public const int SetInterOpNumThreads = 25;
    public const int SessionGetInputCount = 30;
    public const int SessionGetOutputCount = 31;
    public const int SessionGetInputTypeInfo = 33;
    public const int SessionGetOutputTypeInfo = 34;
    public const int SessionGetInputName = 36;
    public const int SessionGetOutputName = 37;
    public const int CreateTensorWithDataAsOrtValue = 49;
    public const int CastTypeInfoToTensorInfo = 55;
    public const int GetDimensionsCount = 61;
    public const int GetDimensions = 62;
    public const int CreateCpuMemoryInfo = 69;
    public const int AllocatorFree = 76;
    public const int GetAllocatorWithDefaultOptions = 78;
    public const int ReleaseStatus = 93;
    public const int ReleaseSession = 95;
    public const int ReleaseValue = 96;
    public const int ReleaseTypeInfo = 98;
    public const int ReleaseSessionOptions = 100;
    public const int AddSessionConfigEntry = 130;
}
