using Sentiric.EventStore.Tests.Contract;
using Xunit;

namespace Sentiric.EventStore.Tests.Subscriptions;

/// <summary>Several readers of one process, one look at the log.</summary>
public sealed class LogFeedTests
{
    private readonly CountedStore _store = new();

    private LogFeed Feed(params string[] types) => new(_store, types.Length == 0 ? null : types, type => types.Contains(type));

    private async Task FillAsync(int events)
    {
        for (var i = 0; i < events; i++) await _store.AppendToStreamAsync("acme", "s", ExpectedVersion.Any, [Facts.Raised(i)]);
    }

    private static async Task<List<RecordedEvent>> ReadAsync(LogFeed feed, int size)
    {
        var (all, position) = (new List<RecordedEvent>(), 0L);
        while (await feed.ReadAsync(position, size, CancellationToken.None) is { } page && page.ReachedPosition > position)
        {
            all.AddRange(page.Events);
            position = page.ReachedPosition;
        }
        return all;
    }

    [Fact]
    public async Task Readers_at_one_place_share_the_page_and_its_events()
    {
        await FillAsync(20);
        var feed = Feed();
        var pages = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => feed.ReadAsync(0, 20, CancellationToken.None).AsTask()));

        Assert.All(pages, p => Assert.Same(pages[0].Events, p.Events));
        Assert.Equal(Enumerable.Range(1, 20).Select(i => (long)i), pages[0].Events.Select(e => e.Position));
        Assert.Equal(1, _store.Reads);
    }

    [Fact]
    public async Task A_reader_in_the_middle_of_a_page_gets_the_rest_of_it_and_no_more_than_it_asked_for()
    {
        await FillAsync(20);
        var feed = Feed();
        var whole = await feed.ReadAsync(0, 20, CancellationToken.None);
        var rest = await feed.ReadAsync(15, 20, CancellationToken.None);
        var part = await feed.ReadAsync(4, 3, CancellationToken.None);

        Assert.Equal([16, 17, 18, 19, 20], rest.Events.Select(e => e.Position));
        Assert.Equal((20L, 20L), (rest.ReachedPosition, rest.Mark));
        Assert.Equal([5, 6, 7], part.Events.Select(e => e.Position));
        Assert.Equal(7, part.ReachedPosition);
        Assert.Same(whole.Events[4], part.Events[0]);
        Assert.Equal(1, _store.Reads);
    }

    [Fact]
    public async Task Readers_of_any_pace_see_every_event_once()
    {
        await FillAsync(200);
        var feed = Feed();
        var expected = Enumerable.Range(1, 200).Select(i => (long)i).ToList();
        foreach (var read in await Task.WhenAll(new[] { 1, 7, 20, 64, 500 }.Select(size => Task.Run(() => ReadAsync(feed, size)))))
            Assert.Equal(expected, read.Select(e => e.Position));
    }

    [Fact]
    public async Task What_is_wanted_is_decoded_once_while_the_page_is_read()
    {
        await FillAsync(3);
        await _store.AppendToStreamAsync("acme", "n", ExpectedVersion.Any, [EventData.Of(new RawFact("{}"))]);
        var feed = Feed("counter_raised", "raw_fact");
        var page = await feed.ReadAsync(0, 10, CancellationToken.None);

        Assert.Same(page.Events[0].Data(_store.Serializer), page.Events[0].Data(_store.Serializer));
        // Poison waits for whoever applies it.
        Assert.Throws<UnknownEventTypeException>(() => page.Events[3].Data(_store.Serializer));
    }

    [Fact]
    public async Task A_read_that_failed_is_read_again()
    {
        await FillAsync(5);
        var feed = Feed();
        _store.IsBroken = true;
        await Assert.ThrowsAsync<IOException>(async () => await feed.ReadAsync(0, 5, CancellationToken.None));
        _store.IsBroken = false;
        Assert.Equal(5, (await feed.ReadAsync(0, 5, CancellationToken.None)).Events.Count);
    }

    [Fact]
    public async Task At_the_end_there_is_nothing_and_what_is_appended_then_is_seen()
    {
        await FillAsync(2);
        var feed = Feed();
        Assert.Equal(2, (await ReadAsync(feed, 10)).Count);
        Assert.Equal((0, 2L), ((await feed.ReadAsync(2, 10, CancellationToken.None)).Events.Count, (await feed.ReadAsync(2, 10, CancellationToken.None)).ReachedPosition));
        await FillAsync(1);
        Assert.Equal([3], (await feed.ReadAsync(2, 10, CancellationToken.None)).Events.Select(e => e.Position));
    }

    [Fact]
    public void The_cache_forgets_what_was_used_longest_ago_and_what_is_too_large()
    {
        var cache = new DocumentCache();
        static DocumentKey key(int n) => new("acme", n.ToString(System.Globalization.CultureInfo.InvariantCulture));
        for (var n = 0; n < 10_000; n++) cache.Put(key(n), new CachedDocument(n, n), 10);
        Assert.True(cache.TryGet(key(0), out var first));
        Assert.Equal((0, 0L), (first.Document, first.Version));
        cache.Put(key(10_000), new CachedDocument(null, 7), 10);
        Assert.True(cache.TryGet(key(0), out _));
        Assert.False(cache.TryGet(key(1), out _));
        Assert.True(cache.TryGet(key(10_000), out var gone) && gone.Document is null);

        cache.Put(key(2), new CachedDocument("large", 1), 17_000_000);
        Assert.False(cache.TryGet(key(2), out _));
        Assert.True(cache.TryGet(key(0), out _));
        cache.Put(key(3), new CachedDocument("small", 1), 10);
        cache.Clear();
        Assert.False(cache.TryGet(key(3), out _));
    }

    private sealed class CountedStore : IEventStore
    {
        private readonly InMemoryEventStore _inner = new(Facts.Serializer, TimeProvider.System);
        private int _reads;

        public bool IsBroken { get; set; }

        public int Reads => _reads;

        public IEventSerializer Serializer => _inner.Serializer;

        public IAsyncEnumerable<RecordedEvent> ReadAllAsync(long fromPosition, int maxCount, CancellationToken ct = default)
        {
            Interlocked.Increment(ref _reads);
            return IsBroken ? throw new IOException("the line is dead") : _inner.ReadAllAsync(fromPosition, maxCount, ct);
        }

        public ValueTask<AppendResult> AppendToStreamAsync(
            string tenant, string streamId, ExpectedVersion expected, IReadOnlyList<EventData> events, AppendOptions? options = null, CancellationToken ct = default) =>
            _inner.AppendToStreamAsync(tenant, streamId, expected, events, options, ct);

        public ValueTask<IReadOnlyList<AppendResult>> AppendToStreamsAsync(string tenant, IReadOnlyList<StreamAppend> appends, CancellationToken ct = default) =>
            _inner.AppendToStreamsAsync(tenant, appends, ct);

        public IAsyncEnumerable<RecordedEvent> ReadStreamAsync(string tenant, string streamId, long fromVersion = 1, int maxCount = int.MaxValue, CancellationToken ct = default) =>
            _inner.ReadStreamAsync(tenant, streamId, fromVersion, maxCount, ct);

        public ValueTask<StreamState?> GetStreamStateAsync(string tenant, string streamId, CancellationToken ct = default) => _inner.GetStreamStateAsync(tenant, streamId, ct);

        public ValueTask<bool> ArchiveStreamAsync(string tenant, string streamId, CancellationToken ct = default) => _inner.ArchiveStreamAsync(tenant, streamId, ct);

        public ValueTask<long> GetHighWaterMarkAsync(CancellationToken ct = default) => _inner.GetHighWaterMarkAsync(ct);

        public ValueTask WaitForChangeAsync(long afterPosition, TimeSpan timeout, CancellationToken ct = default) => _inner.WaitForChangeAsync(afterPosition, timeout, ct);
    }
}
