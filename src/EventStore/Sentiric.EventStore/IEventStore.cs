namespace Sentiric.EventStore;

/// <summary>
/// Streams of facts with optimistic concurrency, per tenant, and one global order over all of them.
/// Versions count from 1 in a stream; positions rise over the whole store and may have holes.
/// Every method throws <see cref="EventStoreUnavailableException"/> when the storage cannot be reached.
/// </summary>
public interface IEventStore
{
    /// <summary>Names, writes and reads the payloads of this store.</summary>
    IEventSerializer Serializer { get; }

    /// <summary>
    /// Appends all events or none. An empty list appends nothing and reports where the stream stands.
    /// Throws <see cref="WrongExpectedVersionException"/>, <see cref="StreamArchivedException"/>, <see cref="EventTooLargeException"/>,
    /// <see cref="AppendTooLargeException"/>, <see cref="StreamNameRejectedException"/>, <see cref="EventDataRejectedException"/>, <see cref="UnknownEventTypeException"/> and, when idempotent, <see cref="EventIdReusedException"/>.
    /// </summary>
    ValueTask<AppendResult> AppendToStreamAsync(
        string tenant, string streamId, ExpectedVersion expected, IReadOnlyList<EventData> events,
        AppendOptions? options = null, CancellationToken ct = default);

    /// <summary>Appends to several streams, possibly of several tenants, all or nothing. A stream may be named once.</summary>
    ValueTask<IReadOnlyList<AppendResult>> AppendToStreamsAsync(
        string tenant, IReadOnlyList<StreamAppend> appends, CancellationToken ct = default);

    /// <summary>One stream from <paramref name="fromVersion"/> on, in order; empty when there is no such stream. Archived streams stay readable.</summary>
    IAsyncEnumerable<RecordedEvent> ReadStreamAsync(
        string tenant, string streamId, long fromVersion = 1, int maxCount = int.MaxValue, CancellationToken ct = default);

    /// <summary>
    /// Events of all tenants with a position greater than <paramref name="fromPosition"/>, in order.
    /// Never passes the high-water mark, so a reader that remembers the last position it saw misses nothing.
    /// </summary>
    IAsyncEnumerable<RecordedEvent> ReadAllAsync(long fromPosition, int maxCount, CancellationToken ct = default);

    ValueTask<StreamState?> GetStreamStateAsync(string tenant, string streamId, CancellationToken ct = default);

    /// <summary>Closes the stream for appends; doing it twice is quiet. Returns false when there is no such stream.</summary>
    ValueTask<bool> ArchiveStreamAsync(string tenant, string streamId, CancellationToken ct = default);

    /// <summary>The position up to which every number is decided: stored for good or never to come.</summary>
    ValueTask<long> GetHighWaterMarkAsync(CancellationToken ct = default);

    /// <summary>Returns when the high-water mark is past <paramref name="afterPosition"/> or the time is up, whichever comes first.</summary>
    ValueTask WaitForChangeAsync(long afterPosition, TimeSpan timeout, CancellationToken ct = default);
}
