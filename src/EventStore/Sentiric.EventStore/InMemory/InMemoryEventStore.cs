using System.Runtime.CompilerServices;

namespace Sentiric.EventStore;

/// <summary>
/// The whole contract in one process's memory: for tests and for trying things out. Nothing survives the process.
/// One lock owns all state; positions have no holes.
/// </summary>
public sealed partial class InMemoryEventStore(IEventSerializer serializer, TimeProvider clock, IPayloadProtection? protection = null) : IEventStore, IProtectedStore
{
    private readonly Lock _gate = new();
    // By position; null where a truncation took the event.
    private readonly List<RecordedEvent?> _log = [];
    private readonly Dictionary<StreamAddress, Stream> _streams = [];
    private readonly Dictionary<(string Tenant, Guid EventId), RecordedEvent> _appendKeys = [];
    private readonly ChangeSignal _signal = new();

    public IEventSerializer Serializer => serializer;

    public async ValueTask<AppendResult> AppendToStreamAsync(
        string tenant, string streamId, ExpectedVersion expected, IReadOnlyList<EventData> events,
        AppendOptions? options = null, CancellationToken ct = default)
    {
        ct.ThrowIfCancellationRequested();
        var plan = await ProtectedAsync(new StreamPlan(StreamAddress.Of(tenant, streamId), expected, Payload.Prepare(serializer, events), options?.AggregateType), ct).ConfigureAwait(false);
        return await WhenFreeAsync([plan.Address], () => AppendOne(plan.Address, expected, plan.Payloads, options ?? AppendOptions.Default), ct).ConfigureAwait(false);
    }

    public async ValueTask<IReadOnlyList<AppendResult>> AppendToStreamsAsync(
        string tenant, IReadOnlyList<StreamAppend> appends, CancellationToken ct = default)
    {
        ct.ThrowIfCancellationRequested();
        var plan = StreamPlan.Of(serializer, StreamAddress.Of, tenant, appends).ToList();
        for (var i = 0; i < plan.Count; i++) plan[i] = await ProtectedAsync(plan[i], ct).ConfigureAwait(false);
        return await WhenFreeAsync([.. plan.Select(p => p.Address)], () => AppendTogether(plan), ct).ConfigureAwait(false);
    }

    /// <summary>Does it under the lock as soon as nobody keeps one of the streams.</summary>
    private async ValueTask<T> WhenFreeAsync<T>(StreamAddress[] addresses, Func<T> append, CancellationToken ct)
    {
        while (true)
        {
            Task keeper;
            lock (_gate)
            {
                if (KeeperOf(addresses) is not { } others)
                {
                    var result = append();
                    _signal.Pulse();
                    return result;
                }
                keeper = others;
            }
            await keeper.WaitAsync(ct).ConfigureAwait(false);
        }
    }

    private IReadOnlyList<AppendResult> AppendTogether(IReadOnlyList<StreamPlan> plan)
    {
        foreach (var step in plan) EnsureAllowed(step.Address, step.Expected);
        return [.. plan.Select(step => Store(step.Address, step.Payloads, step.AggregateType, remember: false))];
    }

    public async IAsyncEnumerable<RecordedEvent> ReadStreamAsync(
        string tenant, string streamId, long fromVersion = 1, int maxCount = int.MaxValue, [EnumeratorCancellation] CancellationToken ct = default)
    {
        RecordedEvent[] events;
        lock (_gate)
        {
            events = _streams.TryGetValue(AddressOf(tenant, streamId), out var stream)
                ? [.. stream.Events.Skip(stream.IndexOf(fromVersion)).Take(maxCount)]
                : [];
        }
        if (protection is not null) await protection.OpenAsync(events, ct).ConfigureAwait(false);
        foreach (var recorded in events)
        {
            ct.ThrowIfCancellationRequested();
            yield return recorded;
        }
    }

    public async IAsyncEnumerable<RecordedEvent> ReadAllAsync(long fromPosition, int maxCount, [EnumeratorCancellation] CancellationToken ct = default)
    {
        RecordedEvent[] events;
        lock (_gate) events = [.. _log.Skip((int)Math.Min(int.MaxValue, Math.Max(0, fromPosition))).OfType<RecordedEvent>().Take(maxCount)];
        if (protection is not null) await protection.OpenAsync(events, ct).ConfigureAwait(false);
        foreach (var recorded in events)
        {
            ct.ThrowIfCancellationRequested();
            yield return recorded;
        }
    }

    public ValueTask<StreamState?> GetStreamStateAsync(string tenant, string streamId, CancellationToken ct = default)
    {
        var address = AddressOf(tenant, streamId);
        lock (_gate) return ValueTask.FromResult(_streams.TryGetValue(address, out var stream) ? stream.ToState(address) : null);
    }

    public ValueTask<bool> ArchiveStreamAsync(string tenant, string streamId, CancellationToken ct = default)
    {
        lock (_gate)
        {
            if (!_streams.TryGetValue(AddressOf(tenant, streamId), out var stream)) return ValueTask.FromResult(false);
            stream.IsArchived = true;
            return ValueTask.FromResult(true);
        }
    }

    public ValueTask<long> GetHighWaterMarkAsync(CancellationToken ct = default)
    {
        lock (_gate) return ValueTask.FromResult((long)_log.Count);
    }

    public async ValueTask WaitForChangeAsync(long afterPosition, TimeSpan timeout, CancellationToken ct = default)
    {
        var next = _signal.Next;
        if (await GetHighWaterMarkAsync(ct).ConfigureAwait(false) > afterPosition) return;
        await ChangeSignal.WaitAsync(next, timeout, clock, ct).ConfigureAwait(false);
    }

    private ValueTask<StreamPlan> ProtectedAsync(StreamPlan plan, CancellationToken ct) =>
        protection is null ? ValueTask.FromResult(plan) : protection.ProtectAsync(plan, ct);

    private StreamAddress AddressOf(string tenant, string streamId) =>
        StreamAddress.Of(tenant, protection?.StoredStream(tenant, streamId) ?? streamId);

    private AppendResult AppendOne(StreamAddress address, ExpectedVersion expected, Payload[] payloads, AppendOptions options)
    {
        if (options.Idempotent && payloads.Length > 0)
        {
            RepeatedBatch.EnsureIdsDiffer(address, payloads);
            var stored = payloads
                .Where(p => _appendKeys.ContainsKey((address.Tenant, p.Event.EventId)))
                .Select(p => _appendKeys[(address.Tenant, p.Event.EventId)])
                .Select(r => new StoredKey(r.EventId, r.StreamId, r.Position, r.Version))
                .ToList();
            if (RepeatedBatch.Find(address, payloads, stored) is { } earlier) return earlier;
        }
        if (payloads.Length == 0) return new AppendResult(address.Tenant, address.StreamId, VersionOf(address), []);
        EnsureAllowed(address, expected);
        return Store(address, payloads, options.AggregateType, options.Idempotent);
    }

    private long VersionOf(StreamAddress address) => _streams.TryGetValue(address, out var stream) ? stream.Version : 0;

    private void EnsureAllowed(StreamAddress address, ExpectedVersion expected)
    {
        if (_streams.TryGetValue(address, out var stream) && stream.IsArchived) throw new StreamArchivedException(address.StreamId);
        var actual = VersionOf(address);
        if (!expected.Allows(actual)) throw new WrongExpectedVersionException(address.StreamId, expected, actual);
    }

    private AppendResult Store(StreamAddress address, Payload[] payloads, string? aggregateType, bool remember)
    {
        var now = Timestamps.Now(clock);
        if (!_streams.TryGetValue(address, out var stream)) _streams[address] = stream = new Stream(aggregateType, now);
        // A stream's time never runs backwards, whatever the clock says.
        else if (stream.LastChanged > now) now = stream.LastChanged;
        stream.LastChanged = now;
        var positions = new long[payloads.Length];
        for (var i = 0; i < payloads.Length; i++)
        {
            var recorded = Record(address, stream, payloads[i], now);
            _log.Add(recorded);
            stream.Events.Add(recorded);
            positions[i] = recorded.Position;
            if (remember) _appendKeys[(address.Tenant, recorded.EventId)] = recorded;
        }
        return new AppendResult(address.Tenant, address.StreamId, stream.Version, positions);
    }

    private RecordedEvent Record(StreamAddress address, Stream stream, Payload payload, DateTimeOffset now) => new(
        _log.Count + 1, address.Tenant, address.StreamId, stream.Version + 1, payload.Event.EventId,
        payload.Name, StoredName.Parse(payload.Name).Version, now, payload.Json, payload.Event.Metadata);

    private sealed class Stream(string? aggregateType, DateTimeOffset created)
    {
        public List<RecordedEvent> Events { get; } = [];
        public List<StreamTruncation> Truncations { get; } = [];

        /// <summary>The last event always stays.</summary>
        public long Version => Events.Count == 0 ? 0 : Events[^1].Version;

        public DateTimeOffset LastChanged { get; set; }
        public bool IsArchived { get; set; }

        public StreamState ToState(StreamAddress address) =>
            new(address.Tenant, address.StreamId, aggregateType, Version, created, LastChanged, IsArchived)
            {
                TruncatedBefore = Truncations.Count == 0 ? 0 : Truncations[^1].BeforeVersion,
            };

        /// <summary>Where the first event of at least this version is, or would be.</summary>
        public int IndexOf(long version) => Events.Count == 0 ? 0 : (int)Math.Clamp(version - Events[0].Version, 0, Events.Count);
    }
}
