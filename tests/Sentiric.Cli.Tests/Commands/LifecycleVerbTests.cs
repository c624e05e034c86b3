using Microsoft.AspNetCore.Http;
using Xunit;

namespace Sentiric.Cli.Tests.Commands;

public sealed class LifecycleVerbTests : IAsyncLifetime
{
    private const string Truncation =
        """{"tenant":"demo","stream":"chat-1","before_version":7,"events":6,"first_position":1,"last_position":6,"sha256":"ab12","why":"retention","actor":"key:admin","at":"2026-03-02T09:00:00+00:00"}""";

    private FakePlatform platform = null!;

    public async Task InitializeAsync() => platform = await FakePlatform.StartAsync();

    public async Task DisposeAsync() => await platform.DisposeAsync();

    [Theory]
    [InlineData("the id of a stream is missing.", "events", "archive")]
    [InlineData("--before is missing.", "events", "truncate", "chat-1", "--reason", "x")]
    [InlineData("--reason is missing.", "events", "truncate", "chat-1", "--before", "3")]
    [InlineData("--older-than is missing.", "events", "files", "archive")]
    [InlineData("--older-than is a number", "events", "files", "archive", "--older-than", "0")]
    [InlineData("archive, restore or verify is needed.", "events", "files", "burn")]
    public async Task What_is_half_said_asks_for_nothing(string message, params string[] args)
    {
        var (code, _, error) = await platform.RunAsync("", args);
        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Empty(platform.Asked);
    }

    [Fact]
    public async Task A_stream_is_closed_and_opened_by_its_name()
    {
        platform.Answers("POST /v1/events/streams/chat-1/archive", "", 204).Answers("POST /v1/events/streams/chat-1/unarchive", "", 204);
        Assert.Equal((0, "chat-1 is closed\n", ""), await platform.RunAsync("", "events", "archive", "chat-1"));
        Assert.Equal((0, "chat-1 is open\n", ""), await platform.RunAsync("", "events", "unarchive", "chat-1"));
    }

    [Fact]
    public async Task What_was_deleted_is_told_with_its_hash()
    {
        platform.Answers("POST /v1/events/streams/chat-1/truncate", Truncation).Answers("GET /v1/events/streams/chat-1/truncations", $"[{Truncation}]");
        foreach (var args in new[] { new[] { "events", "truncate", "chat-1", "--before", "7", "--reason", "retention" }, ["events", "truncations", "chat-1"] })
        {
            var (code, text, _) = await platform.RunAsync("", args);
            Assert.Equal(0, code);
            Assert.Contains("6 events before version 7 deleted by key:admin: retention  sha256 ab12", text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(""","signed_at":"2026-03-02T09:00:02+00:00","ordered_by":"0123456789abcdef","order":"ordered"}""", "sha256 ab12  (record signed 2026-03-02 09:00:02Z, ordered with key 0123456789abcdef)\n")]
    [InlineData(""","ordered_by":"0123456789abcdef","order":"ordered"}""", "sha256 ab12  (record not signed, ordered with key 0123456789abcdef)\n")]
    [InlineData(""","order":"before_orders"}""", "sha256 ab12  (record not signed, from before the first order: nobody is shown to have ordered it, so you must know it)\n")]
    [InlineData(""","order":"not_ordered"}""", "sha256 ab12  (record not signed, NOT ORDERED: no key of the platform vouches for it)\n")]
    [InlineData("}", "sha256 ab12\n")]
    public async Task A_truncation_is_told_with_who_ordered_it(string rest, string said)
    {
        platform.Answers("GET /v1/events/streams/chat-1/truncations", $"[{Truncation[..^1]}{rest}]");
        Assert.EndsWith(said, (await platform.RunAsync("", "events", "truncations", "chat-1")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_are_moved_and_checked()
    {
        platform.Answers("POST /v1/events/files/archive", """{"streams":2,"events":40,"bytes":1200}""").Answers("POST /v1/events/files/verify", """{"files":1,"unused":["streams-x.ndjson.gz"]}""");
        Assert.Equal((0, "40 events of 2 streams moved into files; files of 1,200 bytes\n", ""), await platform.RunAsync("", "events", "files", "archive", "--older-than", "365"));
        var (code, text, _) = await platform.RunAsync("", "events", "files", "verify");
        Assert.Equal(0, code);
        Assert.Contains("no stream lies in streams-x.ndjson.gz", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST /v1/erasures/master-key", """{"key_id":"second"}""", "erase", "rewrap")]
    [InlineData("POST /v1/erasures", """{"state":"dry_run","subject_hash":"aa","keys":1,"streams":["call-1"]}""", "erase", "+905321112233", "--dry-run")]
    [InlineData("POST /v1/events/files/archive", """{"streams":2,"events":40,"bytes":1200}""", "events", "files", "archive", "--older-than", "365")]
    [InlineData("POST /v1/events/files/verify", """{"files":1,"unused":["x"]}""", "events", "files", "verify")]
    [InlineData("DELETE /v1/projections/relay/parked/7", """{"position":7,"outcome":"discarded"}""", "projections", "discard", "relay", "7")]
    public async Task Json_is_what_the_API_answered_and_nothing_beside_it(string asked, string answer, params string[] args)
    {
        platform.Answers(asked, answer);
        Assert.Equal((0, answer + "\n", ""), await platform.RunAsync("", [.. args, "--json"]));
    }

    [Fact]
    public async Task A_receipt_is_asked_for_by_an_id() =>
        Assert.StartsWith("nope is no id of an erasure", (await platform.RunAsync("", "erase", "receipt", "nope")).Error, StringComparison.Ordinal);

    [Fact]
    public async Task Every_parked_event_is_tried_however_many_there_are()
    {
        var parked = Enumerable.Range(1, 1_201).ToList();
        platform.Answers("GET /v1/projections/relay/parked?limit=500", http => http.Response.WriteAsync($"[{string.Join(',', parked.Take(500).Select(Parked))}]"));
        foreach (var position in parked.ToList())
        {
            platform.Answers($"POST /v1/projections/relay/parked/{position}/retry", http =>
            {
                // Two of them fail again and stay at the head of the list.
                if (position > 2) parked.Remove(position);
                return http.Response.WriteAsync($$"""{"position":{{position}},"outcome":"{{(position > 2 ? "applied" : "failed_again")}}"}""");
            });
        }

        var (code, text, _) = await platform.RunAsync("", "projections", "retry", "relay", "--all");
        Assert.Equal(1, code);
        Assert.Equal([1, 2], parked);
        Assert.Equal(1_201, text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    private static string Parked(int position) =>
        $$"""{"position":{{position}},"tenant":"demo","event_type":"x","parked_at":"2026-11-22T12:00:00Z","error_type":"E","error_message":"m"}""";

    [Fact]
    public async Task Rewrapping_names_the_master_key()
    {
        platform.Answers("POST /v1/erasures/master-key", """{"key_id":"second"}""");
        Assert.Contains("master key second", (await platform.RunAsync("", "erase", "rewrap")).Out, StringComparison.Ordinal);
    }
}
