using System.Globalization;

namespace Sentiric.EventStore.Proofs;

/// <summary>Moments as PostgreSQL keeps them: microseconds since 2000-01-01 UTC, with its two infinities; and as text.</summary>
public static class AuditTime
{
    private const string Format = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";
    private const string Infinity = "infinity";
    private const string MinusInfinity = "-infinity";
    private static readonly DateTime Epoch = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly long First = Microseconds(DateTime.MinValue);
    private static readonly long Last = Microseconds(DateTime.MaxValue);

    public static string Text(DateTimeOffset moment) => moment.UtcDateTime.ToString(Format, CultureInfo.InvariantCulture);

    /// <summary>Beyond the calendar of this program the bare number, with an @ in front.</summary>
    public static string Text(long microseconds) => microseconds switch
    {
        long.MaxValue => Infinity,
        long.MinValue => MinusInfinity,
        _ when microseconds < First || microseconds > Last => "@" + microseconds.ToString(CultureInfo.InvariantCulture),
        _ => Epoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond).ToString(Format, CultureInfo.InvariantCulture),
    };

    /// <summary>Null when the text is none that <see cref="Text(long)"/> writes.</summary>
    public static long? Parse(string text) => text switch
    {
        Infinity => long.MaxValue,
        MinusInfinity => long.MinValue,
        ['@', .. var number] => long.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var bare) ? bare : null,
        _ => DateTime.TryParseExact(text, Format, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out var moment)
            ? Microseconds(moment)
            : null,
    };

    public static DateTimeOffset? Moment(string text) =>
        Parse(text) is { } microseconds && microseconds >= First && microseconds <= Last ? new DateTimeOffset(Epoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond)) : null;

    public static long Microseconds(DateTime moment) => (moment.Ticks - Epoch.Ticks) / TimeSpan.TicksPerMicrosecond;
}
