using Sentiric.Benchmarks.Kit;
using Sentiric.Speech;

namespace Sentiric.Benchmarks.Speech;

/// <summary>The recorded callers of the speech tests, one after the other with half a second of silence between them. 8 kHz.</summary>
public static class Caller
{
    public const int Rate = 8_000;
    public const int FrameSamples = Rate / 50;
    private const int PauseSamples = Rate / 2;

    public static IReadOnlyList<short[]> Utterances { get; } = [.. Places.Recordings.Select(path => WavFile.Read(path).Samples)];

    public static short[] All { get; } = [.. Utterances.SelectMany(u => u.Concat(new short[PauseSamples]))];

    public static double Seconds => (double)All.Length / Rate;

    public static IEnumerable<ReadOnlyMemory<short>> Frames(short[] pcm)
    {
        for (var at = 0; at < pcm.Length; at += FrameSamples) yield return pcm.AsMemory(at, Math.Min(FrameSamples, pcm.Length - at));
    }
}
