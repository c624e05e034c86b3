namespace Sentiric.EventStore;

/// <summary>A store that reads pages by type: what nobody asked for does not leave the server.</summary>
internal interface IPagedLog
{
    /// <summary>
    /// At most <paramref name="size"/> events behind <paramref name="after"/> and up to <paramref name="upTo"/>, in order; null reads all types.
    /// Each event is handed to <paramref name="each"/> while the others are on their way; it throws nothing, and where the read is repeated it gets them again.
    /// </summary>
    ValueTask<List<RecordedEvent>> ReadPageAsync(long after, long upTo, int size, IReadOnlyCollection<string>? types, Action<RecordedEvent>? each, CancellationToken ct);
}

/// <summary>
/// The log as several readers of one process share it: readers that stand near each other are served from one page, whose events are decoded once,
/// and the next page is read while they work on this one. Each keeps its own pace; who falls behind the pages reads its own.
/// </summary>
/// <param name="types">What any of the readers wants; null: everything.</param>
/// <param name="isDecoded">Kinds of events to decode while the page is read.</param>
internal sealed class LogFeed(IEventStore store, IReadOnlyCollection<string>? types, Func<string, bool> isDecoded)
{
    private const int MaxPages = 4;

    /// <summary>Positions that one filtered read looks through: few may be wanted among very many.</summary>
    private const long MaxSpan = 100_000;

    private readonly Lock _gate = new();

    // Owned by the holder of _gate, oldest first.
    private readonly List<Page> _pages = new(MaxPages);

    // The mark only rises, and a stale one only makes a reader look again.
    private long _mark;

    /// <summary>Events behind <paramref name="after"/>, at most <paramref name="size"/>, and how far they reach, holes and unwanted events included.</summary>
    public async ValueTask<LogPage> ReadAsync(long after, int size, CancellationToken ct)
    {
        var page = await PageOf(after, size).Read.WaitAsync(ct).ConfigureAwait(false);
        if (page.ReachedPosition < Volatile.Read(ref _mark)) Ahead(page.ReachedPosition, size);
        return Slice(page, after, size) with { Mark = Math.Max(page.Mark, Volatile.Read(ref _mark)) };
    }

    /// <summary>Whoever reads next gets what is read after this call: pages read ahead were opened with keys that are gone by now.</summary>
    public void Forget()
    {
        lock (_gate) _pages.Clear();
    }

    private static LogPage Slice(LogPage page, long after, int size)
    {
        var events = page.Events;
        var first = FirstAfter(events, after);
        var count = Math.Min(size, events.Count - first);
        if (first == 0 && count == events.Count) return page;
        var isAll = first + count == events.Count;
        return new LogPage(events.GetRange(first, count), isAll ? page.ReachedPosition : events[first + count - 1].Position, page.Mark);
    }

    private static int FirstAfter(List<RecordedEvent> events, long after)
    {
        var (low, high) = (0, events.Count);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (events[middle].Position <= after) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    private void Ahead(long after, int size)
    {
        lock (_gate)
        {
            if (!_pages.Exists(p => p.Serves(after))) Start(after, size);
        }
    }

    private Page PageOf(long after, int size)
    {
        lock (_gate) return _pages.Find(p => p.Serves(after)) ?? Start(after, size);
    }

    private Page Start(long after, int size)
    {
        // What failed or has nothing more to give goes first, then the oldest.
        _pages.RemoveAll(p => p.IsUseless);
        if (_pages.Count == MaxPages) _pages.RemoveAt(0);
        var page = new Page(after, Task.Run(() => LoadAsync(after, size)));
        // Nobody may be waiting for a page that was read ahead: whoever comes for it reads again and meets the failure himself.
        _ = page.Read.ContinueWith(t => t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        _pages.Add(page);
        return page;
    }

    private async Task<LogPage> LoadAsync(long after, int size)
    {
        var mark = Volatile.Read(ref _mark);
        if (mark - after < size) mark = await LookAsync().ConfigureAwait(false);
        if (mark <= after) return new LogPage([], after, mark);
        var upTo = types is null ? mark : Math.Min(mark, after + MaxSpan);
        var events = await PageAsync(after, upTo, size).ConfigureAwait(false);
        return new LogPage(events, events.Count < size ? upTo : events[^1].Position, mark);
    }

    private async ValueTask<List<RecordedEvent>> PageAsync(long after, long upTo, int size)
    {
        if (store is IPagedLog log) return await log.ReadPageAsync(after, upTo, size, types, Decode, CancellationToken.None).ConfigureAwait(false);
        var events = await store.ReadAllAsync(after, size).TakeWhile(e => e.Position <= upTo).ToListAsync().ConfigureAwait(false);
        events.ForEach(Decode);
        return events;
    }

    private async ValueTask<long> LookAsync()
    {
        var mark = await store.GetHighWaterMarkAsync().ConfigureAwait(false);
        var known = Volatile.Read(ref _mark);
        while (mark > known)
        {
            var before = Interlocked.CompareExchange(ref _mark, mark, known);
            if (before == known) break;
            known = before;
        }
        return mark;
    }

    private void Decode(RecordedEvent recorded)
    {
        if (!isDecoded(recorded.EventType)) return;
        try
        {
            recorded.Data(store.Serializer);
        }
        catch (EventStoreException)
        {
            // Whoever applies it meets the same failure and says which event it is.
            return;
        }
    }

    private sealed record Page(long After, Task<LogPage> Read)
    {
        public bool IsUseless => Read.IsCompleted && (!Read.IsCompletedSuccessfully || Read.Result.ReachedPosition <= After);

        public bool Serves(long position) =>
            Read.IsCompleted ? Read.IsCompletedSuccessfully && After <= position && position < Read.Result.ReachedPosition : After == position;
    }
}
