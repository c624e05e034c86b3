namespace Sentiric.EventStore;

internal static class Timestamps
{
    /// <summary>Now, in UTC, cut to the microseconds that the storage keeps, so that what is returned equals what is read back.</summary>
    public static DateTimeOffset Now(TimeProvider clock)
    {
        var now = clock.GetUtcNow().ToUniversalTime();
        return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
    }
}
