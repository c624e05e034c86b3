using System.Security.Cryptography;
using System.Text;
using Xunit;

namespace Sentiric.EventStore.Tests.Contract;

/// <summary>
/// Runs facts that name their streams in words against a store that takes guids: each name has one guid, in both directions.
/// </summary>
internal sealed class NamedStreams(IEventStore store) : IEventStore
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, string> _names = new(StringComparer.Ordinal);

    public IEventSerializer Serializer => store.Serializer;

    public static string IdOf(string name) => new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 16)).ToString("D");

    public async ValueTask<AppendResult> AppendToStreamAsync(
        string tenant, string streamId, ExpectedVersion expected, IReadOnlyList<EventData> events, AppendOptions? options = null, CancellationToken ct = default) =>
        Named(await RenamedAsync(() => store.AppendToStreamAsync(tenant, Id(tenant, streamId), expected, events, options, ct)));

    public async ValueTask<IReadOnlyList<AppendResult>> AppendToStreamsAsync(string tenant, IReadOnlyList<StreamAppend> appends, CancellationToken ct = default)
    {
        var results = await RenamedAsync(() => store.AppendToStreamsAsync(tenant, [.. appends.Select(a => a with { StreamId = Id(a.TenantOverride ?? tenant, a.StreamId) })], ct));
        return [.. results.Select(Named)];
    }

    public IAsyncEnumerable<RecordedEvent> ReadStreamAsync(
        string tenant, string streamId, long fromVersion = 1, int maxCount = int.MaxValue, CancellationToken ct = default) =>
        store.ReadStreamAsync(tenant, Id(tenant, streamId), fromVersion, maxCount, ct).Select(Named);

    public IAsyncEnumerable<RecordedEvent> ReadAllAsync(long fromPosition, int maxCount, CancellationToken ct = default) =>
        store.ReadAllAsync(fromPosition, maxCount, ct).Select(Named);

    public async ValueTask<StreamState?> GetStreamStateAsync(string tenant, string streamId, CancellationToken ct = default) =>
        await store.GetStreamStateAsync(tenant, Id(tenant, streamId), ct) is { } state ? state with { StreamId = Name(state.StreamId) } : null;

    public ValueTask<bool> ArchiveStreamAsync(string tenant, string streamId, CancellationToken ct = default) =>
        store.ArchiveStreamAsync(tenant, Id(tenant, streamId), ct);

    public ValueTask<long> GetHighWaterMarkAsync(CancellationToken ct = default) => store.GetHighWaterMarkAsync(ct);

    public ValueTask WaitForChangeAsync(long afterPosition, TimeSpan timeout, CancellationToken ct = default) => store.WaitForChangeAsync(afterPosition, timeout, ct);

    private string Id(string tenant, string name)
    {
        // A name that no store takes goes through as it is, to be refused.
        if (Record.Exception(() => { StreamAddress.Of(tenant, name); }) is not null) return name;
        var id = IdOf(name);
        _names.TryAdd(id, name);
        return id;
    }

    private string Name(string id) => _names.TryGetValue(id, out var name) ? name : id;

    private RecordedEvent Named(RecordedEvent recorded) => recorded with { StreamId = Name(recorded.StreamId) };

    private AppendResult Named(AppendResult result) => result with { StreamId = Name(result.StreamId) };

    private async ValueTask<T> RenamedAsync<T>(Func<ValueTask<T>> work)
    {
        try
        {
            return await work();
        }
        catch (WrongExpectedVersionException wrong)
        {
            throw new WrongExpectedVersionException(Name(wrong.StreamId), wrong.Expected, wrong.Actual);
        }
        catch (StreamArchivedException archived)
        {
            throw new StreamArchivedException(Name(archived.StreamId));
        }
    }
}
