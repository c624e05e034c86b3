namespace Sentiric.Media;

/// <summary>Generated 8 kHz signals: ringback, beeps, test sweeps. Levels are a share of full scale, 0 to 1.</summary>
public static class Tone
{
    public const int SampleRate = 8_000;

    /// <summary>A pure tone.</summary>
    public static short[] Sine(double hertz, TimeSpan length, double level = 0.5) => Sweep(hertz, hertz, length, level);

    /// <summary>A tone that glides from one frequency to another: no two moments are alike, so a delay can be measured on it.</summary>
    public static short[] Sweep(double fromHertz, double toHertz, TimeSpan length, double level = 0.5)
    {
        var pcm = new short[SamplesIn(length)];
        var phase = 0.0;
        for (var i = 0; i < pcm.Length; i++)
        {
            pcm[i] = (short)(Math.Sin(phase) * level * short.MaxValue);
            phase += 2 * Math.PI * (fromHertz + (toHertz - fromHertz) * i / pcm.Length) / SampleRate;
        }
        return pcm;
    }

    public static int SamplesIn(TimeSpan length) => checked((int)(length.Ticks * SampleRate / TimeSpan.TicksPerSecond));
}
