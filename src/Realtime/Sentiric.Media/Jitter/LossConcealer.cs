using System.Numerics;
using System.Runtime.InteropServices;

namespace Sentiric.Media;

/// <summary>
/// Fills holes in narrow-band speech as ITU-T G.711 appendix I does: the last pitch period over and over, two and three of them as the hole goes on, so that a voice
/// does not turn into a buzz; 20 % weaker every 10 ms after the first ten, silent after sixty. Works on blocks of 10 ms at 8 kHz.
/// <code>
///   heard ......... last period │ period period  2 periods   3 periods ... fading │ heard
///              quarter period ╲╱│                                       window ╲╱
/// </code>
/// Every seam is an overlap-add of a quarter period. The appendix delays all audio by that much to get hold of the first one; here whoever feeds the blocks says
/// when nothing follows one, so nothing is delayed. Not thread-safe; allocates nothing after the start.
/// </summary>
public sealed class LossConcealer
{
    public const int BlockSamples = 80;
    private const int MinPitch = 40, MaxPitch = 120;       // 200 Hz to 66 Hz, as in the appendix
    private const int MaxPeriods = 3;
    private const int MaxQuarter = MaxPitch / 4;
    private const int HistorySamples = MaxPeriods * MaxPitch + MaxQuarter; // 48.75 ms
    private const int CompareSamples = 160;
    private const int FadeBlocks = 6;
    private const float FadePerBlock = 0.2f;
    private const int JoinPerBlock = 32;                   // the way back takes 4 ms more for every 10 ms lost
    private const float LeastEnergy = 250;                 // below it a lag is not worth more than another

    private readonly short[] history = new short[HistorySamples];
    private readonly float[] voice = new float[HistorySamples]; // the history as it was when the hole began, its end made to fit the beginning of what is repeated
    private readonly float[] ending = new float[MaxQuarter];    // its end as it was
    private bool isReady;                                       // voice and ending are of this hole
    private bool hasHeard;                                      // before, there is nothing to go on with, and no seam
    private int lostBlocks, pitch, periods, at;

    private int Quarter => pitch / 4;
    private int Repeated => pitch * periods;

    /// <summary>Real audio: joined smoothly after a hole, and remembered.</summary>
    /// <param name="nothingFollows">What comes next is not there yet: the end of this block already leads over. Harmless when it comes after all.</param>
    public void Accept(Span<short> block, bool nothingFollows = false)
    {
        if (isReady) Join(block);
        (lostBlocks, isReady, hasHeard) = (0, false, true);
        Remember(block);
        if (!nothingFollows) return;
        Begin();
        for (var i = 0; i < Quarter; i++) block[block.Length - Quarter + i] = (short)voice[HistorySamples - Quarter + i];
        block[^Quarter..].CopyTo(history.AsSpan(HistorySamples - Quarter));
    }

    /// <summary>No audio came: make some up.</summary>
    public void Conceal(Span<short> block)
    {
        if (!hasHeard)
        {
            block.Clear();
            return;
        }
        if (!isReady) Begin();
        if (lostBlocks >= FadeBlocks) block.Clear();
        else Invent(block);
        if (lostBlocks < FadeBlocks) lostBlocks++;
        Remember(block);
    }

    public void Reset()
    {
        Array.Clear(history);
        (lostBlocks, isReady, hasHeard) = (0, false, false);
    }

    private void Remember(ReadOnlySpan<short> block)
    {
        history.AsSpan(block.Length).CopyTo(history);
        block.CopyTo(history.AsSpan(HistorySamples - block.Length));
    }

    private void Begin()
    {
        for (var i = 0; i < HistorySamples; i++) voice[i] = history[i];
        pitch = FindPitch(voice);
        voice.AsSpan(HistorySamples - Quarter).CopyTo(ending);
        (isReady, at) = (true, 0);
        Repeat(1);
    }

    // The end of what is repeated turns into what stands before its beginning: then it may begin again.
    private void Repeat(int count)
    {
        periods = count;
        var end = voice.AsSpan(HistorySamples - Quarter, Quarter);
        ending.AsSpan(0, Quarter).CopyTo(end);
        OverlapAdd(end, voice.AsSpan(HistorySamples - Repeated - Quarter, Quarter), end);
    }

    private void Invent(Span<short> block)
    {
        Span<float> made = stackalloc float[BlockSamples];
        if (lostBlocks is > 0 and < MaxPeriods) RepeatMore(made);
        else Take(made);
        Fade(made, block);
    }

    // One period more, in step with the one that is under way.
    private void RepeatMore(Span<float> made)
    {
        Span<float> before = stackalloc float[MaxQuarter];
        before = before[..Quarter];
        var began = at;
        Take(before);
        at = began % pitch;
        Repeat(lostBlocks + 1);
        Take(made);
        OverlapAdd(before, made[..Quarter], made);
    }

    private void Take(Span<float> made)
    {
        var source = voice.AsSpan(HistorySamples - Repeated, Repeated);
        for (var i = 0; i < made.Length; i++)
        {
            made[i] = source[at];
            if (++at == source.Length) at = 0;
        }
    }

    private void Fade(ReadOnlySpan<float> made, Span<short> block)
    {
        var (gain, step) = lostBlocks == 0 ? (1f, 0f) : (1f - FadePerBlock * (lostBlocks - 1), FadePerBlock / BlockSamples);
        for (var i = 0; i < made.Length; i++) block[i] = (short)(made[i] * MathF.Max(0, gain - step * i));
    }

    private void Join(Span<short> block)
    {
        Span<short> invented = stackalloc short[BlockSamples];
        invented = invented[..Math.Min(BlockSamples, Quarter + JoinPerBlock * Math.Max(0, lostBlocks - 1))];
        if (lostBlocks >= FadeBlocks) invented.Clear();
        else GoOn(invented);
        for (var i = 0; i < invented.Length; i++)
        {
            block[i] = (short)((invented[i] * (invented.Length - i) + block[i] * i) / invented.Length);
        }
    }

    private void GoOn(Span<short> invented)
    {
        Span<float> made = stackalloc float[BlockSamples];
        made = made[..invented.Length];
        Take(made);
        Fade(made, invented);
    }

    private static void OverlapAdd(ReadOnlySpan<float> leaving, ReadOnlySpan<float> coming, Span<float> target)
    {
        for (var i = 0; i < leaving.Length; i++)
        {
            var weight = (i + 1f) / (leaving.Length + 1);
            target[i] = leaving[i] * (1 - weight) + coming[i] * weight;
        }
    }

    // The lag at which the last 20 ms look most like what came before them: first every other lag on every other sample, as the
    // appendix does, then the neighbours of the best one. A leg with heavy loss searches in every frame, so it has to be cheap.
    private static int FindPitch(ReadOnlySpan<float> heard)
    {
        var whole = heard[^(CompareSamples + MaxPitch)..];
        Span<float> half = stackalloc float[(CompareSamples + MaxPitch) / 2];
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
            var score = Dot(tail, earlier) / MathF.Sqrt(MathF.Max(LeastEnergy, Dot(earlier, earlier)));
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
