namespace Sentiric.Media;

/// <summary>
/// Comfort noise (RFC 3389): a packet says how loud the silence is and, optionally, what it sounds like; the listener makes noise like it until speech comes back.
/// <code> | level 0 to 127, -dBov | quantised reflection coefficients of order 1 … M </code>
/// Not thread-safe; allocates nothing after the start.
/// </summary>
public sealed class ComfortNoise
{
    public const int PayloadType = 13;         // static, at 8 kHz (RFC 3551 table 4)
    public const string EncodingName = "CN";
    public const int MaxOrder = 10;
    private const int MaxLevel = 127;
    private const double QuantiserStep = 258.0 / 32_768; // k = 258 (N - 127) / 32768, section 3.2
    private const int QuantiserZero = 127;

    private readonly float[] reflection = new float[MaxOrder];
    private readonly float[] lattice = new float[MaxOrder + 1];
    private int order;
    private double gain;
    private uint dice = 0x2545F491;

    /// <summary>Whether the remote party fell silent in this way.</summary>
    public bool IsOn { get; private set; }

    /// <summary>A packet came: from now on noise of this kind. False, with nothing changed, when it is empty.</summary>
    public bool Take(ReadOnlySpan<byte> payload)
    {
        if (payload.IsEmpty) return false;
        var level = payload[0] & MaxLevel;
        order = Math.Min(MaxOrder, payload.Length - 1);
        var shrink = 1.0;
        for (var i = 0; i < order; i++)
        {
            var k = Math.Clamp((payload[1 + i] - QuantiserZero) * QuantiserStep, -0.99, 0.99);
            reflection[i] = (float)k;
            shrink *= 1 - k * k;
        }
        // 0 dBov is the level of a square wave at full scale. What goes into the filter is weaker by what the filter adds.
        var rms = short.MaxValue * Math.Pow(10, -level / 20.0);
        gain = rms * Math.Sqrt(shrink) * Math.Sqrt(3);
        IsOn = true;
        return true;
    }

    /// <summary>Speech is back.</summary>
    public void Stop() => IsOn = false;

    /// <summary>Makes noise as told last.</summary>
    public void Fill(Span<short> frame)
    {
        for (var i = 0; i < frame.Length; i++) frame[i] = (short)Math.Clamp(Next(), short.MinValue, short.MaxValue);
    }

    /// <summary>Describes a frame of silence; answers the bytes written: 1 + <paramref name="order"/>.</summary>
    /// <param name="order">0 to 10; 0 tells the level alone.</param>
    public static int Describe(ReadOnlySpan<short> frame, int order, Span<byte> payload)
    {
        Span<double> correlation = stackalloc double[MaxOrder + 1];
        for (var lag = 0; lag <= order; lag++)
        {
            double sum = 0;
            for (var i = lag; i < frame.Length; i++) sum += (double)frame[i] * frame[i - lag];
            correlation[lag] = sum;
        }
        var rms = Math.Sqrt(correlation[0] / Math.Max(1, frame.Length));
        payload[0] = (byte)(rms < 1e-3 ? MaxLevel : Math.Clamp((int)Math.Round(-20 * Math.Log10(rms / short.MaxValue)), 0, MaxLevel));
        Span<double> k = stackalloc double[MaxOrder];
        Reflect(correlation, k[..order]);
        for (var i = 0; i < order; i++) payload[1 + i] = (byte)Math.Clamp((int)Math.Round(k[i] / QuantiserStep) + QuantiserZero, 0, 254);
        return 1 + order;
    }

    // Levinson and Durbin: reflection coefficients with the sign of RFC 3389, k1 = -r1 / r0.
    private static void Reflect(ReadOnlySpan<double> correlation, Span<double> k)
    {
        Span<double> a = stackalloc double[MaxOrder + 1];
        Span<double> b = stackalloc double[MaxOrder + 1];
        a.Clear();
        a[0] = 1;
        var error = correlation[0];
        for (var i = 1; i <= k.Length; i++)
        {
            if (error <= 1e-9)
            {
                k[(i - 1)..].Clear();
                return;
            }
            double sum = 0;
            for (var j = 0; j < i; j++) sum += a[j] * correlation[i - j];
            var coefficient = -sum / error;
            k[i - 1] = coefficient;
            a.CopyTo(b);
            for (var j = 1; j <= i; j++) a[j] = b[j] + coefficient * b[i - j];
            error *= 1 - coefficient * coefficient;
        }
    }

    // White noise through the all-pole lattice of the reflection coefficients.
    private double Next()
    {
        dice ^= dice << 13;
        dice ^= dice >> 17;
        dice ^= dice << 5;
        var forward = (float)(gain * (dice / (double)uint.MaxValue * 2 - 1));
        for (var i = order; i >= 1; i--)
        {
            forward -= reflection[i - 1] * lattice[i - 1];
            lattice[i] = lattice[i - 1] + reflection[i - 1] * forward;
        }
        lattice[0] = forward;
        return forward;
    }
}
