using Microsoft.Extensions.Logging;

namespace Sentiric.EventStore;

/// <summary>Everything the store ever logs, on one page.</summary>
internal static partial class LogMessages
{
    [LoggerMessage(1, LogLevel.Debug, "Subscription {Name} stopped")]
    public static partial void SubscriptionStopped(this ILogger logger, string name);

    [LoggerMessage(2, LogLevel.Warning, "Subscription {Name} was interrupted and starts over from its checkpoint")]
    public static partial void SubscriptionInterrupted(this ILogger logger, Exception failure, string name);

    [LoggerMessage(3, LogLevel.Error, "{Name} parked event {Position} of type {EventType} and goes on")]
    public static partial void EventParked(this ILogger logger, Exception failure, string name, long position, string eventType);

    [LoggerMessage(4, LogLevel.Warning, "The connection that listens for new events was lost; polling goes on")]
    public static partial void ListenerLost(this ILogger logger, Exception failure);

    [LoggerMessage(5, LogLevel.Warning, "Other processes could not be woken; they poll")]
    public static partial void NotifyFailed(this ILogger logger, Exception failure);

    [LoggerMessage(6, LogLevel.Information, "Projection {Name} is rebuilt: version {OldVersion} becomes {NewVersion}")]
    public static partial void ProjectionVersionChanged(this ILogger logger, string name, int oldVersion, int newVersion);

    [LoggerMessage(7, LogLevel.Information, "Projection {Name} was rebuilt up to position {Position}")]
    public static partial void ProjectionRebuilt(this ILogger logger, string name, long position);

    [LoggerMessage(8, LogLevel.Warning, "Projection {Name} was interrupted and starts over from its checkpoint")]
    public static partial void ProjectionInterrupted(this ILogger logger, Exception failure, string name);

    [LoggerMessage(9, LogLevel.Warning, "The append lane lost its connection and opens another")]
    public static partial void LaneConnectionLost(this ILogger logger, Exception failure);

    [LoggerMessage(10, LogLevel.Warning, "Numbers {From} to {To} were drawn by transactions that died; readers skip them")]
    public static partial void PositionsSkipped(this ILogger logger, long from, long to);

    [LoggerMessage(60, LogLevel.Information, "{Streams} streams were moved into file {File}")]
    public static partial void StreamsMovedToFile(this ILogger logger, int streams, string file);

    [LoggerMessage(40, LogLevel.Warning, "A further append lane could not be opened; those that are open serve all")]
    public static partial void LaneNotOpened(this ILogger logger, Exception failure);

    [LoggerMessage(41, LogLevel.Debug, "The database took an append back, try {Attempt}; it is tried again")]
    public static partial void AppendRetried(this ILogger logger, Exception failure, int attempt);

    [LoggerMessage(21, LogLevel.Error, "Projection {Name} stopped at event {Position} and waits to be resumed")]
    public static partial void ProjectionStopped(this ILogger logger, Exception failure, string name, long position);

    [LoggerMessage(22, LogLevel.Warning, "The look at the projections' orders was interrupted; they go on as they were told last")]
    public static partial void WatchInterrupted(this ILogger logger, Exception failure);

    [LoggerMessage(23, LogLevel.Error, "Subscription {Name} stopped at event {Position} and waits to be resumed")]
    public static partial void SubscriptionHalted(this ILogger logger, Exception failure, string name, long position);

    [LoggerMessage(80, LogLevel.Debug, "{Count} events signed up to position {Position}, block {Block}")]
    public static partial void EventsNotarised(this ILogger logger, int count, long position, long block);

    [LoggerMessage(81, LogLevel.Critical, "The notary signs nothing more")]
    public static partial void AuditRefused(this ILogger logger, Exception found);

    [LoggerMessage(82, LogLevel.Warning, "The notary was interrupted and starts over from the newest block")]
    public static partial void NotaryInterrupted(this ILogger logger, Exception failure);

    [LoggerMessage(83, LogLevel.Debug, "The notary stopped")]
    public static partial void NotaryStopped(this ILogger logger);
}
