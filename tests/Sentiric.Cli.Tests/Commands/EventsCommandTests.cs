using Sentiric.Testing;
using Sentiric.Cli.Commands;
using Sentiric.Cli.Commands.Events;
using Sentiric.Cli.Show;
using Xunit;

namespace Sentiric.Cli.Tests.Commands;

public sealed class EventsCommandTests : IAsyncLifetime
{
    private const string User = "01980000-0000-7000-8000-0000000abcde";

    private const string Entry =
        "{\"position\":42,\"tenant\":\"demo\",\"stream\":\"user-" + User + "\",\"version\":3,\"id\":\"" + User + "\",\"type\":\"user.renamed\",\"stored_type\":\"user_renamed\"," +
        "\"recorded_at\":\"2026-03-02T09:00:00.125+00:00\",\"occurred_at\":\"2026-03-02T09:00:00.125+00:00\",\"actor\":\"key:admin\",\"correlation_id\":\"c1\"," +
        "\"data\":{\"at\":\"2026-03-02T09:00:00+00:00\",\"user_id\":\"" + User + "\",\"name\":\"İrem Işık\"}}";

    private FakePlatform platform = null!;

    public async Task InitializeAsync() => platform = await FakePlatform.StartAsync();

    public async Task DisposeAsync() => await platform.DisposeAsync();

    [Theory]
    [InlineData("events dance: there is no such command.", "events", "dance")]
    [InlineData("is missing.", "events")]
    [InlineData("events stats has no option --call.", "events", "stats", "--call", User)]
    [InlineData("--call x is no call id.", "events", "tail", "--call", "x")]
    [InlineData("--since soon is no time", "events", "tail", "--since", "soon")]
    [InlineData("--after is a whole number", "events", "tail", "--after", "x")]
    [InlineData("the id of a stream is missing.", "events", "stream")]
    public async Task What_no_verb_understands_is_refused_with_the_usage(string message, params string[] args)
    {
        var (code, _, error) = await platform.RunAsync("", args);
        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Contains("sentiric events tail", error, StringComparison.Ordinal);
        Assert.Empty(platform.Asked);
    }

    [Fact]
    public async Task The_tail_asks_with_every_filter_and_prints_one_line_an_event()
    {
        platform.Answers(
            "GET /v1/events/tail?type=user.%2A&type=call.%2A&stream=user-%2A&correlation_id=c1&after=41&limit=1",
            $"event: hello\ndata: {{}}\n\nevent: event\nid: 42\ndata: {Entry}\n\nevent: at\ndata: {{}}\n\n", type: "text/event-stream");
        var (code, text, error) = await platform.RunAsync(
            "", "events", "tail", "--type", "user.*", "--type", "call.*", "--stream", "user-*", "--correlation", "c1", "--after", "41", "--limit", "1");
        Assert.Equal((0, ""), (code, error));
        var line = Assert.Single(text.TrimEnd().Split('\n'));
        Assert.Contains("42  demo  user-…000abcde", line, StringComparison.Ordinal);
        Assert.Contains("user.renamed", line, StringComparison.Ordinal);
        Assert.Contains("İrem Işık", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_prints_the_entries_as_they_came()
    {
        platform.Answers("GET /v1/events/tail?follow=false", $"event: event\ndata: {Entry}\n\n", type: "text/event-stream");
        var (code, text, _) = await platform.RunAsync("", "events", "tail", "--no-follow", "--json");
        Assert.Equal((0, Entry + "\n"), (code, text));
    }

    [Fact]
    public async Task A_stream_is_printed_with_its_data_page_after_page()
    {
        string Page(string next) =>
            $$"""{"tenant":"demo","stream":"user-{{User}}","version":3,"created":"2026-03-02T09:00:00+00:00","last_changed":"2026-03-02T09:00:00+00:00","archived":true,"events":[{{Entry}}]{{next}}}""";
        platform.Answers($"GET /v1/events/streams/user-{User}?version=3", Page(",\"next\":2")).Answers($"GET /v1/events/streams/user-{User}?from=2&version=3", Page(""));
        var (code, text, error) = await platform.RunAsync("", "events", "stream", $"user-{User}", "--version", "3");
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("version 3, archived", text, StringComparison.Ordinal);
        Assert.Equal(2, text.Split("\"name\": \"İrem Işık\"").Length - 1);
        Assert.Equal(1, text.Split("stands at").Length - 1);
        Assert.Contains("by key:admin, correlation c1", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_figures_say_which_are_estimates()
    {
        platform.Answers(
            "GET /v1/events/stats",
            """
            {"at":"2026-03-02T09:00:00+00:00","events":{"count":1234567,"exact":false},"streams":{"count":12,"exact":true},"archived_streams":{"count":1,"exact":true},
             "tenants":{"exact":true,"counts":[{"name":"demo","count":7}]},"types":{"exact":false,"counts":[{"name":"call_ended","count":900},{"name":"call_held","count":100}]},
             "rates":{"last_minute":5,"last_hour":60,"last_day":1440,"per_minute":[{"minute":"2026-03-02T08:59:00+00:00","events":0},{"minute":"2026-03-02T09:00:00+00:00","events":5}]},
             "high_water":1234000,"last_number":1234002,"last_event_at":"2026-03-02T08:59:57+00:00","skipped":{"ranges":2,"numbers":40,"last_at":"2026-03-02T08:00:00+00:00"},
             "parked":[{"shard":"CallRecords:All","count":3,"oldest_at":"2026-03-02T08:00:00+00:00","newest_at":"2026-03-02T08:00:00+00:00"}],
             "shards":[{"shard":"CallRecords:All","position":1233000,"lag":1000,"last_moved":"2026-03-02T08:58:00+00:00","waiting_since":"2026-03-02T08:58:01+00:00"}],
             "append_queue":{"waiting":0,"capacity":4096},
             "oldest_transaction":{"process_id":77,"application":"psql","state":"idle in transaction","since":"2026-03-02T08:00:00+00:00","writes":true},
             "tables":[{"name":"mt_events","table_bytes":1048576,"index_bytes":2048,"estimated_rows":1234567}]}
            """);
        var (code, text, error) = await platform.RunAsync("", "events", "stats");
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("~1,234,567", text, StringComparison.Ordinal);
        Assert.Contains("12, 1 archived", text, StringComparison.Ordinal);
        Assert.Contains("1234000, 2 numbers drawn above it", text, StringComparison.Ordinal);
        Assert.Contains("select pg_terminate_backend(77)", text, StringComparison.Ordinal);
        Assert.Contains("CallRecords:All  1233000   1,000  1 min 59 s  2 min 0 s ago", text, StringComparison.Ordinal);
        Assert.Contains("call_ended  ~900    90 %", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10m", "2026-03-02T08:50:00.0000000+00:00")]
    [InlineData("2h", "2026-03-02T07:00:00.0000000+00:00")]
    [InlineData("3d", "2026-02-27T09:00:00.0000000+00:00")]
    [InlineData("2026-03-02T09:00+03:00", "2026-03-02T06:00:00.0000000+00:00")]
    [InlineData("10x", null)]
    [InlineData("m", null)]
    public void Moments_are_ago_or_a_date(string text, string? expected)
    {
        var clock = new ManualTime(new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero));
        Assert.Equal(expected, Moments.Parse(text, clock)?.ToUniversalTime().ToString("O"));
    }

    [Fact]
    public void A_small_value_still_shows_in_a_row_of_bars() => Assert.Equal(" ▂▅█", Bars.Spark([0, 1, 500, 1000]));
}
