namespace Sentiric.EventStore;

/// <summary>
/// What happens to streams beside appends: reopened, shortened. Both stores implement it. Deleting nothing is the rule;
/// <see cref="TruncateStreamAsync"/> is the exception, and it leaves a record of what it took.
/// </summary>
public interface IStreamLifecycle
{
    /// <summary>Opens an archived stream again; doing it twice is quiet. False when there is no such stream. Throws <see cref="StreamInFileException"/>.</summary>
    ValueTask<bool> UnarchiveStreamAsync(string tenant, string streamId, CancellationToken ct = default);

    /// <summary>
    /// Deletes the events of the stream before <paramref name="beforeVersion"/> for good and remembers when, by whom, why, how many and their hash.
    /// The last event always stays, versions and positions stay as they were. Null when nothing was there to delete.
    /// Reading the stream yields what is left; folding it from nothing throws <see cref="StreamTruncatedException"/>, unless
    /// <see cref="FoldBound.FromTruncation"/> says that the rest is enough. Rebuilt read models know nothing of what was deleted.
    /// Throws <see cref="TruncationRefusedException"/> while a projection or subscription has not read the events.
    /// </summary>
    ValueTask<StreamTruncation?> TruncateStreamAsync(
        string tenant, string streamId, long beforeVersion, TruncationReason reason, CancellationToken ct = default);

    /// <summary>What was deleted of the stream, oldest first.</summary>
    ValueTask<IReadOnlyList<StreamTruncation>> ListTruncationsAsync(string tenant, string streamId, CancellationToken ct = default);
}

/// <summary>Why events are deleted and who wants it. <see cref="EvenUnread"/>: although a projection or subscription has not read them.</summary>
public sealed record TruncationReason(string Why, string? Actor = null, bool EvenUnread = false);

/// <summary>
/// The record that a truncation leaves. <see cref="Sha256"/> is the hash of the deleted events as <see cref="StoredRow"/> lines, in order of version, each
/// with a line feed: who has kept an export can show what was deleted.
/// </summary>
public sealed record StreamTruncation(
    string Tenant, string StreamId, long BeforeVersion, long Events, long FirstPosition, long LastPosition, ReadOnlyMemory<byte> Sha256,
    string Why, string? Actor, DateTimeOffset TruncatedAt);

/// <summary>Events of the stream were deleted, so it cannot be folded from nothing.</summary>
public sealed class StreamTruncatedException(string streamId, long firstVersion, long after) : EventStoreException(
    string.Create(System.Globalization.CultureInfo.InvariantCulture, $"Stream '{streamId}' goes on at version {firstVersion} after {after}: what lay between was deleted. Start from a snapshot, or fold with FoldBound.FromTruncation."))
{
    public string StreamId { get; } = streamId;

    /// <summary>The first version that is there.</summary>
    public long FirstVersion { get; } = firstVersion;

    /// <summary>The last version before the gap that the reader has; 0 at the start.</summary>
    public long After { get; } = after;
}

/// <summary>The stream cannot be shortened like this; nothing was deleted.</summary>
public sealed class TruncationRefusedException(string streamId, string why) : EventStoreException($"Stream '{streamId}' was not truncated: {why}")
{
    public string StreamId { get; } = streamId;
}

/// <summary>The events of the stream lie in a file and not in the tables.</summary>
public sealed class StreamInFileException(string streamId, string file) : EventStoreException(
    $"The events of stream '{streamId}' lie in the file '{file}'. Restore them with StreamFiles.RestoreAsync, or give the store the folder.")
{
    public string StreamId { get; } = streamId;
    public string File { get; } = file;
}
