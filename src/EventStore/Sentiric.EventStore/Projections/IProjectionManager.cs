namespace Sentiric.EventStore;

/// <summary>
/// What operators ask and tell the projections and subscriptions of one database, from any process: orders are kept in the database and
/// carried out by whoever owns the shard. A projection is called by its name (<c>CallRecords</c>) or by its shard (<c>CallRecords:V2:All</c>).
/// Every method but <see cref="ListAsync"/> throws <see cref="UnknownProjectionException"/> for a name that no daemon ever served, and
/// <see cref="EventStoreUnavailableException"/> when the storage cannot be reached.
/// </summary>
public interface IProjectionManager
{
    /// <summary>Every projection and subscription that ever ran, by name.</summary>
    ValueTask<IReadOnlyList<ProjectionStatus>> ListAsync(CancellationToken ct = default);

    ValueTask<ProjectionStatus> FindAsync(string name, CancellationToken ct = default);

    /// <summary>
    /// No host applies further events until it is resumed, whatever is restarted in between. A batch under way is finished.
    /// Pausing twice keeps the first note.
    /// </summary>
    ValueTask PauseAsync(string name, string? reason = null, string? by = null, CancellationToken ct = default);

    /// <summary>Goes on from the checkpoint; resuming what is not paused is quiet.</summary>
    ValueTask ResumeAsync(string name, CancellationToken ct = default);

    /// <summary>
    /// The event at this position will not be applied: it is parked as skipped without being tried, and the shard goes on behind it.
    /// Throws <see cref="EventAlreadyPassedException"/> when the shard stands at or behind the position already.
    /// </summary>
    ValueTask SkipAsync(string name, long position, string? reason = null, string? by = null, CancellationToken ct = default);

    /// <summary>The oldest parked events, at most <paramref name="maxCount"/>.</summary>
    ValueTask<IReadOnlyList<ParkedEvent>> ListParkedAsync(string name, int maxCount = 100, CancellationToken ct = default);

    /// <summary>
    /// The owner of the shard applies the parked event now, behind events that came after it, and takes it off the list.
    /// The document of a single-stream projection is folded anew from its whole stream, so its order is kept.
    /// Waits at most <paramref name="patience"/> (10 s) for the owner's answer.
    /// </summary>
    ValueTask<RetryResult> RetryParkedAsync(string name, long position, TimeSpan? patience = null, CancellationToken ct = default);

    /// <summary>Takes a parked event off the list without applying it; false when it is not on the list.</summary>
    ValueTask<bool> DiscardParkedAsync(string name, long position, CancellationToken ct = default);
}

/// <summary>What became of a retry. <paramref name="Error"/> says why it failed again.</summary>
public sealed record RetryResult(RetryOutcome Outcome, string? Error = null);

public enum RetryOutcome
{
    /// <summary>It is in the rows and off the list.</summary>
    Applied,

    /// <summary>It stays parked.</summary>
    FailedAgain,

    /// <summary>There is no such event on the list.</summary>
    NotParked,

    /// <summary>Nobody runs the shard, or it is paused; the order stays and is carried out when somebody does.</summary>
    NobodyAnswered,
}

/// <summary>Who stopped a shard, when and why.</summary>
public sealed record PauseNote(DateTimeOffset At, string? Reason, string? By);

/// <summary>No daemon ever served a projection or subscription of this name.</summary>
public sealed class UnknownProjectionException(string name) : EventStoreException($"There is no projection or subscription '{name}'.")
{
    public string Name { get; } = name;
}

/// <summary>What is to be skipped was applied or parked before.</summary>
public sealed class EventAlreadyPassedException(string shard, long position, long standsAt) : EventStoreException(
    string.Create(System.Globalization.CultureInfo.InvariantCulture, $"'{shard}' stands at {standsAt}; event {position} was passed already."));
