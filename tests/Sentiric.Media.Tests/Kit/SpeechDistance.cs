namespace Sentiric.Media.Tests;

/// <summary>How far a stretch of sound is from the one that was meant.</summary>
internal static class SpeechDistance
{
    private const int Bands = 32;
    private const double Floor = 1; // power of a band that nobody hears

    /// <summary>Signal to error in dB; 0 for silence, higher is nearer. Bounded to -10 and 35 dB, as segmental SNR usually is.</summary>
    public static double Snr(ReadOnlySpan<short> meant, ReadOnlySpan<short> heard)
    {
        double signal = 1, error = 1;
        for (var i = 0; i < meant.Length; i++)
        {
            signal += (double)meant[i] * meant[i];
            error += (double)(meant[i] - heard[i]) * (meant[i] - heard[i]);
        }
        return Math.Clamp(10 * Math.Log10(signal / error), -10, 35);
    }

    /// <summary>Root mean square of the difference of both log spectra in dB, over 32 bands to 4 kHz; phase does not count, 0 is the same.</summary>
    public static double LogSpectral(ReadOnlySpan<short> meant, ReadOnlySpan<short> heard)
    {
        var sum = 0.0;
        for (var band = 0; band < Bands; band++)
        {
            var hertz = (band + 0.5) * 4_000 / Bands;
            var difference = 10 * Math.Log10((Power(meant, hertz) + Floor) / (Power(heard, hertz) + Floor));
            sum += difference * difference;
        }
        return Math.Sqrt(sum / Bands);
    }

    private static double Power(ReadOnlySpan<short> pcm, double hertz)
    {
        double real = 0, imaginary = 0;
        for (var i = 0; i < pcm.Length; i++)
        {
            var window = 0.5 - 0.5 * Math.Cos(2 * Math.PI * (i + 0.5) / pcm.Length);
            var (sin, cos) = Math.SinCos(2 * Math.PI * hertz * i / Tone.SampleRate);
            (real, imaginary) = (real + window * pcm[i] * cos, imaginary + window * pcm[i] * sin);
        }
        return (real * real + imaginary * imaginary) / pcm.Length;
    }
}
