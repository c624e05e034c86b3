using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Sentiric.Speech;

/// <summary>Decoded audio of a WAV file. <paramref name="Samples"/> are interleaved when there are two channels.</summary>
public sealed record WavAudio(short[] Samples, int SampleRate, int Channels)
{
    public TimeSpan Duration => TimeSpan.FromSeconds((double)Samples.Length / Channels / SampleRate);

    /// <summary>One channel alone, 0 being the left one.</summary>
    public short[] Channel(int index)
    {
        var channel = new short[Samples.Length / Channels];
        for (int i = 0; i < channel.Length; i++)
        {
            channel[i] = Samples[(i * Channels) + index];
        }

        return channel;
    }
}

/// <summary>
/// Reads and writes RIFF/WAVE files with 16-bit PCM, mono or stereo. Anything else is an <see cref="InvalidDataException"/> that names what was found.
/// </summary>
public static class WavFile
{
    public const int HeaderBytes = 44;
    private const int MaxFileBytes = 512 * 1024 * 1024;

    public static WavAudio Read(string path) => Parse(ReadBounded(path));

    public static WavAudio Parse(ReadOnlySpan<byte> file)
    {
        if (file.Length < 12 || !file[..4].SequenceEqual("RIFF"u8) || !file.Slice(8, 4).SequenceEqual("WAVE"u8))
        {
            throw new InvalidDataException("This is not a WAV file: it does not begin with RIFF ... WAVE.");
        }

        WavFormat? format = null;
        for (var rest = file[12..]; rest.Length >= 8;)
        {
            var id = rest[..4];
            uint declared = BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
            // a writer that streams to a pipe cannot know the size: take what is there
            var body = rest.Slice(8, (int)Math.Min(declared, (uint)(rest.Length - 8)));
            if (id.SequenceEqual("fmt "u8))
            {
                format = WavFormat.Parse(body);
            }
            else if (id.SequenceEqual("data"u8))
            {
                return Decode(body, format ?? throw new InvalidDataException("The WAV file has its data before its format."));
            }

            int padded = body.Length + (body.Length & 1);
            rest = rest[Math.Min(rest.Length, 8 + padded)..];
        }

        throw new InvalidDataException("The WAV file has no data chunk.");
    }

    public static void Write(string path, ReadOnlySpan<short> samples, int sampleRate, int channels = 1)
    {
        using var file = File.Create(path);
        Write(file, samples, sampleRate, channels);
    }

    public static void Write(Stream stream, ReadOnlySpan<short> samples, int sampleRate, int channels = 1)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        WriteHeader(header, samples.Length * sizeof(short), sampleRate, channels);
        stream.Write(header);
        stream.Write(LittleEndian(samples));
    }

    public static byte[] ToBytes(ReadOnlySpan<short> samples, int sampleRate, int channels = 1)
    {
        var stream = new MemoryStream(HeaderBytes + (samples.Length * sizeof(short)));
        Write(stream, samples, sampleRate, channels);
        return stream.ToArray();
    }

    /// <summary>Fills the 44 bytes that stand before 16-bit PCM data; a recorder writes them again when it knows the size.</summary>
    public static void WriteHeader(Span<byte> header, int dataBytes, int sampleRate, int channels)
    {
        "RIFF"u8.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], HeaderBytes - 8 + dataBytes);
        "WAVEfmt "u8.CopyTo(header[8..]);
        BinaryPrimitives.WriteInt32LittleEndian(header[16..], 16);
        BinaryPrimitives.WriteInt16LittleEndian(header[20..], WavFormat.Pcm);
        BinaryPrimitives.WriteInt16LittleEndian(header[22..], (short)channels);
        BinaryPrimitives.WriteInt32LittleEndian(header[24..], sampleRate);
        BinaryPrimitives.WriteInt32LittleEndian(header[28..], sampleRate * channels * sizeof(short));
        BinaryPrimitives.WriteInt16LittleEndian(header[32..], (short)(channels * sizeof(short)));
        BinaryPrimitives.WriteInt16LittleEndian(header[34..], 16);
        "data"u8.CopyTo(header[36..]);
        BinaryPrimitives.WriteInt32LittleEndian(header[40..], dataBytes);
    }

    private static byte[] ReadBounded(string path)
    {
        long bytes = new FileInfo(path).Length;
        return bytes <= MaxFileBytes
            ? File.ReadAllBytes(path)
            : throw new InvalidDataException($"The WAV file has {bytes} bytes; at most {MaxFileBytes} are read.");
    }

    private static WavAudio Decode(ReadOnlySpan<byte> data, WavFormat format)
    {
        int whole = data.Length / (sizeof(short) * format.Channels) * format.Channels;
        var samples = new short[whole];
        for (int i = 0; i < whole; i++)
        {
            samples[i] = BinaryPrimitives.ReadInt16LittleEndian(data[(i * sizeof(short))..]);
        }

        return new WavAudio(samples, format.SampleRate, format.Channels);
    }

    private static ReadOnlySpan<byte> LittleEndian(ReadOnlySpan<short> samples)
    {
        if (BitConverter.IsLittleEndian)
        {
            return MemoryMarshal.AsBytes(samples);
        }

        var swapped = new short[samples.Length];
        BinaryPrimitives.ReverseEndianness(samples, swapped);
        return MemoryMarshal.AsBytes(swapped.AsSpan());
    }
}

/// <summary>The format chunk of a WAV file, already checked to be 16-bit PCM with one or two channels.</summary>
internal readonly record struct WavFormat(int SampleRate, int Channels)
{
    public const short Pcm = 1;

    public static WavFormat Parse(ReadOnlySpan<byte> chunk)
    {
        if (chunk.Length < 16)
        {
            throw new InvalidDataException("The WAV format chunk is too short.");
        }

        short tag = BinaryPrimitives.ReadInt16LittleEndian(chunk);
        short channels = BinaryPrimitives.ReadInt16LittleEndian(chunk[2..]);
        int rate = BinaryPrimitives.ReadInt32LittleEndian(chunk[4..]);
        short bits = BinaryPrimitives.ReadInt16LittleEndian(chunk[14..]);
        if (tag != Pcm || bits != 16 || channels is not (1 or 2) || rate is < 4000 or > 192_000)
        {
            throw new InvalidDataException(
                $"Only 16-bit PCM WAV with one or two channels is read; this one has format {tag}, {bits} bits, {channels} channels, {rate} Hz.");
        }

        return new WavFormat(rate, channels);
    }
}
