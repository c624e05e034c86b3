namespace Sentiric.Media;

/// <summary>How losses are spread: bursts, in which packets are lost close together, and the gaps between them (RFC 3611 4.7.2).</summary>
/// <param name="BurstDensity">Share of lost packets inside bursts, in percent.</param>
/// <param name="GapDensity">Share of lost packets inside gaps, in percent.</param>
/// <param name="BurstMs">Mean length of a burst; 0 without one.</param>
public readonly record struct BurstGapSummary(double BurstDensity, double GapDensity, double BurstMs, double GapMs);

/// <summary>
/// Fed with one fate per 20 ms of a stream, in order: heard, or lost or too late. A gap is a stretch with at least
/// <see cref="Gmin"/> frames heard between losses; the counters and their names are those of RFC 3611 A.2. Not thread-safe.
/// </summary>
public sealed class BurstGap
{
    /// <summary>RFC 3611 4.7.2: recommended.</summary>
    public const int Gmin = 16;
    private const int FrameMs = 20;

    private Counts counts;

    public void Heard() => counts.SinceLoss++;

    public void Lost()
    {
        if (counts.SinceLoss >= Gmin) counts.LeaveGap();
        else counts.GoOn();
        counts.SinceLoss = 0;
    }

    /// <summary>The stretch that still runs counts as if it ended here.</summary>
    public BurstGapSummary Summary()
    {
        var closed = counts;
        if (closed.SinceLoss >= Gmin) closed.LeaveGap();
        return closed.Compute();
    }

    // Transitions between: 1 heard in a gap, 2 heard in a burst, 3 lost in a burst, 4 lost in a gap.
    private struct Counts
    {
        public long SinceLoss;
        private long lostInRow, c11, c13, c14, c22, c23, c33;

        public void LeaveGap()
        {
            if (lostInRow == 1) c14++;
            else c13++;
            (lostInRow, c11) = (1, c11 + SinceLoss);
        }

        public void GoOn()
        {
            lostInRow++;
            if (SinceLoss == 0) c33++;
            else (c23, c22) = (c23 + 1, c22 + SinceLoss - 1);
        }

        public readonly BurstGapSummary Compute()
        {
            var (c31, c32) = (c13, c23);
            var total = c11 + c14 + c13 + c22 + c23 + c31 + c32 + c33;
            var p32 = Share(c32, c31 + c32 + c33);
            var p23 = c22 + c23 < 1 ? 1 : 1 - Share(c22, c22 + c23);
            var gapDensity = 100 * Share(c14, c11 + c14);
            if (c13 == 0) return new BurstGapSummary(0, gapDensity, 0, FrameMs * total);
            var gapMs = (double)(c11 + c14 + c13) * FrameMs / c13;
            return new BurstGapSummary(100 * p23 / (p23 + p32), gapDensity, Math.Max(0, (double)total * FrameMs / c13 - gapMs), gapMs);
        }

        private static double Share(long part, long whole) => whole < 1 ? 0 : (double)part / whole;
    }
}
