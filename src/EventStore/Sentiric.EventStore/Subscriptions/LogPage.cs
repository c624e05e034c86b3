namespace Sentiric.EventStore;

/// <summary>The next events and the position that is decided once they are handled, holes behind them included.</summary>
internal readonly record struct LogPage(List<RecordedEvent> Events, long ReachedPosition, long Mark)
{
    public static async ValueTask<LogPage> ReadAsync(IEventStore store, long after, int size, CancellationToken ct)
    {
        var mark = await store.GetHighWaterMarkAsync(ct).ConfigureAwait(false);
        if (mark <= after) return new LogPage([], after, mark);
        var events = await store.ReadAllAsync(after, size, ct).ToListAsync(ct).ConfigureAwait(false);
        var last = events.Count == 0 ? after : events[^1].Position;
        // Fewer than asked for: everything up to the mark was read.
        return new LogPage(events, events.Count < size ? Math.Max(mark, last) : last, mark);
    }

    /// <summary>
    /// Nothing behind an erasure: what follows it in the page may have been opened before this process heard that the keys are gone. The next page is read behind it.
    /// </summary>
    /// <param name="erasure">The stored name of what tells of an erasure; null where nobody is ever forgotten.</param>
    public LogPage UpTo(string? erasure) =>
        erasure is not null && Events.FindIndex(e => e.EventType == erasure) is var at and >= 0 && at < Events.Count - 1
            ? this with { Events = Events.GetRange(0, at + 1), ReachedPosition = Events[at].Position }
            : this;

    public bool EndsWith(string? erasure) => Events.Count > 0 && Events[^1].EventType == erasure;
}
