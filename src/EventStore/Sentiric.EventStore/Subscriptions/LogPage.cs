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
}
