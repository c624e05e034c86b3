namespace Sentiric.Contracts.Services;

/// <summary>Write's port for what happens on a call: the realtime roles report facts, the call aggregate decides what becomes an event.</summary>
public interface ICallJournal
{
    /// <summary>
    /// Appends facts to the call's (or chat's) stream, in order. Idempotent by <see cref="JournalEntry.EventId"/>; after <c>call_ended</c> only the
    /// recording and the quality summary are taken. Refusal <c>journal.invalid</c> names the fact that does not fit.
    /// </summary>
    ValueTask<Result<Done>> AppendAsync(string tenant, string stream, IReadOnlyList<JournalEntry> entries, CancellationToken ct);
}

/// <param name="Event">One of the call, chat or registration events of Contracts.</param>
public sealed record JournalEntry(Guid EventId, object Event, string Actor);
