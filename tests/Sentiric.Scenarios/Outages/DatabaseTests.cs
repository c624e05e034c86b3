using Sentiric.Contracts.Events;
using Sentiric.Scenarios.Kit;
using Sentiric.Testing.Platform;
using Xunit;
using Xunit.Abstractions;

namespace Sentiric.Scenarios.Outages;

/// <summary>PostgreSQL goes away in the middle of a call.</summary>
[Trait("Category", "Slow")]
public sealed class DatabaseTests(ITestOutputHelper output)
{
    [PlatformFact]
    public async Task A_database_that_is_gone_for_some_turns_loses_no_event_and_the_call_goes_on()
    {
        TcpProxy? wire = null;
        await using var platform = await RunningPlatform.StartAsync(new PlatformOptions
        {
            ThroughPostgres = own =>
            {
                var builder = new Npgsql.NpgsqlConnectionStringBuilder(own);
                wire ??= new TcpProxy(builder.Host ?? "127.0.0.1", builder.Port);
                return wire.Postgres(own);
            },
        });
        Assert.NotNull(wire);
        await using var cable = wire;
        long cutAt = 0, mendedAt = 0;
        var report = await platform.CallAsync(Calling.Script("demo-tr"), tell: happened =>
        {
            if (happened is { Event: "answer_heard", Step: 1 })
            {
                cutAt = happened.AtMs;
                cable.Cut();
            }
            else if (happened is { Event: "answer_heard", Step: 3 })
            {
                mendedAt = happened.AtMs;
                cable.Mend();
            }
        });
        output.WriteLine($"PostgreSQL was gone for {mendedAt - cutAt} ms; latencies {string.Join(' ', report.LatenciesMs())} ms");
        Assert.True(mendedAt - cutAt > 4_000, $"it was gone for {mendedAt - cutAt} ms only");
        Assert.True(report.Ok, $"{report.End}: {report.Problem}");
        var record = await platform.Api.EndedCallAsync(report.SipCallId, TimeSpan.FromSeconds(30));
        var story = await platform.Api.StoryAsync(record.CallId);
        Assert.Equal(report.Steps.Count(s => s.Kind == "say"), story.All<DialogTurnCompleted>().Count());
        Assert.Equal(story.Entries.Count, story.Entries.Select(e => e.Id).Distinct().Count());
        Assert.Equal(CallEndReason.Normal, record.EndReason);
        Assert.Single(story.All<ToolSucceeded>());
        Assert.Single(story.All<CallEnded>());
    }
}
