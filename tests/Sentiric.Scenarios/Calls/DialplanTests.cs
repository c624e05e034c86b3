using Sentiric.Contracts.Events;
using Sentiric.Media;
using Sentiric.Phone;
using Sentiric.Scenarios.Kit;
using Sentiric.Testing.Platform;
using Xunit;
using Xunit.Abstractions;

namespace Sentiric.Scenarios.Calls;

/// <summary>The demo's extensions, one for each thing that a dialplan can do.</summary>
[Collection(Lanes.Calls)]
[Trait("Category", "Slow")]
public sealed class DialplanTests(SharedPlatform shared, ITestOutputHelper output)
{
    private static readonly TimeSpan EchoLimit = TimeSpan.FromSeconds(2);

    [PlatformFact]
    public async Task The_echo_test_brings_a_chirp_back()
    {
        var platform = await shared.GetAsync();
        await using var phone = await LoopbackPhone.StartAsync();
        await using var call = await platform.AnsweredAsync(phone, Calling.Echo);
        var record = await platform.Api.CallAsync(call.CallId);
        await platform.Api.PlayedAsync(record.CallId, UtteranceKind.Announcement);

        var chirp = Tone.Sweep(400, 2_400, TimeSpan.FromMilliseconds(400));
        using var ear = call.Listen();
        call.Play(chirp);
        var heard = await HearAsync(ear, EchoLimit);
        await call.HangUpAsync();
        var (correlation, at) = Sound.Find(chirp, heard);
        output.WriteLine($"correlation {correlation:0.000}, {at / 8} ms after the chirp began");
        Assert.True(correlation > 0.9, $"the best correlation is {correlation:0.000} in {heard.Length / 8} ms");
        Assert.Equal(DialplanAction.EchoTest, (await platform.Api.EndedCallAsync(call.CallId)).Action);
    }

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

    private static async Task<short[]> HearAsync(MediaListener ear, TimeSpan length)
    {
        var heard = new List<short>();
        var enough = (int)(length.TotalSeconds * 8_000);
        await foreach (var frame in ear.Frames.ReadAllAsync())
        {
            heard.AddRange(frame.Pcm.Span);
            if (heard.Count >= enough)
            {
                break;
            }
        }

        return [.. heard];
    }
}
