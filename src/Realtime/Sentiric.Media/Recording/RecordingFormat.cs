using System.Buffers;
using System.Runtime.InteropServices;

namespace Sentiric.Media;

/// <summary>How the audio of a recording is written. Both are 8 kHz, 16 bits, two channels, without loss.</summary>
public enum RecordingFormat
{
    Wav,

    /// <summary>About half the size (RFC 9639).</summary>
    Flac,
}

/// <summary>What files and HTTP call a format.</summary>
public static class RecordingFormats
{
    public static string Extension(this RecordingFormat format) => format switch
    {
        RecordingFormat.Wav => "wav",
        RecordingFormat.Flac => "flac",
    };

    public static string MediaType(this RecordingFormat format) => format switch
    {
        RecordingFormat.Wav => "audio/wav",
        RecordingFormat.Flac => "audio/flac",
    };

    internal static IRecordingEncoder NewEncoder(this RecordingFormat format) => format switch
    {
        RecordingFormat.Wav => new WavEncoder(),
        RecordingFormat.Flac => new FlacEncoder(CallRecording.Channels, Tone.SampleRate),
    };
}

/// <summary>Turns interleaved samples into the bytes of a format: a head of fixed size, then audio that is never touched again.</summary>
internal interface IRecordingEncoder
{
    /// <summary>Samples per channel in the bytes that were handed out.</summary>
    long EncodedSamples { get; }

    void Encode(ReadOnlySpan<short> interleaved, IBufferWriter<byte> to);

    /// <summary>What still waits for the rest of a block.</summary>
    void Flush(IBufferWriter<byte> to);

    /// <summary>The head while more is to come: what a file has whose process dies.</summary>
    byte[] OpenHead(long audioBytes);

    /// <summary>The head for all that was encoded, <paramref name="audioBytes"/> long.</summary>
    byte[] Head(long audioBytes);
}

internal sealed class WavEncoder : IRecordingEncoder
{
    public long EncodedSamples { get; private set; }

    public void Encode(ReadOnlySpan<short> interleaved, IBufferWriter<byte> to)
    {
        to.Write(MemoryMarshal.AsBytes(interleaved));
        EncodedSamples += interleaved.Length / CallRecording.Channels;
    }

    public void Flush(IBufferWriter<byte> to)
    {
    }

    public byte[] OpenHead(long audioBytes) => Head(audioBytes);

    public byte[] Head(long audioBytes) => WavHeader.Make(CallRecording.Channels, Tone.SampleRate, audioBytes);
}
