using System.Globalization;

namespace Sentiric.Cli.Commands.Events;

/// <summary>Moments as people type them: "10m", "2h" or "3d" ago, or a date and time.</summary>
internal static class Moments
{
    /// <summary>The option's moment as the API takes it; null when it is not given. A time without an offset is local.</summary>
    public static string? Option(Session session, string name) =>
        session.Arguments.Option(name) is not { } text ? null
        : Parse(text, session.Time) is { } at ? at.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture)
        : throw new UsageException($"{name} {text} is no time: 30s, 10m, 2h, 3d (ago) or 2026-03-02T09:00+03:00.");

    public static DateTimeOffset? Parse(string text, TimeProvider time)
    {
        if (Ago(text) is { } ago) return time.GetUtcNow() - ago;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out var at) ? at : null;
    }

    private static TimeSpan? Ago(string text)
    {
        if (text.Length < 2 || !uint.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count > 100_000) return null;
        return text[^1] switch
        {
            's' => TimeSpan.FromSeconds(count),
            'm' => TimeSpan.FromMinutes(count),
            'h' => TimeSpan.FromHours(count),
            'd' => TimeSpan.FromDays(count),
            _ => null,
        };
    }
}
