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
        else for (var i = 0; i < block.Length; i++) block[i] = NextInvented(i);
        if (lostBlocks < FadeBlocks) lostBlocks++;
    }

    public void Reset()
    {
        Array.Clear(history);
        lostBlocks = 0;
    }

    private void Join(Span<short> block)
    {
        for (var i = 0; i < JoinSamples; i++)
        {
            var invented = lostBlocks < FadeBlocks ? NextInvented(i) : 0;
            block[i] = (short)((block[i] * i + invented * (JoinSamples - i)) / JoinSamples);
        }
    }

    // Longer holes repeat more periods, or a voice turns into a buzz.
    private short NextInvented(int index)
    {
        var length = pitch * Math.Min(MaxPeriods, 1 + lostBlocks);
        var sample = history[HistorySamples - length + phase % length];
        phase++;
        var gain = lostBlocks == 0 ? 1.0 : 1.0 - 0.2 * (lostBlocks - 1 + (double)index / BlockSamples);
        return (short)(sample * Math.Max(0, gain));
    }

    // The lag at which the last 20 ms look most like what came before them.
    private int FindPitch()
    {
        var (best, bestScore) = (MaxPitch, double.MinValue);
        var tail = history.AsSpan(HistorySamples - CompareSamples);
        for (var lag = MinPitch; lag <= MaxPitch; lag++)
        {
            var earlier = history.AsSpan(HistorySamples - CompareSamples - lag, CompareSamples);
            double product = 0, energy = 1;
            for (var i = 0; i < CompareSamples; i++)
            {
                product += tail[i] * earlier[i];
                energy += earlier[i] * earlier[i];
            }
            var score = product / Math.Sqrt(energy);
            if (score > bestScore) (best, bestScore) = (lag, score);
        }
        return best;
    }
}
