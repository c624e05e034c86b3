using System.Diagnostics;
using Sentiric.Benchmarks.Kit;
using Sentiric.Media;

namespace Sentiric.Benchmarks.Media;

/// <summary>
/// When the ticks of a leg came, on the media thread, without allocating. The earliest tick defines the deadlines: every 20 ms from there,
/// so a drift shows as growing lateness.
/// </summary>
public sealed class Lateness(int maxTicks)
{
    private readonly long[] at = new long[maxTicks];
    private int count;
    private volatile bool begun;

    /// <summary>What came before was warming up.</summary>
    public void Begin() => begun = true;

    public void Hear(MediaFrame frame)
    {
        if (begun && count < at.Length) at[count++] = Stopwatch.GetTimestamp() - frame.Index * 20 * (Stopwatch.Frequency / 1_000);
    }

    /// <summary>Lateness over all ticks of all legs, each against its own deadlines; the largest drift of a leg.</summary>
    public static (double P50Ms, double P99Ms, double DriftMs) Read(IReadOnlyList<Lateness> legs)
    {
        var late = legs.SelectMany(leg => leg.OverDeadlines()).ToArray();
        return (Samples.Percentile(late, 0.5), Samples.Percentile(late, 0.99), legs.Max(leg => leg.Drift()));
    }

    private double[] OverDeadlines()
    {
        var offsets = Offsets();
        return offsets.Length == 0 ? [] : Subtract(offsets, offsets.Min());
    }

    private static double[] Subtract(double[] offsets, double earliest) => [.. offsets.Select(o => o - earliest)];

    private double Drift()
    {
        var (offsets, half) = (Offsets(), count / 2);
        return offsets.Length < 2 ? 0 : offsets.Skip(half).Min() - offsets.Take(half).Min();
    }

    private double[] Offsets() => [.. at.Take(count).Select(t => t * 1_000.0 / Stopwatch.Frequency)];
}
