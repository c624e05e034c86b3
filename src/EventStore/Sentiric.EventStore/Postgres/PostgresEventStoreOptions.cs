namespace Sentiric.EventStore;

/// <summary>What differs between installations.</summary>
public sealed record PostgresEventStoreOptions
{
    /// <summary>A Marten host appends to the same database: holes in the order wait for <see cref="ForeignStaleThreshold"/> before they count as dead.</summary>
    public bool ForeignWriters { get; init; }

    public TimeSpan ForeignStaleThreshold { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Look for other processes' events at least this often while waiting, in case a wake-up was lost.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>While a number is missing that may still come, look this often.</summary>
    public TimeSpan HoleInterval { get; init; } = TimeSpan.FromMilliseconds(20);
}
