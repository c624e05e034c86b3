namespace Sentiric.EventStore;

/// <summary>A store that lets one writer keep a stream to himself.</summary>
public interface IExclusiveStreams : IEventStore
{
    /// <summary>
    /// Nobody else appends to the stream until the handle is disposed or has appended; a stream that does not exist yet can be kept as well.
    /// For decisions that are too dear to be made twice: it costs a connection, and whoever else appends to the stream waits.
    /// Throws <see cref="StreamLockedException"/> when another writer does not let go, and <see cref="StreamArchivedException"/>.
    /// </summary>
    ValueTask<IExclusiveStream> LockStreamAsync(string tenant, string streamId, CancellationToken ct = default);
}

/// <summary>A stream that nobody else appends to. Disposing lets it go; used by one caller at a time.</summary>
public interface IExclusiveStream : IAsyncDisposable
{
    /// <summary>0 when the stream does not exist yet.</summary>
    long Version { get; }

    /// <summary>Appends once, behind <see cref="Version"/>, and lets go. What it throws is what <see cref="IEventStore.AppendToStreamAsync"/> throws; then too it lets go.</summary>
    ValueTask<AppendResult> AppendAsync(IReadOnlyList<EventData> events, AppendOptions? options = null, CancellationToken ct = default);
}

/// <summary>A stream with its state that nobody else appends to until this is disposed or has appended.</summary>
public sealed class ExclusiveStreamHandle<TState>(IExclusiveStream stream, TState state) : IAsyncDisposable
{
    public TState State { get; } = state;

    public long Version => stream.Version;

    public ValueTask<AppendResult> AppendAsync(IReadOnlyList<EventData> events, AppendOptions? options = null, CancellationToken ct = default) =>
        stream.AppendAsync(events, options, ct);

    public ValueTask DisposeAsync() => stream.DisposeAsync();
}

public static class ExclusiveWriting
{
    /// <summary>Keeps the stream and folds it; see <see cref="IExclusiveStreams.LockStreamAsync"/>.</summary>
    public static async ValueTask<ExclusiveStreamHandle<TState>> FetchForExclusiveWritingAsync<TState>(
        this IExclusiveStreams store, string tenant, string streamId, TState initial, Evolve<TState> evolve, CancellationToken ct = default)
    {
        var stream = await store.LockStreamAsync(tenant, streamId, ct).ConfigureAwait(false);
        try
        {
            var state = await store.AggregateStreamAsync(tenant, streamId, initial, evolve, ct: ct).ConfigureAwait(false);
            return new ExclusiveStreamHandle<TState>(stream, state);
        }
        catch (Exception)
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
