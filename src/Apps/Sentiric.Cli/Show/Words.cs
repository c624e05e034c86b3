using System.Globalization;
using System.Text.Json;
using Sentiric.Contracts;

namespace Sentiric.Cli.Show;

/// <summary>Values as people read them.</summary>
internal static class Words
{
    /// <summary>The stable name of a closed list's member: "START_AI_CONVERSATION", "caller".</summary>
    public static string Name<T>(T member) where T : struct, Enum => JsonSerializer.Serialize(member, Wire.Json).Trim('"');

    public static string Name<T>(T? member) where T : struct, Enum => member is { } there ? Name(there) : "-";

    public static string Seconds(long ms) => string.Create(CultureInfo.InvariantCulture, $"{ms / 1000.0:0.0} s");

    public static string Time(DateTimeOffset? at) => at?.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) ?? "-";

    /// <summary>To the millisecond.</summary>
    public static string Precise(DateTimeOffset at) => at.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture);

    public static string ClockTime(DateTimeOffset at) => at.ToLocalTime().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);

    public static string Number(double? value, string format = "0.##") => value?.ToString(format, CultureInfo.InvariantCulture) ?? "-";

    /// <summary>12,345.</summary>
    public static string Grouped(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    public static string Bytes(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        var (value, unit) = ((double)bytes, 0);
        for (; value >= 1024 && unit < units.Length - 1; unit++) value /= 1024;
        return string.Create(CultureInfo.InvariantCulture, $"{(unit == 0 ? value.ToString("0", CultureInfo.InvariantCulture) : value.ToString("0.0", CultureInfo.InvariantCulture))} {units[unit]}");
    }

    /// <summary>A span by its largest two units: "850 ms", "12 s", "4 min 10 s", "3 h 5 min", "2 d 7 h".</summary>
    public static string Age(TimeSpan span) => span switch
    {
        { Ticks: < 0 } => "0 ms",
        { TotalSeconds: < 1 } => $"{span.Milliseconds} ms",
        { TotalMinutes: < 1 } => $"{span.Seconds} s",
        { TotalHours: < 1 } => $"{span.Minutes} min {span.Seconds} s",
        { TotalDays: < 1 } => $"{span.Hours} h {span.Minutes} min",
        _ => $"{(int)span.TotalDays} d {span.Hours} h",
    };

    public static string AgeOrNone(TimeSpan? span) => span is { } there ? Age(there) : "-";

    public static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:0} %");

    public static string Pairs(IReadOnlyDictionary<string, string> values) => string.Join(", ", values.Select(v => $"{v.Key} {v.Value}"));
}
