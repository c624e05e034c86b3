using Sentiric.EventStore;

namespace Sentiric.Write.Tests.Kit;

/// <summary>A store whose storage cannot be reached.</summary>
internal sealed class AwayStore : IEventStore
{
    public IEventSerializer Serializer { get; } = EventStoreSetup.EventTypes();

    public ValueTask<AppendResult> AppendToStreamAsync(
        string tenant, string streamId, ExpectedVersion expected, IReadOnlyList<EventData> events, AppendOptions? options = null, CancellationToken ct = default) =>
        throw Away();

    public ValueTask<IReadOnlyList<AppendResult>> AppendToStreamsAsync(string tenant, IReadOnlyList<StreamAppend> appends, CancellationToken ct = default) =>
        throw Away();

    public IAsyncEnumerable<RecordedEvent> ReadStreamAsync(
        string tenant, string streamId, long fromVersion = 1, int maxCount = int.MaxValue, CancellationToken ct = default) =>
        throw Away();

    public IAsyncEnumerable<RecordedEvent> ReadAllAsync(long fromPosition, int maxCount, CancellationToken ct = default) => throw Away();

    public ValueTask<StreamState?> GetStreamStateAsync(string tenant, string streamId, CancellationToken ct = default) => throw Away();

    public ValueTask<bool> ArchiveStreamAsync(string tenant, string streamId, CancellationToken ct = default) => throw Away();

    public ValueTask<long> GetHighWaterMarkAsync(CancellationToken ct = default) => throw Away();

    public ValueTask WaitForChangeAsync(long afterPosition, TimeSpan timeout, CancellationToken ct = default) => throw Away();

    private static EventStoreUnavailableException Away() => new("PostgreSQL does not answer.");
}
