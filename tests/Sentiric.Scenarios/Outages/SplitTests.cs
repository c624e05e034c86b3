using Sentiric.Contracts.Events;
using Sentiric.Scenarios.Kit;
using Sentiric.Testing.Platform;
using Xunit;
using Xunit.Abstractions;

namespace Sentiric.Scenarios.Outages;

/// <summary>Every role in a process of its own, over HTTP, RabbitMQ and Redis.</summary>
[Collection(Lanes.Quiet)]
[Trait("Category", "Slow")]
public sealed class SplitTests(ITestOutputHelper output)
{
    [PlatformFact(Servers = [Servers.RabbitVariable, Servers.RedisVariable])]
    public async Task The_demo_call_goes_through_eight_processes_as_through_one()
    {
        await using var platform = await RunningPlatform.StartAsync(new PlatformOptions { Split = true, Rabbit = Servers.Rabbit, Redis = Servers.Redis() });
        var report = await platform.CallAsync(Calling.Script("demo-tr"));
        Assert.True(report.Ok, $"{report.End}: {report.Problem}\n{platform.Log()}");
        var record = await platform.Api.EndedCallAsync(report.SipCallId);
        var detail = await platform.Api.DetailAsync(record.CallId);
        var story = await platform.Api.StoryAsync(record.CallId);
        output.WriteLine($"latencies heard {string.Join(' ', report.LatenciesMs())} ms, own {string.Join(' ', detail.Turns.Select(t => t.Latency.TotalMs))} ms; {report.Rtp}");

        Assert.True(detail.Turns.Count >= 3, $"{detail.Turns.Count} turns");
        Assert.Single(story.All<ToolSucceeded>());
        Assert.Contains(story.All<KnowledgeSearched>(), s => s.Hits.Count > 0);
        var said = string.Join(' ', report.Steps.Where(s => s.Kind == "say").Select(s => s.ExpectHeard));
        Assert.True(WordErrors.Rate(said, string.Join(' ', story.CallerLines())) <= 0.2, string.Join(" | ", story.CallerLines()));
        Assert.Equal((CallEndReason.Normal, HungUpBy.Callee, true), (record.EndReason, record.HungUpBy, record.Answered));
        Assert.NotNull(record.RecordingSha256);
        Assert.NotNull(record.Mos);
        Assert.Single(story.All<AgentTookOver>());
    }
}
