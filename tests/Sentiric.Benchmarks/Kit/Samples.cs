namespace Sentiric.Benchmarks.Kit;

/// <summary>Order statistics.</summary>
public static class Samples
{
    public static double Median(IEnumerable<double> values) => Percentile(values, 0.5);

    /// <summary>The value that the given share of all values does not exceed; 0 without values.</summary>
    public static double Percentile(IEnumerable<double> values, double share)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? 0 : sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)];
    }
}
