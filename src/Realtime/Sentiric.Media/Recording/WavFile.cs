using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Sentiric.Media;

/// <summary>16-bit PCM, one array per channel.</summary>
public sealed record WavAudio(int SampleRate, IReadOnlyList<short[]> Channels);

/// <summary>Whole WAV files in memory: announcements, a caller's script, tests. At most 256 MiB.</summary>
public static class WavFile
{
    private const long MaxBytes = 256L << 20;

    /// <summary>Throws <see cref="InvalidDataException"/> for anything but 16-bit PCM.</summary>
    public static WavAudio Read(string path)
    {
        if (new FileInfo(path).Length > MaxBytes) throw new InvalidDataException($"{path} is larger than {MaxBytes} bytes.");
        return Parse(File.ReadAllBytes(path));
    }

    /// <summary>Throws <see cref="InvalidDataException"/> for anything but 16-bit PCM.</summary>
    public static WavAudio Parse(ReadOnlySpan<byte> file)
    {
        var isWave = file.Length >= 12 && file[..4].SequenceEqual("RIFF"u8) && file[8..12].SequenceEqual("WAVE"u8);
        if (!isWave) throw new InvalidDataException("Not a WAV file.");
        var (channels, rate) = (0, 0);
        for (var rest = file[12..]; rest.Length >= 8;)
        {
            var size = (int)Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]), rest.Length - 8);
            var body = rest.Slice(8, size);
            if (rest[..4].SequenceEqual("fmt "u8)) (channels, rate) = ReadFormat(body);
            if (rest[..4].SequenceEqual("data"u8) && channels > 0) return new WavAudio(rate, Split(body, channels));
            rest = rest[Math.Min(rest.Length, 8 + size + (size & 1))..];
        }
        throw new InvalidDataException("The WAV file holds no data behind a format.");
    }

    /// <summary>One channel.</summary>
    public static void Write(string path, ReadOnlySpan<short> pcm, int sampleRate = Tone.SampleRate)
    {
        using var file = File.Create(path);
        file.Write(WavHeader.Make(1, sampleRate, pcm.Length * WavHeader.BytesPerSample));
        file.Write(MemoryMarshal.AsBytes(pcm));
    }

    private static (int Channels, int Rate) ReadFormat(ReadOnlySpan<byte> body)
    {
        if (body.Length < 16) throw new InvalidDataException("The WAV format chunk is too short.");
        var channels = BinaryPrimitives.ReadUInt16LittleEndian(body[2..]);
        var bits = BinaryPrimitives.ReadUInt16LittleEndian(body[14..]);
        if (bits != 16 || channels is 0 or > 8) throw new InvalidDataException($"Only 16-bit PCM, not {bits} bits in {channels} channels.");
        return (channels, BinaryPrimitives.ReadInt32LittleEndian(body[4..]));
    }

    private static short[][] Split(ReadOnlySpan<byte> data, int channels)
    {
        var frames = data.Length / (WavHeader.BytesPerSample * channels);
        var split = new short[channels][];
        for (var channel = 0; channel < channels; channel++)
        {
            split[channel] = new short[frames];
            for (var i = 0; i < frames; i++)
            {
                split[channel][i] = BinaryPrimitives.ReadInt16LittleEndian(data[(WavHeader.BytesPerSample * (i * channels + channel))..]);
            }
        }
        return split;
    }
}
