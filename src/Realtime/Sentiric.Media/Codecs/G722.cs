namespace Sentiric.Media;

/// <summary>
/// One sub-band of ITU-T G.722: an adaptive quantiser's step and a predictor of two poles and six zeros, in the integer arithmetic of the recommendation's
/// block diagrams (section 3 and 4). A struct, so that a codec is one object. Names are those of the recommendation.
/// </summary>
internal struct G722Band
{
    private const int Zeros = 6;

    private int sl, szl, nb;
    private int a1, a2, r1, r2, p1, p2;
    private Taps b, d;

    /// <summary>Quantiser step (DETL, DETH).</summary>
    public int Step { get; private set; }

    /// <summary>What the band is expected to be (SL, SH).</summary>
    public readonly int Expected => sl;

    public static G722Band Low => new() { Step = 32 };

    public static G722Band High => new() { Step = 8 };

    /// <summary>LOGSCL or LOGSCH, then SCALEL or SCALEH: the step follows the size of what was quantised.</summary>
    /// <param name="shift">8 for the lower band, 10 for the higher.</param>
    public void Scale(int weight, int upper, int shift)
    {
        nb = Math.Clamp((nb * 127 >> 7) + weight, 0, upper);
        var exponent = shift - (nb >> 11);
        var mantissa = InverseLog[nb >> 6 & 31];
        Step = (exponent < 0 ? mantissa << -exponent : mantissa >> exponent) << 2;
    }

    /// <summary>BLOCK4: takes a quantised difference and adapts the predictor.</summary>
    public void Adapt(int difference)
    {
        var r0 = Saturate(sl + difference);
        var p0 = Saturate(szl + difference);
        AdaptPoles(p0);
        AdaptZeros(difference);
        (r2, r1, p2, p1) = (r1, r0, p1, p0);
        var poles = Saturate((a1 * Saturate(r1 + r1) >> 15) + (a2 * Saturate(r2 + r2) >> 15));
        var sum = 0;
        for (var i = Zeros - 1; i >= 0; i--) sum += b[i] * Saturate(d[i] + d[i]) >> 15;
        szl = Saturate(sum);
        sl = Saturate(poles + szl);
    }

    public static int Saturate(int value) => Math.Clamp(value, short.MinValue, short.MaxValue);

    // UPPOL2, UPPOL1
    private void AdaptPoles(int p0)
    {
        var twist = Saturate(a1 << 2);
        if (p0 >> 15 == p1 >> 15) twist = -twist;
        twist = Math.Min(twist, short.MaxValue);
        var second = Math.Clamp((p0 >> 15 == p2 >> 15 ? 128 : -128) + (twist >> 7) + (a2 * 32_512 >> 15), -12_288, 12_288);
        var bound = Saturate(15_360 - second);
        var first = Saturate((p0 >> 15 == p1 >> 15 ? 192 : -192) + (a1 * 32_640 >> 15));
        (a1, a2) = (Math.Clamp(first, -bound, bound), second);
    }

    // UPZERO, DELAYA
    private void AdaptZeros(int difference)
    {
        var step = difference == 0 ? 0 : 128;
        for (var i = Zeros - 1; i >= 0; i--)
        {
            b[i] = Saturate((d[i] >> 15 == difference >> 15 ? step : -step) + (b[i] * 32_640 >> 15));
        }
        for (var i = Zeros - 1; i > 0; i--) d[i] = d[i - 1];
        d[0] = difference;
    }

    // ILB: 2048 x 2^(i/32)
    private static readonly short[] InverseLog =
    [
        2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
        2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
    ];

    [System.Runtime.CompilerServices.InlineArray(Zeros)]
    private struct Taps
    {
        private int first;
    }
}

/// <summary>What both ends of G.722 share: tables 11 to 20 of the recommendation.</summary>
internal static class G722Tables
{
    /// <summary>The 24-tap quadrature mirror filter (table 11), every other coefficient mirrored.</summary>
    public static readonly short[] Mirror =
    [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];

    /// <summary>Decision levels of the lower band (Q6).</summary>
    public static readonly short[] Decisions =
    [
        0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714,
        786, 858, 940, 1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
    ];

    public static readonly byte[] CodeOfNegative =
    [0, 63, 62, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4];

    public static readonly byte[] CodeOfPositive =
    [0, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32];

    /// <summary>What a 4-bit code of the lower band stands for (QM4); the predictor sees no more than four bits.</summary>
    public static readonly short[] Low4 =
    [0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0];

    /// <summary>What a 6-bit code stands for (QM6); the listener gets all six.</summary>
    public static readonly short[] Low6 =
    [
        -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360, -8576, -7856,
        -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040, -728,
        24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456,
        4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
    ];

    public static readonly short[] High2 =
    [-7408, -1616, 7408, 1616];

    /// <summary>How a 4-bit code changes the step of the lower band (WL over RL4).</summary>
    public static readonly short[] LowWeight =
    [-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60];

    public static readonly short[] HighWeight =
    [798, -214, 798, -214];

    public const int LowUpper = 18_432, HighUpper = 22_528;
    public const int LowShift = 8, HighShift = 10;
}

/// <summary>ITU-T G.722 at 64 kbit/s: 16 kHz samples in, one octet for each two. Not thread-safe; one per direction of a leg.</summary>
public sealed class G722Encoder
{
    private readonly short[] history = new short[24];
    private G722Band low = G722Band.Low, high = G722Band.High;

    /// <summary>Encodes an even number of samples; answers the octets written, half as many.</summary>
    public int Encode(ReadOnlySpan<short> pcm16k, Span<byte> encoded)
    {
        for (var i = 0; i + 1 < pcm16k.Length; i += 2) encoded[i / 2] = EncodePair(pcm16k[i], pcm16k[i + 1]);
        return pcm16k.Length / 2;
    }

    private byte EncodePair(short first, short second)
    {
        history.AsSpan(2).CopyTo(history);
        (history[22], history[23]) = (first, second);
        var (odd, even) = (0, 0);
        for (var i = 0; i < 12; i++)
        {
            odd += history[2 * i] * G722Tables.Mirror[i];
            even += history[2 * i + 1] * G722Tables.Mirror[11 - i];
        }
        return (byte)(EncodeHigh((even - odd) >> 14) << 6 | EncodeLow((even + odd) >> 14));
    }

    private int EncodeLow(int sample)
    {
        var error = G722Band.Saturate(sample - low.Expected);
        var size = error >= 0 ? error : -(error + 1);
        var level = 1;
        while (level < G722Tables.Decisions.Length && size >= G722Tables.Decisions[level] * low.Step >> 12) level++;
        var code = error < 0 ? G722Tables.CodeOfNegative[level] : G722Tables.CodeOfPositive[level];
        var difference = low.Step * G722Tables.Low4[code >> 2] >> 15;
        low.Scale(G722Tables.LowWeight[code >> 2], G722Tables.LowUpper, G722Tables.LowShift);
        low.Adapt(difference);
        return code;
    }

    private int EncodeHigh(int sample)
    {
        var error = G722Band.Saturate(sample - high.Expected);
        var size = error >= 0 ? error : -(error + 1);
        var isLarge = size >= 564 * high.Step >> 12;
        var code = (error < 0, isLarge) switch { (true, true) => 0, (true, false) => 1, (false, true) => 2, (false, false) => 3 };
        var difference = high.Step * G722Tables.High2[code] >> 15;
        high.Scale(G722Tables.HighWeight[code], G722Tables.HighUpper, G722Tables.HighShift);
        high.Adapt(difference);
        return code;
    }
}

/// <summary>The other end of <see cref="G722Encoder"/>.</summary>
public sealed class G722Decoder
{
    private readonly int[] history = new int[24];
    private G722Band low = G722Band.Low, high = G722Band.High;

    /// <summary>Decodes octets to twice as many 16 kHz samples.</summary>
    public int Decode(ReadOnlySpan<byte> encoded, Span<short> pcm16k)
    {
        for (var i = 0; i < encoded.Length; i++) DecodePair(encoded[i], pcm16k.Slice(2 * i, 2));
        return 2 * encoded.Length;
    }

    private void DecodePair(byte code, Span<short> pair)
    {
        var (lower, higher) = (DecodeLow(code & 0x3F), DecodeHigh(code >> 6));
        history.AsSpan(2).CopyTo(history);
        (history[22], history[23]) = (lower + higher, lower - higher);
        var (first, second) = (0, 0);
        for (var i = 0; i < 12; i++)
        {
            second += history[2 * i] * G722Tables.Mirror[i];
            first += history[2 * i + 1] * G722Tables.Mirror[11 - i];
        }
        pair[0] = (short)G722Band.Saturate(first >> 11);
        pair[1] = (short)G722Band.Saturate(second >> 11);
    }

    private int DecodeLow(int code)
    {
        var heard = Math.Clamp(low.Expected + (low.Step * G722Tables.Low6[code] >> 15), -16_384, 16_383);
        var difference = low.Step * G722Tables.Low4[code >> 2] >> 15;
        low.Scale(G722Tables.LowWeight[code >> 2], G722Tables.LowUpper, G722Tables.LowShift);
        low.Adapt(difference);
        return heard;
    }

    private int DecodeHigh(int code)
    {
        var difference = high.Step * G722Tables.High2[code] >> 15;
        var heard = Math.Clamp(high.Expected + difference, -16_384, 16_383);
        high.Scale(G722Tables.HighWeight[code], G722Tables.HighUpper, G722Tables.HighShift);
        high.Adapt(difference);
        return heard;
    }
}
