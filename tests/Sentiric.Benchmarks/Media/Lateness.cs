using System.Diagnostics;
using Sentiric.Benchmarks.Kit;
using Sentiric.Media;

namespace Sentiric.Benchmarks.Media;

/// <summary>
/// When the ticks of a leg came, on the pacing thread, without allocating. The earliest tick defines the deadlines: every 20 ms from there,
/// so a drift shows as growing lateness.
/// </summary>
public sealed class Lateness(int maxTicks)
{
    private readonly long[] at = new long[maxTicks];
    private int count;

    public void Hear(MediaFrame frame)
    {
        if (count < at.Length) at[count++] = Stopwatch.GetTimestamp() - frame.Index * 20 * (Stopwatch.Frequency / 1_000);
    }

    public (double P50Ms, double P99Ms, double DriftMs) Read()
    {
        var offsets = at.Take(count).Select(t => t * 1_000.0 / Stopwatch.Frequency).ToArray();
        if (offsets.Length < 2) return (0, 0, 0);
        var (earliest, half) = (offsets.Min(), offsets.Length / 2);
        return (
            Samples.Percentile(offsets.Select(o => o - earliest), 0.5), Samples.Percentile(offsets.Select(o => o - earliest), 0.99),
            offsets.Skip(half).Min() - offsets.Take(half).Min());
    }
}
