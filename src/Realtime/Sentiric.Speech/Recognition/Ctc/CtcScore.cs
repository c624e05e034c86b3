namespace Sentiric.Speech;

/// <summary>
/// How well a given text fits given sound: the CTC forward score (Graves et al., 2006). Frames lie one after another, blank first in each;
/// scores are natural logarithms.
/// </summary>
internal static class CtcScore
{
    /// <summary>The probability of the text over all its alignments.</summary>
    public static double Forward(ReadOnlySpan<float> frames, int width, ReadOnlySpan<int> symbols) => Score(frames, width, symbols, bestPathOnly: false);

    /// <summary>The probability of the best alignment alone: a close bound that needs no exponentials.</summary>
    public static double BestPath(ReadOnlySpan<float> frames, int width, ReadOnlySpan<int> symbols) => Score(frames, width, symbols, bestPathOnly: true);

    /// <summary>The probability of the best path through any letters at all: no text can do better along one path.</summary>
    public static double Unconstrained(ReadOnlySpan<float> frames, int width)
    {
        double sum = 0;
        for (; frames.Length >= width; frames = frames[width..])
        {
            sum += Largest(frames[..width]);
        }

        return sum;
    }

    private static float Largest(ReadOnlySpan<float> frame)
    {
        float largest = frame[0];
        foreach (float value in frame)
        {
            largest = Math.Max(largest, value);
        }

        return largest;
    }

    private static double Score(ReadOnlySpan<float> frames, int width, ReadOnlySpan<int> symbols, bool bestPathOnly)
    {
        // states: blank, first letter, blank, second letter, ... blank
        int states = (2 * symbols.Length) + 1;
        var now = new double[states];
        var before = new double[states];
        Array.Fill(before, double.NegativeInfinity);
        before[0] = 0;
        for (; frames.Length >= width; frames = frames[width..])
        {
            for (int state = 0; state < states; state++)
            {
                double from = before[state];
                if (state > 0)
                {
                    from = Join(from, before[state - 1], bestPathOnly);
                }

                if (state > 1 && (state & 1) == 1 && symbols[state >> 1] != symbols[(state >> 1) - 1])
                {
                    from = Join(from, before[state - 2], bestPathOnly);
                }

                int label = (state & 1) == 0 ? 0 : symbols[state >> 1] + 1;
                now[state] = from + frames[label];
            }

            (now, before) = (before, now);
        }

        return states == 1 ? before[0] : Join(before[^1], before[^2], bestPathOnly);
    }

    private static double Join(double a, double b, bool bestPathOnly) => bestPathOnly ? Math.Max(a, b) : PrefixBeam.LogAdd(a, b);
}
