namespace Sentiric.EventStore;

/// <summary>
/// What a store asks before it writes and after it has read, so that nothing personal lies in it in clear. A store without one asks nothing.
/// </summary>
public interface IPayloadProtection
{
    /// <summary>Loads and checks keys; a store calls it when its schema is ensured. Doing it twice is quiet.</summary>
    ValueTask StartAsync(CancellationToken ct = default);

    /// <summary>The name under which a stream is stored: another one where the given name holds a personal value. A stored name stays as it is.</summary>
    string StoredStream(string tenant, string streamId);

    /// <summary>The same step with personal members sealed; the very same object when nothing of it is personal.</summary>
    internal ValueTask<StreamPlan> ProtectAsync(StreamPlan plan, CancellationToken ct);

    /// <summary>Opens what is sealed in a page that was read, in place. Members whose key was destroyed are blank.</summary>
    ValueTask OpenAsync(IList<RecordedEvent> page, CancellationToken ct = default);
}
