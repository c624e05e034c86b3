using Sentiric.Contracts.Events;
using Sentiric.Scenarios.Kit;
using Sentiric.Testing.Platform;
using Xunit;
using Xunit.Abstractions;

namespace Sentiric.Scenarios.Calls;

/// <summary>Callers who interrupt, who are silent, who vanish.</summary>
[Collection(PlatformCollection.Name)]
[Trait("Category", "Slow")]
public sealed class ConversationTests(SharedPlatform shared, ITestOutputHelper output)
{
    [PlatformFact]
    public async Task A_caller_who_interrupts_cuts_the_playback_and_the_history_holds_only_what_was_heard()
    {
        var platform = await shared.GetAsync();
        var report = await platform.CallAsync(Calling.Script("barge-in-tr"));
        var record = await platform.Api.EndedCallAsync(report.SipCallId);
        var story = await platform.Api.StoryAsync(record.CallId);

        var cut = Assert.Single(story.All<PlaybackInterrupted>());
        var begun = story.All<PlaybackStarted>().Single(p => p.PlaybackId == cut.PlaybackId);
        Assert.True(cut.HeardText.Length < begun.Text.Length, $"heard \"{cut.HeardText}\" of \"{begun.Text}\"");
        var line = story.All<TranscriptFinal>().Single(l => l.Speaker == Speaker.Agent && l.FullText is not null);
        Assert.Equal(begun.Text, line.FullText);
        Assert.StartsWith(line.Text.TrimEnd('…', '.', ' '), begun.Text, StringComparison.Ordinal);
        Assert.True(line.Text.Length < begun.Text.Length, $"the history says that all of \"{line.Text}\" was heard");
        Assert.True(report.Ok, $"{report.End}: {report.Problem}");
        var stopped = report.Steps.Single(s => s.AgentStoppedAfterMs is not null).AgentStoppedAfterMs;
        output.WriteLine($"the agent stopped {stopped} ms after the caller began; it had been heard for {cut.HeardMs} ms");
        Assert.InRange(stopped ?? -1, 0, 1_500);
    }

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
