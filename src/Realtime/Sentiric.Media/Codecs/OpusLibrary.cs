using System.Runtime.InteropServices;

namespace Sentiric.Media;

/// <summary>
/// The system's libopus (Debian: libopus0), when there is one. Nothing of it is shipped or needed: without it Opus is simply no codec of ours.
/// Looked for once in a process.
/// </summary>
public static class OpusLibrary
{
    /// <summary>The Debian package that brings it.</summary>
    public const string Package = "libopus0";

    private const string Name = "opus"; // resolved below, never looked up under this name
    private static readonly string[] Files = ["libopus.so.0", "libopus.so"];
    private static readonly Lazy<nint> Handle = new(Load);

    public static bool IsPresent => Handle.Value != 0;

    /// <summary>Such as "libopus 1.3.1"; absent with the library.</summary>
    public static string? Version => IsPresent ? Marshal.PtrToStringUTF8(opus_get_version_string()) : null;

    internal const int Ok = 0;

    /// <exception cref="DllNotFoundException">There is no libopus on this machine.</exception>
    internal static void Require()
    {
        if (!IsPresent) throw new DllNotFoundException($"{Files[0]} is not on this machine (Debian: {Package}).");
    }

    internal static string Explain(int error) => Marshal.PtrToStringUTF8(opus_strerror(error)) ?? "unknown";

    private static nint Load()
    {
        NativeLibrary.SetDllImportResolver(typeof(OpusLibrary).Assembly, (name, _, _) => name == Name ? Handle.Value : 0);
        foreach (var file in Files)
        {
            if (NativeLibrary.TryLoad(file, out var handle)) return handle;
        }
        return 0;
    }

    [DllImport(Name)]
    private static extern nint opus_get_version_string();

    [DllImport(Name)]
    private static extern nint opus_strerror(int error);

    [DllImport(Name)]
    internal static extern OpusEncoderHandle opus_encoder_create(int sampleRate, int channels, int application, out int error);

    [DllImport(Name)]
    internal static extern int opus_encode(OpusEncoderHandle encoder, ref readonly short pcm, int frameSamples, ref byte data, int maxOctets);

    // Variadic in C. With one int behind the request, the calling conventions of Linux on x86_64 and arm64 are those of a plain function.
    [DllImport(Name)]
    internal static extern int opus_encoder_ctl(OpusEncoderHandle encoder, int request, int value);

    [DllImport(Name)]
    internal static extern void opus_encoder_destroy(nint encoder);

    [DllImport(Name)]
    internal static extern OpusDecoderHandle opus_decoder_create(int sampleRate, int channels, out int error);

    [DllImport(Name)]
    internal static extern int opus_decode(OpusDecoderHandle decoder, ref readonly byte data, int octets, ref short pcm, int frameSamples, int useFec);

    /// <summary>Null data: the packet was lost.</summary>
    [DllImport(Name, EntryPoint = "opus_decode")]
    internal static extern int opus_conceal(OpusDecoderHandle decoder, nint noData, int noOctets, ref short pcm, int frameSamples, int useFec);

    [DllImport(Name)]
    internal static extern int opus_packet_get_nb_samples(ref readonly byte data, int octets, int sampleRate);

    [DllImport(Name)]
    internal static extern void opus_decoder_destroy(nint decoder);
}

/// <summary>Owns the memory of an encoder.</summary>
internal sealed class OpusEncoderHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        OpusLibrary.opus_encoder_destroy(handle);
        return true;
    }
}

/// <summary>Owns the memory of a decoder.</summary>
internal sealed class OpusDecoderHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        OpusLibrary.opus_decoder_destroy(handle);
        return true;
    }
}
