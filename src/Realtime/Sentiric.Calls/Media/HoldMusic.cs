using Sentiric.Media;

namespace Sentiric.Calls.Media;

/// <summary>What those hear who wait: one piece for everybody, or one of the tenant's own.</summary>
public sealed class HoldMusic
{
    private const int MaxSamples = 15 * 60 * Tone.SampleRate; // 14 MB
    private const int MinSamples = Tone.SampleRate;
    private const string ForEverybody = "default";
    private readonly Dictionary<string, short[]> _pieces;
    private readonly ReadOnlyMemory<short> _fallback;

    private HoldMusic(Dictionary<string, short[]> pieces, ReadOnlyMemory<short> fallback) => (_pieces, _fallback) = (pieces, fallback);

    /// <summary>Nobody hears anything.</summary>
    public static HoldMusic None { get; } = new([], default);

    /// <summary>A piece that a formula makes: no licence, no fee.</summary>
    public static HoldMusic Generated => new([], HoldTune.Samples);

    /// <summary>
    /// A WAV file for everybody; or a folder with a file for each tenant (<c>demo.wav</c>) and, where it has one, <c>default.wav</c> for the others. 16 bits; 8, 16, 24 or 48 kHz; the first
    /// channel; one second to 15 minutes. Throws <see cref="InvalidDataException"/> or <see cref="IOException"/> and says which file is wrong.
    /// </summary>
    public static HoldMusic From(string path)
    {
        if (!Directory.Exists(path))
        {
            return new([], Read(path));
        }

        var pieces = Directory.EnumerateFiles(path, "*.wav").ToDictionary(file => Path.GetFileNameWithoutExtension(file), Read, StringComparer.Ordinal);
        return pieces.Count > 0 ? new(pieces, pieces.GetValueOrDefault(ForEverybody, HoldTune.Samples.ToArray())) : throw new InvalidDataException($"{path} holds no WAV file.");
    }

    /// <summary>At 8 kHz, shared; empty where nothing is to be heard.</summary>
    public ReadOnlyMemory<short> For(string tenant) => _pieces.TryGetValue(tenant, out var own) ? own : _fallback;

    private static short[] Read(string file)
    {
        var pcm = TelephoneAudio.Narrow(WavFile.Read(file)) ?? throw new InvalidDataException($"{file}: 8, 16, 24 or 48 kHz are needed.");
        return pcm.Length is >= MinSamples and <= MaxSamples ? pcm : throw new InvalidDataException($"{file}: a piece of 1 second to 15 minutes is needed.");
    }
}
