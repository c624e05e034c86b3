using Sentiric.Contracts.Events;
using Sentiric.Scenarios.Kit;
using Sentiric.Testing.Platform;
using Xunit;
using Xunit.Abstractions;

namespace Sentiric.Scenarios.Outages;

/// <summary>RabbitMQ between the roles: it goes away in the middle of a call, and it delivers twice.</summary>
[Collection(Lanes.Broker)]
[Trait("Category", "Slow")]
public sealed class BrokerTests(ITestOutputHelper output)
{
    [PlatformFact(Servers = [Servers.RabbitVariable])]
    public async Task A_broker_that_is_gone_for_a_while_loses_no_event_and_the_call_goes_on()
    {
        var address = new UriBuilder(Servers.Rabbit);
        await using var wire = new TcpProxy(address.Host, address.Port);
        await using var ear = await BrokerEar.ListenAsync(Servers.Rabbit);
        var cut = new UriBuilder(address.Uri) { Host = "127.0.0.1", Port = wire.Port };
        await using var platform = await RunningPlatform.StartAsync(new PlatformOptions { Rabbit = cut.Uri.AbsoluteUri });

        var report = await platform.CallAsync(Calling.Script("demo-tr"), tell: happened =>
        {
            if (happened is { Event: "answer_heard", Step: 1 })
            {
                wire.Cut();
            }
            else if (happened is { Event: "answer_heard", Step: 4 })
            {
                wire.Mend();
            }
        });
        Assert.True(report.Ok, $"{report.End}: {report.Problem}");
        var record = await platform.Api.EndedCallAsync(report.SipCallId);
        var story = await platform.Api.StoryAsync(record.CallId);
        await Until.TrueAsync(
            "the broker to deliver call.ended", () => Task.FromResult(ear.Heard.Any(e => e.CallId == record.CallId && e.Type == "call.ended")), TimeSpan.FromSeconds(60));
        var heard = ear.Heard.Where(e => e.CallId == record.CallId).ToList();
        var firsts = heard.DistinctBy(e => e.Id).ToList();
        output.WriteLine($"{story.Entries.Count} events; the broker delivered {heard.Count}, {heard.Count - firsts.Count} of them twice");
        Assert.Equal(story.Entries.Select(e => e.Id), firsts.Select(e => e.Id));
        Assert.Equal(CallEndReason.Normal, record.EndReason);
        Assert.Single(story.All<ToolSucceeded>());
        Assert.NotNull(record.RecordingSha256);
    }

    [PlatformFact(Servers = [Servers.RabbitVariable])]
    public async Task A_call_that_is_announced_twice_gets_one_agent()
    {
        await using var ear = await BrokerEar.ListenAsync(Servers.Rabbit);
        await using var platform = await RunningPlatform.StartAsync(new PlatformOptions { Rabbit = Servers.Rabbit });
        await using var phone = await Phone.LoopbackPhone.StartAsync();
        await using var call = await platform.AnsweredAsync(phone, Calling.Assistant);
        var record = await platform.Api.CallAsync(call.CallId);
        var started = await Until.AsksAsync(
            "call.started on the broker", () => Task.FromResult(ear.Heard.FirstOrDefault(e => e.CallId == record.CallId && e.Type == "call.started")), Calling.Patience);
        await ear.SayAgainAsync(started);
        await platform.Api.PlayedAsync(record.CallId, UtteranceKind.Greeting);
        await ear.SayAgainAsync(started);
        await call.HangUpAsync();
        await platform.Api.EndedCallAsync(call.CallId);
        var story = await platform.Api.StoryAsync(record.CallId);
        Assert.Single(story.All<AgentTookOver>());
        Assert.Single(story.All<PlaybackStarted>(), p => p.Text.StartsWith("Merhaba", StringComparison.Ordinal));
        Assert.Equal(3, ear.Heard.Count(e => e.Id == started.Id));
    }
}
