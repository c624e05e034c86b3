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

    public static string Number(double? value, string format = "0.##") => value?.ToString(format, CultureInfo.InvariantCulture) ?? "-";

    public static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:0} %");

    public static string Pairs(IReadOnlyDictionary<string, string> values) => string.Join(", ", values.Select(v => $"{v.Key} {v.Value}"));
}
