using System.Net.ServerSentEvents;
using System.Text.Json;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;
using Sentiric.EventStore;
using Sentiric.Read.Ops;
using Sentiric.Read.Tests.Kit;
using Sentiric.Testing;

namespace Sentiric.Read.Tests.Ops;

public sealed class WatchingTheLog : IAsyncLifetime
{
    private readonly ReadWorld _world = new();

    public Task InitializeAsync() => _world.InitializeAsync();

    public Task DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [InlineData("call.*", "call.started", true)]
    [InlineData("call.*", "caller.started", false)]
    [InlineData("*ended", "call.ended", true)]
    [InlineData("*", "", true)]
    [InlineData("", "x", false)]
    [InlineData("a*b*c", "a--b-b--c", true)]
    [InlineData("a*b*c", "a--c--b", false)]
    [InlineData("call.ended", "call.ended", true)]
    [InlineData("call.end", "call.ended", false)]
    public void A_star_stands_for_any_run_of_characters(string pattern, string text, bool expected) =>
        Assert.Equal(expected, LogFilter.Matches(pattern, text));

    [Fact]
    public async Task A_reader_of_the_log_sees_what_was_and_what_comes()
    {
        await TellUserAsync("demo", "Ali");
        await using var tail = await TailAsync("demo", "/events/tail?after=0");
        Assert.Equal("user.created", (await tail.EntryAsync()).Type);
        await TellUserAsync("demo", "Veli");
        var second = await tail.EntryAsync();
        Assert.Equal(("Veli", "user_created", "test"), (second.Data.GetProperty("name").GetString(), second.StoredType, second.Actor));
    }

    [Fact]
    public async Task Without_a_start_only_what_comes_is_told()
    {
        await TellUserAsync("demo", "Ali");
        await using var tail = await TailAsync("demo", "/events/tail");
        await TellUserAsync("demo", "Veli");
        Assert.Equal("Veli", (await tail.EntryAsync()).Data.GetProperty("name").GetString());
    }

    [Fact]
    public async Task Types_streams_calls_and_tenants_are_told_apart()
    {
        await _world.TellAsync("demo", Streams.Call(DemoCall.Id), [.. DemoCall.Running(), .. DemoCall.Ending()]);
        await TellUserAsync("demo", "Ali");
        await TellUserAsync("other", "Veli");
        Assert.Equal(["call.answered", "call.ended"], (await AllAsync("demo", "type=call.answered&type=call_ended")).Select(e => e.Type));
        Assert.Equal(["user.created"], (await AllAsync("demo", "stream=user-*")).Select(e => e.Type));
        Assert.Equal(["demo", "other"], (await AllAsync("*", "type=user.created")).Select(e => e.Tenant));
        Assert.All(await AllAsync("demo", $"call_id={DemoCall.Id}"), e => Assert.Equal(Streams.Call(DemoCall.Id), e.Stream));
        Assert.Equal(2, (await AllAsync("demo", "limit=2")).Count);
    }

    [Fact]
    public async Task Since_starts_with_the_first_event_of_that_moment()
    {
        var recorded = new List<DateTimeOffset>();
        for (var n = 0; n < 150; n++)
        {
            recorded.Add(_world.Clock.GetUtcNow());
            await TellUserAsync("demo", $"user {n}", catchUp: false);
            _world.Clock.Advance(TimeSpan.FromSeconds(7));
        }

        foreach (var n in new[] { 0, 1, 63, 64, 65, 100, 149 })
        {
            var since = Uri.EscapeDataString(recorded[n].ToString("O"));
            Assert.Equal(150 - n, (await AllAsync("demo", $"since={since}")).Count);
        }

        Assert.Empty(await AllAsync("demo", $"since={Uri.EscapeDataString(_world.Clock.GetUtcNow().ToString("O"))}"));
        Assert.Equal(150, (await AllAsync("demo", "since=2000-01-01T00:00:00Z")).Count);
    }

    [Fact]
    public async Task A_stream_is_shown_as_it_stood_at_a_version_or_a_moment()
    {
        var user = Guid.CreateVersion7();
        var before = _world.Clock.GetUtcNow();
        await _world.TellAsync("demo", Streams.User(user), new UserCreated(before, user, "Ali", UserType.Caller, "tr"));
        _world.Clock.Advance(TimeSpan.FromMinutes(1));
        await _world.TellAsync("demo", Streams.User(user), new UserRenamed(before, user, "Ali Veli"), new UserDisabled(before, user, "test"));
        var path = $"/events/streams/{Streams.User(user)}";
        Assert.Equal(["user.created", "user.renamed", "user.disabled"], (await _world.GetAsync<StreamPage>("demo", path)).Events.Select(e => e.Type));
        Assert.Equal([1L, 2L], (await _world.GetAsync<StreamPage>("demo", path + "?version=2")).Events.Select(e => e.Version));
        var then = await _world.GetAsync<StreamPage>("demo", $"{path}?at={Uri.EscapeDataString(before.ToString("O"))}");
        Assert.Equal((3L, null), (then.Version, then.Next));
        Assert.Equal("user.created", Assert.Single(then.Events).Type);
        var first = await _world.GetAsync<StreamPage>("demo", path + "?limit=2");
        Assert.Equal((2, 3L), (first.Events.Count, first.Next));
        Assert.Equal("user.disabled", Assert.Single((await _world.GetAsync<StreamPage>("demo", path + "?from=3")).Events).Type);
    }

    [Fact]
    public async Task A_stream_that_is_not_there_is_unknown_for_this_tenant()
    {
        await TellUserAsync("demo", "Ali", Guid.Empty);
        Assert.Equal("stream.unknown", await _world.RefusedAsync("other", "/events/streams/" + Streams.User(Guid.Empty)));
    }

    [Fact]
    public async Task The_figures_count_what_is_stored()
    {
        await _world.TellAsync("demo", Streams.Call(DemoCall.Id), [.. DemoCall.Running(), .. DemoCall.Ending()]);
        await TellUserAsync("other", "Veli");
        await _world.Store.ArchiveStreamAsync("demo", Streams.Call(DemoCall.Id));
        var events = DemoCall.Running().Length + DemoCall.Ending().Length + 1;
        var stats = await _world.GetAsync<StoreStats>("demo", "/events/stats");
        Assert.Equal((new Rows(events, true), new Rows(2, true), new Rows(1, true)), (stats.Events, stats.Streams, stats.ArchivedStreams));
        Assert.Equal([("demo", events - 1L), ("other", 1L)], stats.Tenants.Counts.Select(t => (t.Name, t.Count)));
        Assert.Equal(events, stats.Types.Counts.Sum(t => t.Count));
        Assert.Equal((events, events), (stats.HighWater, stats.LastNumber));
        Assert.Equal((events, events, events), (stats.Rates.LastMinute, stats.Rates.LastHour, stats.Rates.LastDay));
        Assert.Equal(events, stats.Rates.PerMinute[^1].Events);
        Assert.Equal(60, stats.Rates.PerMinute.Count);
        Assert.Equal(ReadSide.Projections.Select(p => ShardName.Of(p.Name, p.Version)).Order(StringComparer.Ordinal), stats.Shards.Select(s => s.Shard).Order(StringComparer.Ordinal));
        Assert.All(stats.Shards, s => Assert.Equal((0L, null), (s.Lag, s.WaitingSince)));
        Assert.Contains(stats.Tables, t => t is { Name: "mt_events", TableBytes: > 0, IndexBytes: > 0 });
    }

    private async Task TellUserAsync(string tenant, string name, Guid? id = null, bool catchUp = true)
    {
        var user = id ?? Guid.CreateVersion7();
        var fact = new UserCreated(_world.Clock.GetUtcNow(), user, name, UserType.Caller, "tr");
        if (catchUp) await _world.TellAsync(tenant, Streams.User(user), fact);
        else await _world.Store.AppendToStreamAsync(tenant, Streams.User(user), ExpectedVersion.NoStream, [EventData.Of(fact)]);
    }

    private async Task<Tail> TailAsync(string tenant, string path)
    {
        var tail = new Tail(await _world.AskAsync(tenant, path));
        Assert.Equal("hello", (await tail.NextAsync())?.EventType);
        return tail;
    }

    private async Task<List<LogEntry>> AllAsync(string tenant, string query)
    {
        await using var tail = await TailAsync(tenant, $"/events/tail?follow=false&{(query.Contains("since=", StringComparison.Ordinal) ? "" : "after=0&")}{query}");
        var entries = new List<LogEntry>();
        while (await tail.NextAsync() is { } item)
        {
            if (item.EventType == "event") entries.Add(JsonSerializer.Deserialize<LogEntry>(item.Data, Wire.Json)!);
        }

        return entries;
    }

    private sealed class Tail(HttpResponseMessage response) : IAsyncDisposable
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
        private readonly IAsyncEnumerator<SseItem<string>> _items = SseParser.Create(response.Content.ReadAsStream()).EnumerateAsync().GetAsyncEnumerator();

        public async Task<SseItem<string>?> NextAsync() => await _items.MoveNextAsync().AsTask().WaitAsync(Patience) ? _items.Current : null;

        public async Task<LogEntry> EntryAsync()
        {
            var item = await NextAsync();
            Assert.Equal("event", item?.EventType);
            return JsonSerializer.Deserialize<LogEntry>(item!.Value.Data, Wire.Json)!;
        }

        public async ValueTask DisposeAsync()
        {
            await _items.DisposeAsync();
            response.Dispose();
        }
    }
}
