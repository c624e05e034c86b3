using Sentiric.Contracts.Events;
using Sentiric.Scenarios.Kit;
using Sentiric.Testing.Platform;
using Xunit;

namespace Sentiric.Scenarios.Calls;

/// <summary>A caller who says nothing.</summary>
[Collection(Lanes.Calls)]
[Trait("Category", "Slow")]
public sealed class SilentCallerTests(SharedPlatform shared)
{
    [PlatformFact]
    public async Task A_silent_caller_is_asked_again_and_in_the_end_the_call_ends_by_policy()
    {
        var platform = await shared.GetAsync();
        var report = await platform.CallAsync(Calling.Script("silent"));
        var record = await platform.Api.EndedCallAsync(report.SipCallId);
        var story = await platform.Api.StoryAsync(record.CallId);
        Assert.True(report.Ok, $"{report.End}: {report.Problem}");
        Assert.Contains(story.All<PlaybackStarted>(), p => p.Kind == UtteranceKind.Reprompt);
        Assert.Equal((CallEndReason.Policy, HungUpBy.System), (record.EndReason, record.HungUpBy));
        Assert.Empty(story.CallerLines());
    }
}

/// <summary>A caller who is gone without a word, on a platform that notices soon.</summary>
[Trait("Category", "Slow")]
public sealed class VanishedCallerTests
{
    [PlatformFact]
    public async Task A_caller_who_vanishes_without_a_BYE_is_noticed_by_the_silence_of_the_media()
    {
        await using var platform = await RunningPlatform.StartAsync(new PlatformOptions { Settings = new Dictionary<string, string> { ["Media__TimeoutSeconds"] = "3" } });
        var sockets = platform.UdpSockets();
        var report = await platform.CallAsync(Calling.Script("abandon"));
        Assert.Equal("abandoned", report.End);
        var begun = await platform.Api.CallAsync(report.SipCallId);
        var story = await platform.Api.StoryWithAsync<MediaTimedOut>(begun.CallId);
        var record = await platform.Api.EndedCallAsync(report.SipCallId);
        Assert.Equal((CallEndReason.MediaTimeout, HungUpBy.System), (record.EndReason, record.HungUpBy));
        Assert.InRange(story.One<MediaTimedOut>().SilentSeconds, 3, 4);
        Assert.NotNull(record.RecordingSha256);
        await Until.TrueAsync($"the {sockets} UDP sockets of before", () => Task.FromResult(platform.UdpSockets() <= sockets), Calling.Patience, () => $"There are {platform.UdpSockets()}.");
    }
}
