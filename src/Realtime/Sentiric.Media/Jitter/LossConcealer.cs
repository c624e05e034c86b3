using System.Numerics;
using System.Runtime.InteropServices;

namespace Sentiric.Media;

/// <summary>
/// Fills holes in G.711 in the manner of G.711 appendix I: repeat the last pitch period, fade it out over 60 ms,
/// cross-fade back into real audio. Works on blocks of 10 ms (80 samples). Not thread-safe.
/// </summary>
public sealed class LossConcealer
{
    public const int BlockSamples = 80;
    private const int HistorySamples = 480;
    private const int CompareSamples = 160;
    private const int MinPitch = 40, MaxPitch = 120; // 200 Hz to 66 Hz at 8 kHz, as in the appendix
    private const int MaxPeriods = 3;
    private const int FadeBlocks = 6;
    private const float FadePerBlock = 0.2f;
    private const int JoinSamples = 32;

    private readonly short[] history = new short[HistorySamples];
    private int lostBlocks, pitch, phase;

    /// <summary>Real audio: joined smoothly after a hole, and remembered.</summary>
    public void Accept(Span<short> block)
    {
        if (lostBlocks > 0) Join(block);
        lostBlocks = 0;
        history.AsSpan(BlockSamples).CopyTo(history);
        block.CopyTo(history.AsSpan(HistorySamples - BlockSamples));
    }

    /// <summary>No audio came: make some up.</summary>
    public void Conceal(Span<short> block)
    {
        if (lostBlocks == 0) (pitch, phase) = (FindPitch(), 0);
        if (lostBlocks >= FadeBlocks) block.Clear();
        else Invent(block);
        if (lostBlocks < FadeBlocks) lostBlocks++;
    }

    public void Reset()
    {
        Array.Clear(history);
        lostBlocks = 0;
    }

    private void Join(Span<short> block)
    {
        Span<short> invented = stackalloc short[JoinSamples];
        if (lostBlocks < FadeBlocks) Invent(invented);
        else invented.Clear();
        for (var i = 0; i < JoinSamples; i++)
        {
            var real = block[i];
            block[i] = (short)((real * i + invented[i] * (JoinSamples - i)) / JoinSamples);
        }
    }

    // Longer holes repeat more periods, or a voice turns into a buzz.
    private void Invent(Span<short> target)
    {
        var length = pitch * Math.Min(MaxPeriods, 1 + lostBlocks);
        var period = history.AsSpan(HistorySamples - length, length);
        var at = phase % length;
        phase += target.Length;
        var gain = lostBlocks == 0 ? 1f : 1f - FadePerBlock * (lostBlocks - 1);
        var step = lostBlocks == 0 ? 0f : FadePerBlock / BlockSamples;
        for (var i = 0; i < target.Length; i++)
        {
            target[i] = (short)(period[at] * MathF.Max(0, gain - step * i));
            if (++at == length) at = 0;
        }
    }

    // The lag at which the last 20 ms look most like what came before them: first every other lag on every other sample, as the
    // appendix does, then the neighbours of the best one. A leg with heavy loss searches in every frame, so it has to be cheap.
    private int FindPitch()
    {
        Span<float> whole = stackalloc float[HistorySamples];
        Span<float> half = stackalloc float[HistorySamples / 2];
        for (var i = 0; i < whole.Length; i++) whole[i] = history[i];
        for (var i = 0; i < half.Length; i++) half[i] = whole[2 * i];
        var coarse = 2 * BestLag(half, CompareSamples / 2, MinPitch / 2, MaxPitch / 2);
        return BestLag(whole, CompareSamples, Math.Max(MinPitch, coarse - 1), Math.Min(MaxPitch, coarse + 1));
    }

    private static int BestLag(ReadOnlySpan<float> samples, int compare, int from, int to)
    {
        var (best, bestScore) = (to, float.MinValue);
        var tail = samples[^compare..];
        for (var lag = from; lag <= to; lag++)
        {
            var earlier = samples.Slice(samples.Length - compare - lag, compare);
            var score = Dot(tail, earlier) / MathF.Sqrt(1 + Dot(earlier, earlier));
            if (score > bestScore) (best, bestScore) = (lag, score);
        }
        return best;
    }

    private static float Dot(ReadOnlySpan<float> one, ReadOnlySpan<float> other)
    {
        var sum = Vector<float>.Zero;
        var left = MemoryMarshal.Cast<float, Vector<float>>(one);
        var right = MemoryMarshal.Cast<float, Vector<float>>(other);
        for (var i = 0; i < left.Length; i++) sum += left[i] * right[i];
        var total = Vector.Sum(sum);
        for (var i = left.Length * Vector<float>.Count; i < one.Length; i++) total += one[i] * other[i];
        return total;
    }
}
