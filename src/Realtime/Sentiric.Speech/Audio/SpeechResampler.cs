using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Sentiric.Speech;

/// <summary>
/// Changes the sample rate of mono S16 audio: polyphase windowed sinc (Kaiser, 80 dB), whole in, whole out, no delay.
/// Keeps state between calls, so a stream may come in pieces of any size; belongs to one thread at a time.
/// Passes up to about 80 % of the lower Nyquist frequency; what lies above that Nyquist frequency is suppressed.
/// Media has a <c>Resampler</c> of its own: that one answers every tick at once and knows the rates of codecs; this one knows any rate that a voice
/// model has, and keeps a text's audio at its exact length.
/// </summary>
public sealed class SpeechResampler
{
    private const int FeedSamples = 1024;
    private readonly PolyphaseFilter filter;
    private readonly float[] window;
    private int windowLength;
    private long windowStart;
    private long fed;
    private long produced;

    public SpeechResampler(int fromRate, int toRate)
    {
        filter = PolyphaseFilter.For(fromRate, toRate);
        window = new float[(2 * filter.HalfTaps) + FeedSamples + (filter.Decimation / filter.Interpolation) + 1];
        Reset();
    }

    public static short[] Convert(ReadOnlySpan<short> pcm, int fromRate, int toRate)
    {
        if (fromRate == toRate)
        {
            return pcm.ToArray();
        }

        var resampler = new SpeechResampler(fromRate, toRate);
        var output = new short[resampler.MaxOutput(pcm.Length)];
        int written = resampler.Process(pcm, output);
        written += resampler.Flush(output.AsSpan(written));
        return output[..written];
    }

    /// <summary>Room that <see cref="Process"/> with that many samples, and a <see cref="Flush"/> after it, need at most.</summary>
    public int MaxOutput(int inputSamples) =>
        (int)(((long)(inputSamples + (2 * filter.HalfTaps)) * filter.Interpolation / filter.Decimation) + 2);

    /// <summary>Takes input, writes the output that is ready, returns how many samples that was.</summary>
    public int Process(ReadOnlySpan<short> input, Span<short> output)
    {
        int written = 0;
        while (input.Length > 0)
        {
            int take = Math.Min(input.Length, FeedSamples);
            Feed(input[..take]);
            fed += take;
            written += Produce(output[written..], windowStart + windowLength - filter.HalfTaps);
            input = input[take..];
        }

        return written;
    }

    /// <summary>Writes the tail of the stream and starts afresh.</summary>
    public int Flush(Span<short> output)
    {
        long end = fed;
        Span<short> silence = stackalloc short[Math.Min(FeedSamples, filter.HalfTaps)];
        silence.Clear();
        int written = 0;
        for (int left = filter.HalfTaps; left > 0; left -= silence.Length)
        {
            Feed(silence);
            written += Produce(output[written..], Math.Min(end, windowStart + windowLength - filter.HalfTaps));
        }

        Reset();
        return written;
    }

    public void Reset()
    {
        // half a filter of silence before the first sample: output sample 0 lies exactly on input sample 0
        Array.Clear(window);
        windowLength = filter.HalfTaps;
        windowStart = -filter.HalfTaps;
        fed = 0;
        produced = 0;
    }

    private void Feed(ReadOnlySpan<short> input)
    {
        PolyphaseFilter.ToSingle(input, window.AsSpan(windowLength));
        windowLength += input.Length;
    }

    /// <summary>Writes every output whose centre lies before <paramref name="centreLimit"/>, then drops the input that no later output needs.</summary>
    private int Produce(Span<short> output, long centreLimit)
    {
        int written = 0;
        long centre = produced * filter.Decimation / filter.Interpolation;
        if (filter.Decimation == 1 && centre < centreLimit)
        {
            int centres = (int)(centreLimit - centre);
            written = filter.ApplyAll(window.AsSpan((int)(centre - filter.HalfTaps + 1 - windowStart)), centres, output);
            produced += written;
            centre += centres;
        }

        while (centre < centreLimit)
        {
            int phase = (int)(produced * filter.Decimation % filter.Interpolation);
            int first = (int)(centre - filter.HalfTaps + 1 - windowStart);
            float value = filter.Apply(phase, window.AsSpan(first, filter.Taps));
            output[written++] = (short)Math.Clamp(MathF.Round(value), short.MinValue, short.MaxValue);
            produced++;
            centre = produced * filter.Decimation / filter.Interpolation;
        }

        int unused = (int)Math.Clamp(centre - filter.HalfTaps + 1 - windowStart, 0, windowLength);
        window.AsSpan(unused, windowLength - unused).CopyTo(window);
        windowStart += unused;
        windowLength -= unused;
        return written;
    }
}

/// <summary>The coefficients for one pair of rates; made once and shared.</summary>
internal sealed class PolyphaseFilter
{
    private const int ZeroCrossings = 24;
    private const double CutoffOfNyquist = 0.91;
    private const double KaiserBeta = 8.0;
    private const int MaxInterpolation = 1024;
    private const int Eight = 8; // floats in a vector
    private const int Sixteen = 2 * Eight;
    private const int Batch = 4 * Eight; // a frame of 20 ms at 8 kHz is five of them
    private static readonly ConcurrentDictionary<(int From, int To), PolyphaseFilter> Known = new();
    private readonly float[] coefficients;

    private PolyphaseFilter(int fromRate, int toRate)
    {
        int divisor = GreatestCommonDivisor(fromRate, toRate);
        Interpolation = toRate / divisor;
        Decimation = fromRate / divisor;
        if (Interpolation > MaxInterpolation)
        {
            throw new ArgumentException($"{fromRate} Hz to {toRate} Hz needs {Interpolation} filter phases; at most {MaxInterpolation} are made.");
        }

        double ratio = Math.Min(1.0, (double)toRate / fromRate);
        HalfTaps = (int)Math.Ceiling(ZeroCrossings / ratio);
        coefficients = new float[Interpolation * Taps];
        for (int phase = 0; phase < Interpolation; phase++)
        {
            FillPhase(coefficients.AsSpan(phase * Taps, Taps), (double)phase / Interpolation, ratio * CutoffOfNyquist);
        }
    }

    public int Interpolation { get; }

    public int Decimation { get; }

    public int HalfTaps { get; }

    public int Taps => 2 * HalfTaps;

    public static PolyphaseFilter For(int fromRate, int toRate)
    {
        if (fromRate is < 4000 or > 192_000 || toRate is < 4000 or > 192_000)
        {
            throw new ArgumentOutOfRangeException(nameof(fromRate), $"Sample rates must be 4000..192000 Hz, not {fromRate} and {toRate}.");
        }

        return Known.GetOrAdd((fromRate, toRate), static rates => new PolyphaseFilter(rates.From, rates.To));
    }

    public float Apply(int phase, ReadOnlySpan<float> samples)
    {
        var taps = coefficients.AsSpan(phase * Taps, Taps);
        var (even, odd) = (Vector256<float>.Zero, Vector256<float>.Zero);
        int i = 0;
        for (; i + Sixteen <= taps.Length; i += Sixteen)
        {
            even = Vector256.MultiplyAddEstimate(Vector256.Create(taps[i..]), Vector256.Create(samples[i..]), even);
            odd = Vector256.MultiplyAddEstimate(Vector256.Create(taps[(i + Eight)..]), Vector256.Create(samples[(i + Eight)..]), odd);
        }

        float sum = Vector256.Sum(even + odd);
        for (; i < taps.Length; i++)
        {
            sum = float.MultiplyAddEstimate(taps[i], samples[i], sum);
        }

        return sum;
    }

    /// <summary>
    /// Every phase of so many inputs in a row, thirty-two inputs and two phases at a time: whole multiples of a rate are what a call needs all the time. Every output is summed tap by tap, whatever the pieces. Returns the number of outputs.
    /// </summary>
    public int ApplyAll(ReadOnlySpan<float> samples, int centres, Span<short> output)
    {
        int whole = Interpolation == 1 ? 0 : centres / Batch * Batch;
        for (int pair = 0; pair < Interpolation && whole > 0; pair += 2)
        {
            int phase = Math.Min(pair, Interpolation - 2); // a last phase without a partner is made with the one before it, again
            for (int at = 0; at < whole; at += Batch)
            {
                ApplyBatch(phase, samples.Slice(at, Taps + Batch - 1), output[((at * Interpolation) + phase)..]);
            }
        }

        for (int phase = 0; phase < Interpolation; phase++)
        {
            ApplyOneByOne(phase, samples, whole, centres, output);
        }

        return centres * Interpolation;
    }

    /// <summary>Sixteen-bit samples as they are, as floats.</summary>
    public static void ToSingle(ReadOnlySpan<short> pcm, Span<float> target)
    {
        int at = 0;
        for (; at + Vector128<short>.Count <= pcm.Length; at += Vector128<short>.Count)
        {
            var (low, high) = Vector128.Widen(Vector128.Create(pcm.Slice(at, Vector128<short>.Count)));
            Vector128.ConvertToSingle(low).CopyTo(target[at..]);
            Vector128.ConvertToSingle(high).CopyTo(target[(at + Vector128<int>.Count)..]);
        }

        for (; at < pcm.Length; at++)
        {
            target[at] = pcm[at];
        }
    }

    private void ApplyOneByOne(int phase, ReadOnlySpan<float> samples, int from, int to, Span<short> output)
    {
        var taps = coefficients.AsSpan(phase * Taps, Taps);
        for (int at = from; at < to; at++)
        {
            float sum = 0;
            for (int i = 0; i < taps.Length; i++)
            {
                sum = float.MultiplyAddEstimate(taps[i], samples[at + i], sum);
            }

            output[(at * Interpolation) + phase] = (short)Math.Clamp(MathF.Round(sum), short.MinValue, short.MaxValue);
        }
    }

    // Eight sums at once: with fewer the processor would wait for its own additions.
    private void ApplyBatch(int phase, ReadOnlySpan<float> samples, Span<short> output)
    {
        ref float sample = ref MemoryMarshal.GetReference(samples);
        var first = coefficients.AsSpan(phase * Taps, Taps);
        var second = coefficients.AsSpan((phase + 1) * Taps, Taps);
        var (a, b, c, d) = (Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero);
        var (e, f, g, h) = (Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero);
        for (int i = 0; i < first.Length; i++)
        {
            var (one, two) = (Vector256.Create(first[i]), Vector256.Create(second[i]));
            var heard = Vector256.LoadUnsafe(ref sample, (nuint)i);
            (a, e) = (Vector256.MultiplyAddEstimate(one, heard, a), Vector256.MultiplyAddEstimate(two, heard, e));
            heard = Vector256.LoadUnsafe(ref sample, (nuint)(i + Eight));
            (b, f) = (Vector256.MultiplyAddEstimate(one, heard, b), Vector256.MultiplyAddEstimate(two, heard, f));
            heard = Vector256.LoadUnsafe(ref sample, (nuint)(i + (2 * Eight)));
            (c, g) = (Vector256.MultiplyAddEstimate(one, heard, c), Vector256.MultiplyAddEstimate(two, heard, g));
            heard = Vector256.LoadUnsafe(ref sample, (nuint)(i + (3 * Eight)));
            (d, h) = (Vector256.MultiplyAddEstimate(one, heard, d), Vector256.MultiplyAddEstimate(two, heard, h));
        }

        Write(Whole(a), Whole(e), output);
        Write(Whole(b), Whole(f), output[(Eight * Interpolation)..]);
        Write(Whole(c), Whole(g), output[(2 * Eight * Interpolation)..]);
        Write(Whole(d), Whole(h), output[(3 * Eight * Interpolation)..]);
    }

    private static Vector256<int> Whole(Vector256<float> sums) =>
        Vector256.Clamp(Vector256.ConvertToInt32(Vector256.Round(sums)), Vector256.Create((int)short.MinValue), Vector256.Create((int)short.MaxValue));

    // Of two phases: beside each other when there are only these two.
    private void Write(Vector256<int> even, Vector256<int> odd, Span<short> output)
    {
        if (Interpolation == 2)
        {
            ((odd << 16) | (even & Vector256.Create(0xFFFF))).AsInt16().CopyTo(output);
            return;
        }

        for (int i = 0; i < Eight; i++)
        {
            output[i * Interpolation] = (short)even[i];
            output[(i * Interpolation) + 1] = (short)odd[i];
        }
    }

    private void FillPhase(Span<float> taps, double fraction, double cutoff)
    {
        double sum = 0;
        Span<double> exact = stackalloc double[taps.Length];
        for (int i = 0; i < taps.Length; i++)
        {
            double distance = i - HalfTaps + 1 - fraction;
            exact[i] = Sinc(cutoff * distance) * Kaiser(distance / HalfTaps);
            sum += exact[i];
        }

        // unity gain at 0 Hz for every phase, else the phases differ and hum
        for (int i = 0; i < taps.Length; i++)
        {
            taps[i] = (float)(exact[i] / sum);
        }
    }

    private static double Sinc(double x) => Math.Abs(x) < 1e-9 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);

    private static double Kaiser(double x) =>
        Math.Abs(x) >= 1 ? 0 : BesselI0(KaiserBeta * Math.Sqrt(1 - (x * x))) / BesselI0(KaiserBeta);

    private static double BesselI0(double x)
    {
        double sum = 1;
        double term = 1;
        for (int k = 1; k < 40; k++)
        {
            term *= x / (2 * k) * (x / (2 * k));
            sum += term;
        }

        return sum;
    }

    private static int GreatestCommonDivisor(int a, int b) => b == 0 ? a : GreatestCommonDivisor(b, a % b);
}
