using System.Net.Http;
using System.Net.Sockets;

namespace Sentiric.EventStore;

/// <summary>How a subscription reads, retries and gives up.</summary>
public sealed record SubscriptionOptions(string Name)
{
    public int BatchSize { get; init; } = 500;

    /// <summary>Tries per event before it is parked; transient failures do not count.</summary>
    public int MaxAttempts { get; init; } = 3;

    /// <summary>What becomes of an event that keeps failing.</summary>
    public ErrorPolicy OnError { get; init; } = ErrorPolicy.Park;

    /// <summary>Wait after the first failure; doubled with each further one up to <see cref="MaxRetryDelay"/>.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Look for new events at least this often, even when no wake-up came.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often a runner that does not own the shard asks for it, and one that does looks at what operators told.</summary>
    public TimeSpan OwnershipInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Where a subscription without a checkpoint starts; null: at the high-water mark of that moment.</summary>
    public long? StartAfter { get; init; } = 0;

    /// <summary>
    /// Failures of the world around, which pass: the same events are tried again until they succeed and nothing is parked.
    /// Everything else counts as a failure of the event itself.
    /// </summary>
    public Func<Exception, bool> IsTransient { get; init; } = IsTransientByDefault;

    public static bool IsTransientByDefault(Exception failure) => failure switch
    {
        EventStoreUnavailableException or TimeoutException or IOException or SocketException or HttpRequestException => true,
        // What an HttpClient throws when the other side does not answer.
        OperationCanceledException { InnerException: TimeoutException } => true,
        System.Data.Common.DbException database => database.IsTransient,
        AggregateException several => several.InnerExceptions.All(IsTransientByDefault),
        _ => false,
    };
}

public enum SubscriptionState
{
    Stopped,

    /// <summary>Another process owns the shard; this one stands by.</summary>
    StandingBy,
    Running,

    /// <summary>The last try failed; the same events will be tried again.</summary>
    Retrying,

    /// <summary>Somebody, or an event that could not be handled, stopped it; it goes on when it is resumed.</summary>
    Paused,
}

/// <summary>What a subscription says about itself. <see cref="Lag"/> counts positions, holes included.</summary>
public sealed record SubscriptionStatus(string Name, SubscriptionState State, long Position, long HighWaterMark, string? LastError)
{
    public long Lag => Math.Max(0, HighWaterMark - Position);
}
