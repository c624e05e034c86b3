using System.Runtime.Intrinsics;

namespace Sentiric.Media;

/// <summary>
/// Hears keys in the audio itself, for lines without telephone events: the eight tones of ITU-T Q.23 by Goertzel over blocks of 12.75 ms.
/// A block is a key when one row and one column stand out of all others, are about equally loud (Q.24: 8 dB one way, 4 dB the other), and are nearly all there is:
/// speech has other things beside them. A key is told once, when two blocks in a row agree; it may come again after two blocks without it.
/// The eight filters are the eight lanes of a vector: every leg listens all the time, and one filter after the other cost more than the rest of a leg.
/// Not thread-safe; allocates nothing after the start.
/// </summary>
public sealed class DtmfDetector
{
    private const int BlockSamples = 102;
    private const double LeastLevel = 100;             // rms of a tone, about -47 dBm0
    private const double NormalTwist = 6.3;            // power, 8 dB: the column may be weaker, lines lose the high tones
    private const double ReverseTwist = 2.5;           // power, 4 dB
    private const double OtherTones = 6.3;             // power over any other row or column, 8 dB
    private const double ShareOfAll = 0.85;            // of the block's energy; a pure pair has 1, one that is 1 % off its frequencies 0.86
    private const int BlocksForGone = 2;

    private static readonly double[] Hertz = [697, 770, 852, 941, 1_209, 1_336, 1_477, 1_633];
    private static readonly char[] Keys = [.. "123A456B789C*0#D"];
    private static readonly Vector256<float> Coefficients = Vector256.Create([.. Hertz.Select(f => (float)(2 * Math.Cos(2 * Math.PI * f / Tone.SampleRate)))]);

    private readonly float[] power = new float[Hertz.Length];
    private Vector256<float> last, before;
    private long energy;
    private int inBlock, agreeing, gone = BlocksForGone;
    private char candidate, held;

    /// <summary>The key that these samples told for the first time; null for none. Up to 160 samples at once.</summary>
    public char? Hear(ReadOnlySpan<short> pcm)
    {
        char? pressed = null;
        while (!pcm.IsEmpty)
        {
            var take = Math.Min(pcm.Length, BlockSamples - inBlock);
            Feed(pcm[..take]);
            pcm = pcm[take..];
            inBlock += take;
            if (inBlock == BlockSamples) pressed = EndBlock() ?? pressed;
        }
        return pressed;
    }

    public void Reset()
    {
        (held, candidate, agreeing, gone) = ('\0', '\0', 0, BlocksForGone);
        Clear();
    }

    private void Feed(ReadOnlySpan<short> pcm)
    {
        var (coefficients, one, two, squares) = (Coefficients, last, before, energy);
        foreach (var sample in pcm)
        {
            (one, two) = (Vector256.MultiplyAddEstimate(coefficients, one, Vector256.Create((float)sample) - two), one);
            squares += sample * sample;
        }
        (last, before, energy) = (one, two, squares);
    }

    private char? EndBlock()
    {
        var key = Decide();
        Clear();
        if (key == candidate && key != '\0') agreeing++;
        else (candidate, agreeing) = (key, key == '\0' ? 0 : 1);
        if (key != held && ++gone >= BlocksForGone) held = '\0';
        if (key == held && key != '\0') gone = 0;
        if (agreeing < 2 || candidate == held) return null;
        (held, gone) = (candidate, 0);
        return held;
    }

    private char Decide()
    {
        (last * last + before * before - Coefficients * last * before).CopyTo(power);
        var (row, column) = (Loudest(0), Loudest(4));
        // A sine of rms A gives A² N² / 2.
        var least = LeastLevel * LeastLevel * BlockSamples * BlockSamples / 2;
        if (power[row] < least || power[column] < least) return '\0';
        if (power[row] > power[column] * NormalTwist || power[column] > power[row] * ReverseTwist) return '\0';
        for (var tone = 0; tone < power.Length; tone++)
        {
            if (tone != row && tone != column && power[tone] * OtherTones > (tone < 4 ? power[row] : power[column])) return '\0';
        }
        var share = 2 * (power[row] + power[column]) / (BlockSamples * Math.Max(1.0, energy));
        return share < ShareOfAll ? '\0' : Keys[row * 4 + column - 4];
    }

    private int Loudest(int from)
    {
        var best = from;
        for (var tone = from + 1; tone < from + 4; tone++)
        {
            if (power[tone] > power[best]) best = tone;
        }
        return best;
    }

    private void Clear()
    {
        (last, before) = (Vector256<float>.Zero, Vector256<float>.Zero);
        (energy, inBlock) = (0, 0);
    }
}
