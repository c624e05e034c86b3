using System.Globalization;

namespace Sentiric.EventStore;

/// <summary>Stored names carry their version as a suffix from version 2 on: <c>call_started</c>, <c>call_started_v2</c>.</summary>
public static class StoredName
{
    public static string Of(string name, int version) =>
        version == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}_v{version}");

    public static (string Name, int Version) Parse(string storedName)
    {
        var at = storedName.LastIndexOf("_v", StringComparison.Ordinal);
        return at > 0
            && int.TryParse(storedName.AsSpan(at + 2), NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            && version > 1
                ? (storedName[..at], version)
                : (storedName, 1);
    }
}
