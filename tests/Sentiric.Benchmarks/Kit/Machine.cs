using System.Globalization;
using System.Runtime.InteropServices;

namespace Sentiric.Benchmarks.Kit;

/// <summary>Where the figures come from: without it they mean nothing.</summary>
public static class Machine
{
    public static string Describe()
    {
        var gigabytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1L << 30);
        var date = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
        return $"Machine: {Processor()}, {Environment.ProcessorCount} cores, {Figure.Of(gigabytes)} GB, "
            + $"{RuntimeInformation.FrameworkDescription}, load {Load()}. Date: {date}. Commit: {Commit()}.";
    }

    private static string Processor() =>
        Lines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal)) is { } line
            ? line[(line.IndexOf(':') + 1)..].Trim()
            : RuntimeInformation.ProcessArchitecture.ToString();

    /// <summary>The load of the last minute, this run included: well over 1 on a machine that had other work.</summary>
    private static string Load() => Lines("/proc/loadavg").FirstOrDefault()?.Split(' ')[0] ?? "?";

    private static string Commit()
    {
        var head = Lines(Path.Combine(Places.Root, ".git", "HEAD")).FirstOrDefault() ?? "?";
        if (head.StartsWith("ref: ", StringComparison.Ordinal)) head = Lines(Path.Combine(Places.Root, ".git", head[5..])).FirstOrDefault() ?? "?";
        return head[..Math.Min(10, head.Length)];
    }

    private static IEnumerable<string> Lines(string path) => File.Exists(path) ? File.ReadLines(path) : [];
}
