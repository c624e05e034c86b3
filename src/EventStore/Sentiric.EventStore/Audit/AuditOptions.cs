using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>How the notary works.</summary>
public sealed record AuditOptions
{
    /// <summary>Name of the notary's shard: its lock and its row in <c>mt_event_progression</c>.</summary>
    public const string ShardName = "Notary";

    /// <summary>
    /// How long the notary gathers events after the first new one before it signs a block of them. An event that is changed before that leaves no trace
    /// here, so this is the window in which nothing is proven.
    /// </summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often a notary that does not own the shard, or that found something wrong, tries again.</summary>
    public TimeSpan OwnershipInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Looks for new events at least this often, in case a wake-up was lost.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// A file outside the database that always holds the newest checkpoint. A database that was set back, tables of the audit trail included, does not
    /// hold it any more: the notary then refuses to go on. Null: none is kept.
    /// </summary>
    public string? AnchorFile { get; init; }
}

/// <summary>The key that signs, and the ones before it, which vouch for it when it is new.</summary>
public sealed record AuditKeys(AuditKey Current, IReadOnlyList<AuditKey> Former)
{
    public static AuditKeys Of(AuditKey current, params AuditKey[] former) => new(current, former);
}

public enum NotaryState
{
    Stopped,

    /// <summary>Another process is the notary.</summary>
    StandingBy,
    Running,

    /// <summary>The world failed; the same events are tried again.</summary>
    Retrying,

    /// <summary>The audit tables are not as they were left: nothing is signed until somebody has looked.</summary>
    Refusing,
}

/// <summary>What a notary says about itself. Positions up to <paramref name="Position"/> are signed.</summary>
public sealed record NotaryStatus(NotaryState State, long Position, long HighWaterMark, long Blocks, string KeyId, string? LastError)
{
    public long Lag => Math.Max(0, HighWaterMark - Position);
}

/// <summary>The audit tables are not as the notary left them; the message says which. Run a verification, and restore the rows from a backup.</summary>
public sealed class AuditTamperedException(string what) : EventStoreException($"The audit trail was changed: {what}. Nothing is signed until it is as it was; a verification tells more.");

/// <summary>The stream has no signed event yet.</summary>
public sealed class StreamNotNotarisedException(string streamId) : EventStoreException($"Stream '{streamId}' has no signed event: it does not exist, or the notary has not come to it yet.")
{
    public string StreamId { get; } = streamId;
}
