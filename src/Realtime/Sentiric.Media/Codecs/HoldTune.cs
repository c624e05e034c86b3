namespace Sentiric.Media;

/// <summary>
/// Music for those who wait, made from a formula and so nobody's work: a slow walk over a pentatonic scale, plucked and with a bass note to every bar. 24 s at 8 kHz that end
/// where they begin.
/// </summary>
public static class HoldTune
{
    private const int NoteSamples = 3_000;       // 160 notes a minute
    private const int Notes = 64, NotesPerBar = 8;
    private const int RingSamples = 2 * NoteSamples;
    private const double Level = 0.11, BassLevel = 0.09; // about -20 dB of full scale together, as an announcement
    private static readonly double[] Scale = [261.63, 293.66, 329.63, 392.00, 440.00, 523.25, 587.33, 659.26];
    private static readonly double[] Bass = [130.81, 98.00, 110.00, 146.83];
    private static readonly Lazy<short[]> Made = new(Make);

    /// <summary>Shared by all; never changed.</summary>
    public static ReadOnlyMemory<short> Samples => Made.Value;

    private static short[] Make()
    {
        var sum = new double[Notes * NoteSamples];
        for (var note = 0; note < Notes; note++)
        {
            // Up and down the scale in steps that come round after 64 notes; every eighth rests.
            var step = (note * 3 + note / NotesPerBar * 2) % (2 * Scale.Length - 2);
            var degree = step < Scale.Length ? step : 2 * Scale.Length - 2 - step;
            if (note % NotesPerBar != NotesPerBar - 1) Pluck(sum, note * NoteSamples, Scale[degree], Level, RingSamples);
            if (note % NotesPerBar == 0) Pluck(sum, note * NoteSamples, Bass[note / NotesPerBar % Bass.Length], BassLevel, NotesPerBar * NoteSamples);
        }
        return [.. sum.Select(s => (short)Math.Clamp(s * short.MaxValue, short.MinValue, short.MaxValue))];
    }

    // What rings past the end rings on at the beginning.
    private static void Pluck(double[] sum, int from, double hertz, double level, int samples)
    {
        for (var i = 0; i < samples; i++)
        {
            var phase = 2 * Math.PI * hertz * i / Tone.SampleRate;
            var envelope = Math.Min(1, i / 60.0) * Math.Exp(-4.0 * i / samples) * Math.Min(1, (samples - i) / 200.0);
            sum[(from + i) % sum.Length] += level * envelope * (Math.Sin(phase) + 0.35 * Math.Sin(2 * phase) + 0.12 * Math.Sin(3 * phase));
        }
    }
}
