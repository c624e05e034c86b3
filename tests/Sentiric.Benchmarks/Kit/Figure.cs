using System.Globalization;

namespace Sentiric.Benchmarks.Kit;

/// <summary>Numbers as a table shows them: three digits that mean something.</summary>
public static class Figure
{
    public static string Of(double value) => Math.Abs(value) switch
    {
        0 => "0",
        >= 1_000 => value.ToString("N0", CultureInfo.InvariantCulture),
        >= 100 => value.ToString("0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.#", CultureInfo.InvariantCulture),
        >= 1 => value.ToString("0.##", CultureInfo.InvariantCulture),
        >= 0.001 => value.ToString("0.###", CultureInfo.InvariantCulture),
        _ => value.ToString("0.0e0", CultureInfo.InvariantCulture),
    };
}
