using System.Numerics;
using System.Runtime.CompilerServices;

namespace Sentiric.Media.Tests;

/// <summary>Compares what arrived with what was sent.</summary>
internal static class Signals
{
    private const int PieceSamples = 1_600;

    /// <summary>The best correlation (-1 to 1) of the whole source with any stretch of what was heard, and where it begins.</summary>
    public static (double Correlation, int At) Find(ReadOnlySpan<short> source, ReadOnlySpan<short> heard)
    {
        var best = (Correlation: double.MinValue, At: -1);
        var (sourceEnergy, energy) = (Product(source, source), Product(heard[..source.Length], heard[..source.Length]));
        for (var at = 0; ; at++)
        {
            var correlation = Product(source, heard.Slice(at, source.Length)) / Math.Sqrt((double)(sourceEnergy + 1) * (energy + 1));
            if (correlation > best.Correlation) best = (correlation, at);
            if (at + source.Length == heard.Length) return best;
            energy += heard[at + source.Length] * heard[at + source.Length] - heard[at] * heard[at];
        }
    }

    /// <summary>
    /// How each 200 ms of the source correlates with its best place in what was heard, worst first. A jitter buffer may stretch time
    /// between two pieces on a busy machine; inside a piece nothing may change.
    /// </summary>
    public static double[] FindPieces(ReadOnlySpan<short> source, ReadOnlySpan<short> heard)
    {
        var found = new double[source.Length / PieceSamples];
        for (var i = 0; i < found.Length; i++) found[i] = Find(source.Slice(i * PieceSamples, PieceSamples), heard).Correlation;
        Array.Sort(found);
        return found;
    }

    /// <summary>Something like speech: a gliding voice pitch with harmonics, in syllables.</summary>
    public static short[] Voice(TimeSpan length)
    {
        var pcm = new short[Tone.SamplesIn(length)];
        for (var i = 0; i < pcm.Length; i++)
        {
            var t = i / 8_000.0;
            var pitch = 2 * Math.PI * (120 * t + 15 * Math.Sin(2 * t));
            var syllable = 0.55 + 0.45 * Math.Sin(2 * Math.PI * 3.7 * t);
            pcm[i] = (short)(9_000 * syllable * (Math.Sin(pitch) + 0.5 * Math.Sin(2 * pitch) + 0.3 * Math.Sin(5 * pitch)));
        }
        return pcm;
    }

    public static double Correlate(ReadOnlySpan<short> one, ReadOnlySpan<short> other) =>
        Product(one, other) / Math.Sqrt((double)(Product(one, one) + 1) * (Product(other, other) + 1));

    public static double Rms(ReadOnlySpan<short> pcm) => Math.Sqrt((double)Product(pcm, pcm) / Math.Max(1, pcm.Length));

    // Side by side: looking for a second of sound in five is a thousand million products.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long Product(ReadOnlySpan<short> one, ReadOnlySpan<short> other)
    {
        var sums = Vector<long>.Zero;
        var i = 0;
        for (; i <= one.Length - Vector<short>.Count; i += Vector<short>.Count)
        {
            Vector.Widen(new Vector<short>(one[i..]), out var ours, out var ours2);
            Vector.Widen(new Vector<short>(other[i..]), out var theirs, out var theirs2);
            Vector.Widen(ours * theirs, out var a, out var b);
            Vector.Widen(ours2 * theirs2, out var c, out var d);
            sums += a + b + c + d;
        }
        var sum = Vector.Sum(sums);
        for (; i < one.Length; i++) sum += one[i] * other[i];
        return sum;
    }
}
