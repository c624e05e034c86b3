using Sentiric.Contracts.Events;
using Sentiric.Scenarios.Kit;
using Sentiric.Testing.Platform;
using Xunit;

namespace Sentiric.Scenarios.Calls;

/// <summary>The demo's extensions, one for each thing that a dialplan can do.</summary>
[Collection(Lanes.Calls)]
[Trait("Category", "Slow")]
public sealed class DialplanTests(SharedPlatform shared)
{
    [PlatformFact]
    public async Task The_announcement_is_played_to_its_end_and_the_caller_hung_up_on() =>
        await HearsAndIsHungUpOnAsync(Calling.Announcement, "normal", "ilk muayene ücretsiz", CallEndReason.Normal);

    [PlatformFact]
    public async Task Out_of_hours_the_caller_hears_so_and_is_hung_up_on() =>
        await HearsAndIsHungUpOnAsync(Calling.Closed, "off_hours", "kapalıyız", CallEndReason.AfterHours);

    [PlatformFact]
    public async Task In_maintenance_the_caller_hears_so_and_is_hung_up_on() =>
        await HearsAndIsHungUpOnAsync(Calling.Maintenance, "maintenance", "bakım", CallEndReason.Maintenance);

    [PlatformFact]
    public async Task A_caller_whom_nobody_knows_becomes_a_guest_once()
    {
        var platform = await shared.GetAsync();
        const string stranger = "+905559998877";
        var first = await platform.CallAsync(Calling.Script("silent") with { Steps = [new(HangUp: true, AfterMs: 300)] }, Calling.Announcement, stranger);
        var second = await platform.CallAsync(Calling.Script("silent") with { Steps = [new(HangUp: true, AfterMs: 300)] }, Calling.Announcement, stranger);
        var (one, two) = (await platform.Api.EndedCallAsync(first.SipCallId), await platform.Api.EndedCallAsync(second.SipCallId));
        Assert.Single((await platform.Api.StoryAsync(one.CallId)).All<UserCreatedForCall>());
        Assert.Single((await platform.Api.StoryAsync(two.CallId)).All<UserIdentifiedForCall>());
        Assert.Equal(one.UserId, two.UserId);
    }

    private async Task HearsAndIsHungUpOnAsync(string number, string why, string words, CallEndReason reason)
    {
        var platform = await shared.GetAsync();
        var report = await platform.CallAsync(Calling.Script("silent"), number);
        var record = await platform.Api.EndedCallAsync(report.SipCallId);
        var story = await platform.Api.StoryAsync(record.CallId);
        Assert.True(report is { Ok: true, HungUpBy: "callee" }, $"{report.End} by {report.HungUpBy}: {report.Problem}");
        Assert.Equal((why, reason), (record.Why, record.EndReason));
        var said = story.All<PlaybackStarted>().Single(p => p.Text.Contains(words, StringComparison.Ordinal));
        Assert.Contains(story.All<PlaybackFinished>(), p => p.PlaybackId == said.PlaybackId);
    }
}
