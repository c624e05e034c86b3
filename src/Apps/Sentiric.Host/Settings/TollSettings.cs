using Microsoft.Extensions.Configuration;
using Sentiric.Sip;

namespace Sentiric.Host.Settings;

/// <summary>
/// What outgoing calls may cost: section Sip:Toll for all of them, Sip:Trunks:n:Toll for those over one trunk. :Allow and :Deny (comma separated beginnings of international
/// numbers, "90" or "+90", "*" for every number; the longest that fits decides), :MaxConcurrent 0..100000, :MinutesPerDay 0..10000000, :MinutesPerCall 1..1440,
/// :TimeZone of the day ("Europe/Istanbul"). Without Sip:Toll:Allow nothing may be called.
/// </summary>
internal sealed class TollSettings
{
    private const int MostCalls = 100_000, MostMinutes = 10_000_000, LongestCall = 1_440, LongestPrefix = 15;
    private static readonly string[] Known = ["Allow", "Deny", "MaxConcurrent", "MinutesPerDay", "MinutesPerCall", "TimeZone"];

    private readonly SettingsReader _read;

    private TollSettings(IConfigurationSection section)
    {
        _read = new(section);
        if (section.GetChildren().FirstOrDefault(one => !Known.Contains(one.Key, StringComparer.OrdinalIgnoreCase)) is { } unknown)
        {
            throw new SettingsException($"{_read.Name(unknown.Key)} is no rule for the cost of calls: {string.Join(", ", Known)} are.");
        }
    }

    /// <summary>For all calls: what is not allowed is forbidden.</summary>
    public static TollRules Overall(IConfigurationSection section) => new TollSettings(section).Rules("", 10, 600, 120);

    /// <summary>For the calls over one trunk; null: no more than for all.</summary>
    public static TollRules? OfTrunk(IConfigurationSection section) => section.Exists() ? new TollSettings(section).Rules("*", MostCalls, MostMinutes, LongestCall) : null;

    private TollRules Rules(string allow, int calls, int minutesPerDay, int minutesPerCall) => new()
    {
        Allow = [.. _read.List("Allow", allow).Select(one => Prefix("Allow", one))],
        Deny = [.. _read.List("Deny").Select(one => Prefix("Deny", one))],
        MaxConcurrent = _read.Number("MaxConcurrent", calls, 0, MostCalls),
        MaxPerDay = TimeSpan.FromMinutes(_read.Number("MinutesPerDay", minutesPerDay, 0, MostMinutes)),
        MaxCall = TimeSpan.FromMinutes(_read.Number("MinutesPerCall", minutesPerCall, 1, LongestCall)),
        Zone = Zone(),
    };

    private string Prefix(string key, string text)
    {
        var digits = text == "*" ? "" : text.TrimStart('+');
        return digits.Length <= LongestPrefix && digits.All(char.IsAsciiDigit) && (digits.Length > 0 || text == "*")
            ? digits
            : throw _read.Wrong(key, text, "beginnings of international numbers are needed, e.g. 90 or +90532, or * for every number");
    }

    private TimeZoneInfo Zone() => _read.Text("TimeZone") is not { } name ? TimeZoneInfo.Utc
        : TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) ? zone
        : throw _read.Wrong("TimeZone", "a time zone is needed, e.g. Europe/Istanbul");
}
