using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Media;
using Sentiric.Read.Knowledge;
using Sentiric.Scenarios.Kit;
using Sentiric.Testing;
using Sentiric.Testing.Platform;
using Xunit;
using Xunit.Abstractions;

namespace Sentiric.Scenarios.Calls;

/// <summary>A caller books an appointment and asks a question: one call, looked at from every side.</summary>
[Collection(Lanes.Quiet)]
[Trait("Category", "Slow")]
public sealed class DemoCallTests(SharedPlatform shared, ITestOutputHelper output)
{
    private const double MostWordErrors = 0.20;
    private static readonly TimeSpan ReleaseLimit = TimeSpan.FromSeconds(5);

    [PlatformFact]
    public async Task The_caller_is_answered_says_everything_and_is_hung_up_on_after_the_good_bye()
    {
        var demo = await shared.DemoAsync();
        Assert.True(demo.Report.Ok, $"{demo.Report.End}: {demo.Report.Problem}");
        Assert.Equal(200, demo.Report.Statuses[^1]);
        Assert.Equal("callee", demo.Report.HungUpBy);
        output.WriteLine($"turn latencies as the caller heard them: {string.Join(' ', demo.Report.LatenciesMs())} ms; rtp {demo.Report.Rtp}");
    }

    [PlatformFact]
    public async Task The_agent_takes_at_least_three_turns_and_says_what_each_took()
    {
        var demo = await shared.DemoAsync();
        Assert.True(demo.Detail.Turns.Count >= 3, $"{demo.Detail.Turns.Count} turns");
        Assert.Equal(demo.Detail.Turns.Count, demo.Detail.Record.Turns);
        Assert.All(demo.Detail.Turns, t => Assert.InRange(t.Latency.TotalMs, 1, 10_000));
        foreach (var turn in demo.Detail.Turns)
        {
            output.WriteLine($"{turn.Turn}: \"{turn.Heard}\" ({turn.Confidence:0.00}) -> \"{turn.Answered}\" {turn.Latency}");
        }
    }

    [PlatformFact]
    public async Task The_appointment_stands_in_the_calendar()
    {
        var demo = await shared.DemoAsync();
        var called = demo.Story.One<ToolCalled>();
        Assert.Equal(("takvim", "book"), (called.Connector, called.Action));
        Assert.Equal(called.CallKey, demo.Story.One<ToolSucceeded>().CallKey);
        Assert.Empty(demo.Story.All<ToolFailed>());
    }

    [PlatformFact]
    public async Task The_question_is_answered_out_of_the_knowledge_base()
    {
        var demo = await shared.DemoAsync();
        var platform = await shared.GetAsync();
        var hit = demo.Story.All<KnowledgeSearched>().Last(s => s.Hits.Count > 0).Hits[0];
        var article = (await platform.Api.GetAsync<IReadOnlyList<ArticleRow>>("knowledge/articles")).Single(a => a.ArticleId == hit.ArticleId);
        var turn = demo.Detail.Turns.Single(t => t.Heard.Contains("çalışma saatleri", StringComparison.Ordinal));
        Assert.StartsWith(article.Answer, turn.Answered, StringComparison.Ordinal);
    }

    [PlatformFact]
    public async Task The_good_bye_is_heard_before_the_hang_up()
    {
        var demo = await shared.DemoAsync();
        var bye = demo.Story.All<PlaybackStarted>().Single(p => p.Kind == UtteranceKind.Goodbye);
        var played = demo.Story.All<PlaybackFinished>().Single(p => p.PlaybackId == bye.PlaybackId);
        var hangUp = demo.Story.All<SipMessageLogged>().Single(m => !m.Inbound && m.Summary.StartsWith("BYE", StringComparison.Ordinal));
        Assert.True(played.At <= hangUp.At, $"the good-bye ended at {played.At:O}, the BYE left at {hangUp.At:O}");
        var lastWordMs = demo.Report.Steps.Where(s => s.Kind == "say").Max(s => s.EndedMs) ?? 0;
        var agent = WavFile.Read(demo.CallerRecording).Channels[0];
        var heard = Sound.LoudMs(agent.AsSpan((int)(lastWordMs * 8)));
        Assert.True(heard > 1_000, $"after the caller's last words the caller heard {heard} ms of speech");
    }

    [PlatformFact]
    public async Task The_call_detail_record_is_complete()
    {
        var demo = await shared.DemoAsync();
        var record = demo.Detail.Record;
        Assert.Equal((long)(record.EndedAt - record.AnsweredAt)!.Value.TotalMilliseconds, record.TalkMs);
        Assert.Equal(record.TalkMs, record.BillableMs);
        var row = JsonSerializer.SerializeToNode(record, Wire.Json)!.AsObject();
        foreach (var name in new[] { "call_id", "started_at", "ringing_at", "answered_at", "ended_at", "ring_ms", "talk_ms", "billable_ms", "mos", "loss_percent", "jitter_ms", "recording_uri", "recording_sha256", "recording_ms", "sip_call_id" })
        {
            Assert.True(row[name] is not null, $"the record has no {name}");
            row[name] = $"<{name}>";
        }

        Golden.Check(row.ToJsonString(new JsonSerializerOptions(Wire.Json) { WriteIndented = true }), "tests", "Sentiric.Scenarios", "approved", "demo-call.cdr.json");
    }

    [PlatformFact]
    public async Task The_transcript_holds_what_the_caller_said()
    {
        var demo = await shared.DemoAsync();
        var said = string.Join(' ', demo.Report.Steps.Where(s => s.Kind == "say").Select(s => s.ExpectHeard));
        var heard = string.Join(' ', demo.Story.CallerLines());
        var (errors, words) = WordErrors.Count(said, heard);
        output.WriteLine($"said:  {said}\nheard: {heard}\n{errors} word errors in {words} words");
        Assert.True((double)errors / words <= MostWordErrors, $"{errors} word errors in {words} words.\nsaid:  {said}\nheard: {heard}");
    }

    [PlatformFact]
    public async Task The_recording_holds_both_sides_and_its_hash_is_the_one_of_the_event()
    {
        var demo = await shared.DemoAsync();
        var noted = demo.Story.One<RecordingAvailable>();
        var platform = await shared.GetAsync();
        var bytes = await platform.Api.Http.GetByteArrayAsync($"v1/calls/{demo.Detail.Record.CallId}/recording");
        Assert.Equal(noted.Sha256, Convert.ToHexStringLower(SHA256.HashData(bytes)));
        Assert.Equal(noted.Bytes, bytes.Length);
        var wav = WavFile.Parse(bytes);
        Assert.Equal((8_000, 2), (wav.SampleRate, wav.Channels.Count));
        Assert.All(wav.Channels, channel => Assert.True(Sound.LoudMs(channel) > 3_000, $"{Sound.LoudMs(channel)} ms of speech in a channel"));
    }

    [PlatformFact]
    public async Task The_speech_quality_is_summed_up_once()
    {
        var demo = await shared.DemoAsync();
        var summary = demo.Story.All<MediaQualityMeasured>().Single(q => q.Summary);
        Assert.True(summary.Mos > 4, $"MOS {summary.Mos}");
        Assert.Equal(0, summary.Lost);
        Assert.True(summary.Received > 1_000, $"{summary.Received} packets received");
        Assert.True(demo.Story.All<MediaQualityMeasured>().Any(q => !q.Summary), "no interval was measured");
        output.WriteLine($"{summary}");
    }

    [PlatformFact]
    public async Task Nothing_of_the_call_is_left_behind()
    {
        var demo = await shared.DemoAsync();
        var platform = await shared.GetAsync();
        Assert.DoesNotContain(await platform.Api.LiveAsync(), l => l.CallId == demo.Detail.Record.CallId);
        await Until.TrueAsync(
            $"the platform to hold its {demo.SocketsBefore} UDP sockets again", () => Task.FromResult(platform.UdpSockets() <= demo.SocketsBefore), ReleaseLimit,
            () => $"It holds {platform.UdpSockets()}.");
    }

    [PlatformFact]
    public async Task The_story_is_told_in_order_and_once()
    {
        var demo = await shared.DemoAsync();
        var types = demo.Story.Types.ToList();
        string[] once = ["call.received", "user.identified.for_call", "call.route.resolved", "call.ringing", "call.answered", "call.started", "agent.took_over", "call.ended"];
        Assert.Equal(once, types.Where(once.Contains));
        Assert.Equal("call.ended", types.Last());
        Assert.Equal(Enumerable.Range(1, types.Count).Select(v => (long)v), demo.Story.Entries.Select(e => e.Version));
        Assert.Equal(demo.Story.Entries.Count, demo.Story.Entries.Select(e => e.Id).Distinct().Count());
    }
}
