namespace Sentiric.Speech.Tests.Kit;

/// <summary>Audio for tests: tones, noise, silence, and what a telephone line does to it. 8 kHz unless told otherwise; always the same for the same input.</summary>
public static class Sound
{
    public const int Rate = 8000;

    public static short[] Silence(int ms) => new short[Rate * ms / 1000];

    public static short[] Tone(double hertz, int ms, int sampleRate = Rate, double amplitude = 10_000) =>
        [.. Enumerable.Range(0, (int)((long)sampleRate * ms / 1000)).Select(i => (short)(amplitude * Math.Sin(2 * Math.PI * hertz * i / sampleRate)))];

    public static short[] Noise(int ms, int amplitude, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Rate * ms / 1000).Select(_ => (short)random.Next(-amplitude, amplitude + 1))];
    }

    public static short[] Mix(short[] a, short[] b) => [.. a.Select((sample, i) => (short)Math.Clamp(sample + b[i % b.Length], short.MinValue, short.MaxValue))];

    /// <summary>Through G.711 µ-law and back.</summary>
    public static short[] OverThePhone(short[] pcm) => [.. pcm.Select(sample => Expand(Compress(sample)))];

    public static double LevelDb(ReadOnlySpan<short> pcm)
    {
        double sum = 0;
        foreach (short sample in pcm)
        {
            sum += (double)sample * sample;
        }

        return 10 * Math.Log10((sum / Math.Max(1, pcm.Length) / (32768.0 * 32768.0)) + 1e-12);
    }

    private static byte Compress(short sample)
    {
        int sign = (sample >> 8) & 0x80;
        int value = Math.Min(32_635, Math.Abs((int)sample)) + 132;
        int exponent = 7;
        for (int mask = 0x4000; (value & mask) == 0 && exponent > 0; mask >>= 1)
        {
            exponent--;
        }

        return (byte)~(sign | (exponent << 4) | ((value >> (exponent + 3)) & 0x0F));
    }

    private static short Expand(byte code)
    {
        int bits = ~code & 0xFF;
        int value = ((((bits & 0x0F) << 3) + 132) << ((bits >> 4) & 7)) - 132;
        return (short)((bits & 0x80) != 0 ? -value : value);
    }
}
