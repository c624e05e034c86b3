namespace Sentiric.EventStore;

/// <summary>The next state after one fact; pure.</summary>
public delegate TState Evolve<TState>(TState state, object @event);

/// <summary>Up to where a stream is folded: the state at a version, or at a moment (when it was recorded). Both bounds are inclusive.</summary>
public sealed record FoldBound(long? Version = null, DateTimeOffset? RecordedUpTo = null);

public static class Aggregates
{
    /// <summary>Folds the stream to its state and remembers the version, so that <see cref="StreamHandle{TState}.AppendAsync"/> refuses to overwrite somebody else's facts.</summary>
    public static async ValueTask<StreamHandle<TState>> FetchForWritingAsync<TState>(
        this IEventStore store, string tenant, string streamId, TState initial, Evolve<TState> evolve, CancellationToken ct = default)
    {
        var (state, version) = await store.FoldAsync(tenant, streamId, initial, evolve, null, ct).ConfigureAwait(false);
        return new StreamHandle<TState>(store, tenant, streamId, state, version);
    }

    /// <summary>The state of a stream, now or at <paramref name="bound"/>; <paramref name="initial"/> when there is nothing to fold.</summary>
    public static async ValueTask<TState> AggregateStreamAsync<TState>(
        this IEventStore store, string tenant, string streamId, TState initial, Evolve<TState> evolve, FoldBound? bound = null, CancellationToken ct = default) =>
        (await store.FoldAsync(tenant, streamId, initial, evolve, bound, ct).ConfigureAwait(false)).State;

    private static async ValueTask<(TState State, long Version)> FoldAsync<TState>(
        this IEventStore store, string tenant, string streamId, TState initial, Evolve<TState> evolve, FoldBound? bound, CancellationToken ct)
    {
        var (state, version) = (initial, 0L);
        await foreach (var recorded in store.ReadStreamAsync(tenant, streamId, ct: ct).ConfigureAwait(false))
        {
            if (recorded.Version > bound?.Version || recorded.RecordedAt > bound?.RecordedUpTo) break;
            state = evolve(state, store.Serializer.Deserialize(recorded));
            version = recorded.Version;
        }
        return (state, version);
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
