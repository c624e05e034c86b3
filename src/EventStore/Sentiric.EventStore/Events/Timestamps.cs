namespace Sentiric.EventStore;

internal static class Timestamps
{
    private static readonly DateTime PostgresEpoch = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>A timestamp with time zone as PostgreSQL sends it in binary: microseconds since 2000, UTC.</summary>
    public static DateTime FromPostgres(long microseconds) => PostgresEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);

    /// <summary>Now, in UTC, cut to the microseconds that the storage keeps, so that what is returned equals what is read back.</summary>
    public static DateTimeOffset Now(TimeProvider clock)
    {
        var now = clock.GetUtcNow().ToUniversalTime();
        return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
    }
}
