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
        var energy = Energy(pattern);
        for (var at = 0; at + pattern.Length <= inside.Length; at++)
        {
            double dot = 0, own = 0;
            for (var i = 0; i < pattern.Length; i++)
            {
                dot += (double)pattern[i] * inside[at + i];
                own += (double)inside[at + i] * inside[at + i];
            }

            var correlation = own > 0 ? dot / Math.Sqrt(energy * own) : 0;
            (best, where) = correlation > best ? (correlation, at) : (best, where);
        }

        return (best, where);
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
