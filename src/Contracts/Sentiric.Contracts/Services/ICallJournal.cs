namespace Sentiric.Contracts.Services;

/// <summary>Write's port for what happens on a call: the realtime roles report facts, the call aggregate decides what becomes an event.</summary>
public interface ICallJournal
{
    /// <summary>
    /// Appends facts to the call's (or chat's) stream, in order. Idempotent by <see cref="JournalEntry.EventId"/>; after <c>call_ended</c> only the
    /// recording, the quality summary and SIP messages are taken. Refusal <c>journal.invalid</c> names the first fact that does not fit its
    /// moment; the other facts of the report are stored all the same. A fact that does not belong into the stream stores nothing.
    /// </summary>
    ValueTask<Result<Done>> AppendAsync(string tenant, string stream, IReadOnlyList<JournalEntry> entries, CancellationToken ct);
}

/// <param name="Event">One of the call, chat or registration events of Contracts.</param>
public sealed record JournalEntry(Guid EventId, object Event, string Actor);
