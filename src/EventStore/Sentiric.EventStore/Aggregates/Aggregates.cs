namespace Sentiric.EventStore;

/// <summary>The next state after one fact; pure.</summary>
public delegate TState Evolve<TState>(TState state, object @event);

/// <summary>
/// Up to where a stream is folded: the state at a version, or at a moment (when it was recorded). Both bounds are inclusive.
/// With <see cref="FromTruncation"/> a shortened stream is folded from the first event that is left; otherwise it throws <see cref="StreamTruncatedException"/>.
/// </summary>
public sealed record FoldBound(long? Version = null, DateTimeOffset? RecordedUpTo = null, bool FromTruncation = false);

public static class Aggregates
{
    /// <summary>Folds the stream to its state and remembers the version, so that <see cref="StreamHandle{TState}.AppendAsync"/> refuses to overwrite somebody else's facts.</summary>
    public static async ValueTask<StreamHandle<TState>> FetchForWritingAsync<TState>(
        this IEventStore store, string tenant, string streamId, TState initial, Evolve<TState> evolve, CancellationToken ct = default)
    {
        var folded = await store.FoldAsync(tenant, streamId, new Folded<TState>(initial, 0), evolve, null, forWriting: true, ct).ConfigureAwait(false);
        return new StreamHandle<TState>(store, tenant, streamId, folded.State, folded.Version);
    }

    /// <summary>The same with what <paramref name="aggregate"/> keeps of the state: its snapshot or the state in this process, and the events behind it, in one round trip.</summary>
    public static async ValueTask<StreamHandle<TState>> FetchForWritingAsync<TState>(
        this IEventStore store, string tenant, string streamId, Aggregate<TState> aggregate, CancellationToken ct = default)
    {
        var address = StreamAddress.Of(tenant, streamId);
        var folded = await store.FetchAsync(address, aggregate, ct).ConfigureAwait(false);
        if (CanKeep(store, folded)) aggregate.Cache?.Keep(address, folded);
        return new StreamHandle<TState>(store, tenant, streamId, folded.State, folded.Version);
    }

    /// <summary>The state of a stream, now or at <paramref name="bound"/>; <paramref name="initial"/> when there is nothing to fold.</summary>
    public static async ValueTask<TState> AggregateStreamAsync<TState>(
        this IEventStore store, string tenant, string streamId, TState initial, Evolve<TState> evolve, FoldBound? bound = null, CancellationToken ct = default) =>
        (await store.FoldAsync(tenant, streamId, new Folded<TState>(initial, 0), evolve, bound, forWriting: false, ct).ConfigureAwait(false)).State;

    /// <summary>Throws away all snapshots of a stream, after its events were changed (an erasure). Quiet when there are none.</summary>
    public static ValueTask DeleteSnapshotsAsync(this IEventStore store, string tenant, string streamId, CancellationToken ct = default) =>
        store is IStreamFolder folder ? folder.DeleteSnapshotsAsync(tenant, streamId, ct) : ValueTask.CompletedTask;

    private static async ValueTask<Folded<TState>> FetchAsync<TState>(
        this IEventStore store, StreamAddress address, Aggregate<TState> aggregate, CancellationToken ct)
    {
        if (aggregate.Cache?.Find(address) is { } known && await IsCurrentAsync(store, known, ct).ConfigureAwait(false))
        {
            var folded = await store.FoldAsync(address.Tenant, address.StreamId, known, aggregate.Evolve, null, forWriting: true, ct).ConfigureAwait(false);
            if (folded.Version == known.Version + folded.Events) return folded;
        }
        // The stream is not the one that was kept: shorter, or other events, or somebody in it was forgotten.
        aggregate.Cache?.Forget(address);
        if (aggregate.Snapshots is not { } snapshots || store is not IStreamFolder folder)
            return await store.FoldAsync(address.Tenant, address.StreamId, new Folded<TState>(aggregate.Initial, 0), aggregate.Evolve, null, forWriting: true, ct).ConfigureAwait(false);
        var fetched = await folder.FoldSnapshotAsync(address.Tenant, address.StreamId, aggregate, snapshots.Json, ct).ConfigureAwait(false)
            ?? await folder.FoldAsync(address.Tenant, address.StreamId, new Folded<TState>(aggregate.Initial, 0), aggregate.Evolve, long.MaxValue, forWriting: true, ct).ConfigureAwait(false);
        if (snapshots.AreDue(fetched)) await folder.SaveSnapshotAsync(address.Tenant, address.StreamId, aggregate, snapshots.Json, fetched, ct).ConfigureAwait(false);
        return fetched;
    }

    /// <summary>A state that somebody's words went into is kept only with what tells that he was forgotten.</summary>
    private static bool CanKeep<TState>(IEventStore store, Folded<TState> folded) => folded.Keys is not null || store is not IProtectedStore { Protection: not null };

    private static ValueTask<bool> IsCurrentAsync<TState>(IEventStore store, Folded<TState> kept, CancellationToken ct) =>
        store is IStreamFolder folder ? folder.IsCurrentAsync(kept, ct) : ValueTask.FromResult(true);

    private static async ValueTask<Folded<TState>> FoldAsync<TState>(
        this IEventStore store, string tenant, string streamId, Folded<TState> start, Evolve<TState> evolve, FoldBound? bound, bool forWriting, CancellationToken ct)
    {
        // Before its first event every stream is empty, a shortened one as well.
        if (bound is { Version: <= 0 }) return start;
        if (store is IStreamFolder folder && bound is null or { RecordedUpTo: null, FromTruncation: false })
            return await folder.FoldAsync(tenant, streamId, start, evolve, bound?.Version ?? long.MaxValue, forWriting, ct).ConfigureAwait(false);
        var (state, version, events) = (start.State, start.Version, 0);
        await foreach (var recorded in store.ReadStreamAsync(tenant, streamId, start.Version + 1, ct: ct).ConfigureAwait(false))
        {
            if (version == 0 && recorded.Version != 1 && bound is not { FromTruncation: true }) throw new StreamTruncatedException(streamId, recorded.Version, 0);
            if (recorded.Version > bound?.Version || recorded.RecordedAt > bound?.RecordedUpTo) break;
            state = evolve(state, recorded.Data(store.Serializer));
            (version, events) = (recorded.Version, events + 1);
        }
        return new Folded<TState>(state, version, events);
    }
}

/// <summary>A stream as it was when it was fetched.</summary>
public sealed class StreamHandle<TState>(IEventStore store, string tenant, string streamId, TState state, long version)
{
    public string Tenant { get; } = tenant;
    public string StreamId { get; } = streamId;
    public TState State { get; } = state;

    /// <summary>0 when the stream does not exist yet.</summary>
    public long Version { get; } = version;

    /// <summary>Appends behind <see cref="Version"/>; throws <see cref="WrongExpectedVersionException"/> when the stream has moved on.</summary>
    public ValueTask<AppendResult> AppendAsync(IReadOnlyList<EventData> events, AppendOptions? options = null, CancellationToken ct = default) =>
        store.AppendToStreamAsync(Tenant, StreamId, ExpectedVersion.Exact(Version), events, options, ct);
}
