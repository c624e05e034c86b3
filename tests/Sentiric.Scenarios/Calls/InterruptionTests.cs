using Sentiric.Contracts.Events;
using Sentiric.Scenarios.Kit;
using Sentiric.Testing.Platform;
using Xunit;
using Xunit.Abstractions;

namespace Sentiric.Scenarios.Calls;

/// <summary>A caller who does not let the agent finish.</summary>
[Collection(Lanes.Quiet)]
[Trait("Category", "Slow")]
public sealed class InterruptionTests(SharedPlatform shared, ITestOutputHelper output)
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
}
