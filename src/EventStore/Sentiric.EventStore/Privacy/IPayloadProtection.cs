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

    /// <summary>The same, and adds the ids of the living keys that texts of the page are sealed with: whatever is made of the page is made of these persons.</summary>
    internal ValueTask OpenAsync(IList<RecordedEvent> page, ISet<string> keyIds, CancellationToken ct);

    /// <summary>Whether none of these keys was destroyed.</summary>
    internal ValueTask<bool> AreLivingAsync(IReadOnlyList<string> keyIds, CancellationToken ct);

    /// <summary>A state that was made of these persons, sealed for all of them at once; null when it is not to be stored: one was forgotten, or they are too many.</summary>
    internal ValueTask<byte[]?> SealStateAsync(ReadOnlyMemory<byte> json, SnapshotPlace place, IReadOnlyList<string> keyIds, CancellationToken ct);

    /// <summary>Null when it cannot be opened any more, or belongs somewhere else.</summary>
    internal ValueTask<byte[]?> OpenStateAsync(ReadOnlyMemory<byte> whole, SnapshotPlace place, IReadOnlyList<string> keyIds, CancellationToken ct);
}
