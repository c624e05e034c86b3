using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Sentiric.Media;

/// <summary>
/// Changes the sampling rate by a ratio of small whole numbers (8, 16, 24, 48 kHz among each other) as a polyphase filter: only the products that reach
/// an output sample are computed.
/// <code> up L ─► low-pass (Kaiser window, 70 dB) ─► down M     as L filters of a few dozen taps, one per phase </code>
/// The pass band reaches to 0.85 of the lower rate's half (3.4 kHz of 4), the stop band begins at that half. Not thread-safe; allocates nothing after the start.
/// </summary>
public sealed class Resampler
{
    private const int LowRateTaps = 64;        // at the lower of the two rates: (70 - 8) / (2.285 · 2π · 0.075) = 58, up to whole vectors
    private const double Cutoff = 0.925;       // the middle of the transition, as a share of the lower rate's half
    private const double KaiserBeta = 6.76;    // 0.1102 (70 - 8.7)
    private const int MaxInput = 1_920;        // 40 ms at 48 kHz

    private readonly int up, down, taps;
    private readonly float[][] phases;
    private readonly float[] window;
    private int filled, position;

    /// <summary>Throws <see cref="ArgumentException"/> when the ratio has a number above 6.</summary>
    public Resampler(int fromHertz, int toHertz)
    {
        var common = (int)BigInteger.GreatestCommonDivisor(fromHertz, toHertz);
        (up, down) = (toHertz / common, fromHertz / common);
        if (up > 6 || down > 6) throw new ArgumentException($"{fromHertz} to {toHertz} Hz is {up}:{down}; ratios up to 6 are made.");
        taps = LowRateTaps * Math.Max(1, (fromHertz + toHertz - 1) / toHertz);
        phases = MakePhases();
        window = new float[taps - 1 + MaxInput];
        filled = taps - 1;
    }

    /// <summary>How late what comes out is, in samples of the output.</summary>
    public double DelaySamples => (double)(up * taps - 1) / 2 / down;

    /// <summary>The most samples that so many can become.</summary>
    public int MostFrom(int samples) => samples * up / down + 1;

    /// <summary>Answers how many samples were written; over time exactly the ratio. At most 1,920 samples at once.</summary>
    public int Process(ReadOnlySpan<short> input, Span<short> output)
    {
        if (up == down)
        {
            input.CopyTo(output);
            return input.Length;
        }
        for (var i = 0; i < input.Length; i++) window[filled + i] = input[i];
        filled += input.Length;
        var written = 0;
        for (; position / up + taps <= filled; position += down)
        {
            var sum = Dot(phases[position % up], window.AsSpan(position / up, taps));
            output[written++] = (short)Math.Clamp(MathF.Round(sum), short.MinValue, short.MaxValue);
        }
        var used = position / up;
        window.AsSpan(used, filled - used).CopyTo(window);
        (filled, position) = (filled - used, position - used * up);
        return written;
    }

    public void Reset()
    {
        Array.Clear(window);
        (filled, position) = (taps - 1, 0);
    }

    // Four sums side by side: one alone would wait for each of its additions. A phase has a multiple of 64 taps.
    private static float Dot(ReadOnlySpan<float> filter, ReadOnlySpan<float> samples)
    {
        var (a, b, c, d) = (Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero);
        var taps = MemoryMarshal.Cast<float, Vector256<float>>(filter);
        var heard = MemoryMarshal.Cast<float, Vector256<float>>(samples[..filter.Length]);
        for (var i = 0; i + 3 < taps.Length && i + 3 < heard.Length; i += 4)
        {
            a = Vector256.MultiplyAddEstimate(taps[i], heard[i], a);
            b = Vector256.MultiplyAddEstimate(taps[i + 1], heard[i + 1], b);
            c = Vector256.MultiplyAddEstimate(taps[i + 2], heard[i + 2], c);
            d = Vector256.MultiplyAddEstimate(taps[i + 3], heard[i + 3], d);
        }
        return Vector256.Sum(a + b + (c + d));
    }

    // Phase p holds every up-th coefficient, newest sample last. Each phase passes DC at exactly 1, or a steady level would hum.
    private float[][] MakePhases()
    {
        var prototype = new double[up * taps];
        var cutoff = Cutoff / Math.Max(up, down);
        for (var i = 0; i < prototype.Length; i++)
        {
            var t = i - (prototype.Length - 1) / 2.0;
            var edge = 2.0 * i / (prototype.Length - 1) - 1;
            prototype[i] = cutoff * Sinc(cutoff * t) * Bessel0(KaiserBeta * Math.Sqrt(1 - edge * edge));
        }
        var all = new float[up][];
        for (var phase = 0; phase < up; phase++)
        {
            var filter = Enumerable.Range(0, taps).Select(tap => prototype[phase + (taps - 1 - tap) * up]).ToArray();
            var sum = filter.Sum();
            all[phase] = [.. filter.Select(c => (float)(c / sum))];
        }
        return all;
    }

    private static double Sinc(double x) => x == 0 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);

    private static double Bessel0(double x)
    {
        var (sum, term) = (1.0, 1.0);
        for (var k = 1; k < 40; k++)
        {
            term *= x / 2 / k * (x / 2 / k);
            sum += term;
        }
        return sum;
    }
}
