using System.Security.Cryptography;
using Sentiric.Contracts.Events;
using Sentiric.Media;
using Sentiric.Phone;
using Sentiric.Scenarios.Kit;
using Sentiric.Testing.Platform;
using Xunit;
using Xunit.Abstractions;

namespace Sentiric.Scenarios.Outages;

/// <summary>SIGKILL in the middle of a call, and a start after it.</summary>
[Trait("Category", "Slow")]
public sealed class CrashTests(ITestOutputHelper output)
{
    private static readonly TimeSpan OrphanLimit = TimeSpan.FromSeconds(90);

    [PlatformFact]
    public async Task After_a_crash_the_read_models_stand_the_recording_is_whole_and_the_broken_call_has_an_end()
    {
        await using var platform = await RunningPlatform.StartAsync();
        var earlier = await platform.CallAsync(Calling.Script("silent"), Calling.Announcement);
        var before = await platform.Api.EndedCallAsync(earlier.SipCallId);
        var storyBefore = await platform.Api.StoryAsync(before.CallId);

        await using var phone = await LoopbackPhone.StartAsync();
        await using var call = await platform.AnsweredAsync(phone, Calling.Assistant);
        var broken = await platform.Api.CallAsync(call.CallId);
        await platform.Api.PlayedAsync(broken.CallId, UtteranceKind.Greeting);
        await platform.KillAsync();
        await platform.StartAgainAsync();

        Assert.Equal(before, (await platform.Api.CallAsync(earlier.SipCallId)));
        Assert.Equal(storyBefore.Entries.Select(e => e.Id), (await platform.Api.StoryAsync(before.CallId)).Entries.Select(e => e.Id));

        // It lies there sealed; the start made it whole and told the call, so it is handed out as any other.
        Assert.Single(Directory.EnumerateFiles(platform.RecordingFolder, $"{broken.CallId}.wav.sealed", SearchOption.AllDirectories));
        var noted = (await platform.Api.StoryWithAsync<RecordingAvailable>(broken.CallId, limit: OrphanLimit)).One<RecordingAvailable>();
        var bytes = await platform.Api.Http.GetByteArrayAsync($"v1/calls/{broken.CallId}/recording");
        Assert.Equal((noted.Sha256, noted.Bytes), (Convert.ToHexStringLower(SHA256.HashData(bytes)), bytes.Length));
        var wav = WavFile.Parse(bytes);
        output.WriteLine($"the broken call's recording has {wav.Channels[0].Length / 8} ms");
        Assert.True(wav.Channels[1].Length > 16_000, $"{wav.Channels[1].Length / 8} ms are in the recording");
        Assert.True(Sound.LoudMs(wav.Channels[1]) > 1_000, "the agent's greeting is not in the recording");

        var ended = await platform.Api.EndedCallAsync(call.CallId, OrphanLimit);
        output.WriteLine($"the broken call ended: {ended.EndReason} by {ended.HungUpBy}, talked {ended.TalkMs} ms");
        Assert.Empty(await platform.Api.LiveAsync());
    }

    [PlatformFact]
    public async Task A_read_model_that_is_built_anew_has_the_same_rows()
    {
        await using var platform = await RunningPlatform.StartAsync();
        var report = await platform.CallAsync(Calling.Script("barge-in-tr"));
        await platform.Api.EndedCallAsync(report.SipCallId);
        Assert.Equal([0], await platform.StopAsync());
        await platform.StartAgainAsync();
        var before = await ReadTables.DumpAsync(platform.Database);
        foreach (var projection in before.Keys)
        {
            await platform.Api.RebuildAsync(projection);
        }

        var after = await ReadTables.DumpAsync(platform.Database);
        Assert.Equal(before.Keys, after.Keys);
        Assert.All(before.Keys, name => Assert.Equal(before[name], after[name]));
        Assert.All(before.Where(d => d.Key != "LiveCalls"), d => Assert.NotEqual("", d.Value));
    }
}
