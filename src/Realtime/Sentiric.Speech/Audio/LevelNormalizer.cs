namespace Sentiric.Speech;

/// <summary>
/// Brings speech to one loudness without pumping: looks at the first second, then keeps that gain to the end.
/// Levels are active speech levels in dBFS (silence between words does not count).
/// </summary>
public sealed class LevelNormalizer
{
    private const double MaxGainDb = 12;
    private const double ActiveAboveDb = -42;
    private const float PeakLimit = 31_000;
    private readonly double targetDb;
    private readonly short[] held;
    private readonly int frameSamples;
    private int heldCount;
    private float? gain;

    public LevelNormalizer(int sampleRate, double targetDb)
    {
        this.targetDb = targetDb;
        held = new short[sampleRate];
        frameSamples = sampleRate / 50;
    }

    /// <summary>Takes audio and gives back what is ready: nothing during the first second, everything after it.</summary>
    public short[] Process(ReadOnlySpan<short> pcm)
    {
        if (gain is { } known)
        {
            return Scale(pcm, known);
        }

        int take = Math.Min(pcm.Length, held.Length - heldCount);
        pcm[..take].CopyTo(held.AsSpan(heldCount));
        heldCount += take;
        return heldCount < held.Length ? [] : [.. Release(), .. Process(pcm[take..])];
    }

    /// <summary>Gives back what is still held; a text shorter than a second comes out here whole.</summary>
    public short[] Flush() => gain is null ? Release() : [];

    /// <summary>The active speech level in dBFS; null when nothing in it is loud enough to be speech.</summary>
    public static double? ActiveLevelDb(ReadOnlySpan<short> pcm, int frameSamples)
    {
        double threshold = Math.Pow(10, ActiveAboveDb / 10) * 32768.0 * 32768.0;
        double sum = 0;
        int frames = 0;
        for (; pcm.Length >= frameSamples; pcm = pcm[frameSamples..])
        {
            double energy = MeanSquare(pcm[..frameSamples]);
            if (energy > threshold)
            {
                sum += energy;
                frames++;
            }
        }

        return frames == 0 ? null : 10 * Math.Log10(sum / frames / (32768.0 * 32768.0));
    }

    private short[] Release()
    {
        var pcm = held.AsSpan(0, heldCount);
        double gainDb = ActiveLevelDb(pcm, frameSamples) is { } level ? Math.Clamp(targetDb - level, -MaxGainDb, MaxGainDb) : 0;
        gain = (float)Math.Pow(10, gainDb / 20);
        return Scale(pcm, gain.Value);
    }

    private static short[] Scale(ReadOnlySpan<short> pcm, float gain)
    {
        var scaled = new short[pcm.Length];
        for (int i = 0; i < pcm.Length; i++)
        {
            scaled[i] = (short)Math.Clamp(pcm[i] * gain, -PeakLimit, PeakLimit);
        }

        return scaled;
    }

    private static double MeanSquare(ReadOnlySpan<short> frame)
    {
        double sum = 0;
        foreach (short sample in frame)
        {
            sum += (double)sample * sample;
        }

        return sum / frame.Length;
    }
}
