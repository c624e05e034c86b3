using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Xunit;

namespace Sentiric.EventStore.Tests.Contract;

/// <summary>
/// Runs facts that name tenants against a store that knows none: a stream of a tenant is one stream of the default tenant, in both directions.
/// Streams whose ids are no guids carry their tenant in front of their name.
/// </summary>
internal sealed class OneTenant(IEventStore store) : IEventStore
{
    private const string Default = "*DEFAULT*";
    private readonly ConcurrentDictionary<string, (string Tenant, string Stream)> _names = new(StringComparer.Ordinal);

    public IEventSerializer Serializer => store.Serializer;

    public async ValueTask<AppendResult> AppendToStreamAsync(
        string tenant, string streamId, ExpectedVersion expected, IReadOnlyList<EventData> events, AppendOptions? options = null, CancellationToken ct = default)
    {
        var (t, id) = Below(tenant, streamId);
        return Above(await RenamedAsync(() => store.AppendToStreamAsync(t, id, expected, Below(tenant, events), options, ct)));
    }

    public async ValueTask<IReadOnlyList<AppendResult>> AppendToStreamsAsync(string tenant, IReadOnlyList<StreamAppend> appends, CancellationToken ct = default)
    {
        var below = appends.Select(a =>
        {
            var (t, id) = Below(a.TenantOverride ?? tenant, a.StreamId);
            return a with { TenantOverride = t, StreamId = id, Events = Below(a.TenantOverride ?? tenant, a.Events) };
        }).ToList();
        return [.. (await RenamedAsync(() => store.AppendToStreamsAsync(Default, below, ct))).Select(Above)];
    }

    public IAsyncEnumerable<RecordedEvent> ReadStreamAsync(string tenant, string streamId, long fromVersion = 1, int maxCount = int.MaxValue, CancellationToken ct = default)
    {
        var (t, id) = Below(tenant, streamId);
        return store.ReadStreamAsync(t, id, fromVersion, maxCount, ct).Select(Above);
    }

    public IAsyncEnumerable<RecordedEvent> ReadAllAsync(long fromPosition, int maxCount, CancellationToken ct = default) =>
        store.ReadAllAsync(fromPosition, maxCount, ct).Select(Above);

    public async ValueTask<StreamState?> GetStreamStateAsync(string tenant, string streamId, CancellationToken ct = default)
    {
        var (t, id) = Below(tenant, streamId);
        return await store.GetStreamStateAsync(t, id, ct) is { } state ? state with { Tenant = tenant, StreamId = streamId } : null;
    }

    public ValueTask<bool> ArchiveStreamAsync(string tenant, string streamId, CancellationToken ct = default)
    {
        var (t, id) = Below(tenant, streamId);
        return store.ArchiveStreamAsync(t, id, ct);
    }

    public ValueTask<long> GetHighWaterMarkAsync(CancellationToken ct = default) => store.GetHighWaterMarkAsync(ct);

    public ValueTask WaitForChangeAsync(long afterPosition, TimeSpan timeout, CancellationToken ct = default) => store.WaitForChangeAsync(afterPosition, timeout, ct);

    private (string Tenant, string Stream) Below(string tenant, string stream)
    {
        // A name that no store takes goes through as it is, to be refused.
        if (Record.Exception(() => { StreamAddress.Of(tenant, stream); }) is not null) return (tenant, stream);
        var id = Guid.TryParseExact(stream, "D", out _) ? stream : $"{tenant}/{stream}";
        if (id.Length > EventStoreLimits.MaxStreamIdLength) id = NamedStreams.IdOf(id);
        _names.TryAdd(id, (tenant, stream));
        return (Default, id);
    }

    // Two tenants may use one event id; one tenant may not. The same way down and up.
    private static List<EventData> Below(string tenant, IReadOnlyList<EventData> events) => [.. events.Select(e => e with { EventId = Mine(tenant, e.EventId) })];

    private static Guid Mine(string tenant, Guid id)
    {
        var (bytes, key) = (id.ToByteArray(), SHA256.HashData(Encoding.UTF8.GetBytes(tenant)));
        for (var i = 0; i < bytes.Length; i++) bytes[i] ^= key[i];
        return new Guid(bytes);
    }

    private (string Tenant, string Stream) Names(string tenant, string id) => _names.TryGetValue(id, out var known) ? known : (tenant, id);

    private RecordedEvent Above(RecordedEvent recorded)
    {
        var (tenant, stream) = Names(recorded.Tenant, recorded.StreamId);
        return recorded with { Tenant = tenant, StreamId = stream, EventId = Mine(tenant, recorded.EventId) };
    }

    private AppendResult Above(AppendResult result)
    {
        var (tenant, stream) = Names(result.Tenant, result.StreamId);
        return result with { Tenant = tenant, StreamId = stream };
    }

    private async ValueTask<T> RenamedAsync<T>(Func<ValueTask<T>> work)
    {
        try
        {
            return await work();
        }
        catch (WrongExpectedVersionException wrong)
        {
            throw new WrongExpectedVersionException(Names(Default, wrong.StreamId).Stream, wrong.Expected, wrong.Actual);
        }
        catch (EventIdReusedException reused)
        {
            var (tenant, stream) = Names(Default, reused.StreamId);
            throw new EventIdReusedException(stream, Mine(tenant, reused.EventId));
        }
        catch (StreamArchivedException archived)
        {
            throw new StreamArchivedException(Names(Default, archived.StreamId).Stream);
        }
    }
}
