using System.Numerics;

namespace Sentiric.Scenarios.Kit;

/// <summary>What the tests ask of samples.</summary>
internal static class Sound
{
    private const int FrameSamples = 160;  // 20 ms at 8 kHz
    private const double SpeechLevel = 500; // RMS; G.711 silence stays below 20

    /// <summary>Milliseconds with sound of at least the level of quiet speech.</summary>
    public static int LoudMs(ReadOnlySpan<short> pcm)
    {
        var loud = 0;
        for (var at = 0; at + FrameSamples <= pcm.Length; at += FrameSamples)
        {
            loud += Rms(pcm.Slice(at, FrameSamples)) >= SpeechLevel ? 20 : 0;
        }

        return loud;
    }

    /// <summary>The best normalised correlation of a pattern in a recording, and where it begins.</summary>
    public static (double Correlation, int At) Find(ReadOnlySpan<short> pattern, ReadOnlySpan<short> inside)
    {
        var (best, where) = (0.0, 0);
        var (looked, heard) = (Numbers(pattern), Numbers(inside));
        var energy = Energy(pattern);
        for (var at = 0; at + looked.Length <= heard.Length; at++)
        {
            var here = heard.AsSpan(at, looked.Length);
            var own = Dot(here, here);
            var correlation = own > 0 ? Dot(looked, here) / Math.Sqrt(energy * own) : 0;
            (best, where) = correlation > best ? (correlation, at) : (best, where);
        }

        return (best, where);
    }

    private static float[] Numbers(ReadOnlySpan<short> pcm)
    {
        var numbers = new float[pcm.Length];
        for (var i = 0; i < pcm.Length; i++)
        {
            numbers[i] = pcm[i];
        }

        return numbers;
    }

    // Several at a time: a test looks for its melody again and again while the call that it listens to goes on.
    private static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var sums = Vector<float>.Zero;
        var at = 0;
        for (; at + Vector<float>.Count <= a.Length; at += Vector<float>.Count)
        {
            sums += new Vector<float>(a[at..]) * new Vector<float>(b[at..]);
        }

        double dot = Vector.Sum(sums);
        for (; at < a.Length; at++)
        {
            dot += a[at] * b[at];
        }

        return dot;
    }

    private static double Rms(ReadOnlySpan<short> pcm) => Math.Sqrt(Energy(pcm) / pcm.Length);

    private static double Energy(ReadOnlySpan<short> pcm)
    {
        double sum = 0;
        foreach (var sample in pcm)
        {
            sum += (double)sample * sample;
        }

        return sum;
    }
}
