using Sentiric.Contracts.Events;
using Sentiric.Media;
using Sentiric.Scenarios.Kit;
using Sentiric.Testing.Platform;
using Xunit;
using Xunit.Abstractions;

namespace Sentiric.Scenarios.Peers;

/// <summary>A call that baresip places, with a spoken WAV as its microphone.</summary>
[Collection(Lanes.Calls)]
[Trait("Category", "Slow")]
public sealed class BaresipTests(SharedPlatform shared, ITestOutputHelper output) : IDisposable
{
    private const string Sentence = "muayene ücreti ne kadar";
    private const string Modules = "/usr/lib/baresip/modules";
    private const string User = "+905550003344";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly string folder = Directory.CreateTempSubdirectory("sentiric-baresip-").FullName;

    [PlatformFact("baresip")]
    public async Task A_caller_of_baresip_is_understood_and_answered()
    {
        var platform = await shared.GetAsync();
        await ConfigureAsync(FreePorts.Next());
        await SpokenFile.WriteAsync(Path.Combine(folder, "caller.wav"), Sentence);
        var number = platform.Number(Calling.Assistant);
        var baresip = await Programs.RunAsync("baresip", ["-f", folder, "-v", "-t", "28", "-e", $"/dial {number}"], Limit, folder);

        var begun = await Until.AsksAsync(
            "baresip's call in the records", async () => (await platform.Api.CallsAsync()).FirstOrDefault(c => c.From.Contains(User[1..], StringComparison.Ordinal)),
            TimeSpan.FromSeconds(5), () => $"baresip said:\n{baresip.Output}\n{baresip.Error}");
        var record = await platform.Api.EndedCallAsync(begun.SipCallId);
        var story = await platform.Api.StoryAsync(record.CallId);
        var heard = string.Join(' ', story.CallerLines());
        output.WriteLine($"said: {Sentence}; heard: {heard}; {story.All<MediaQualityMeasured>().Single(q => q.Summary)}");
        Assert.True(WordErrors.Rate(Sentence, heard) <= 0.25, $"said \"{Sentence}\", heard \"{heard}\". baresip said:\n{baresip.Output}");
        Assert.Contains(story.All<DialogTurnCompleted>(), t => t.Answered.Contains("lira", StringComparison.Ordinal));
        Assert.Equal(CallEndReason.Normal, record.EndReason);
        Assert.True(record.Mos > 3.5, $"MOS {record.Mos}");
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    // net_interface takes an address: the name lo is not understood.
    private async Task ConfigureAsync(int port)
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "config"), $"""
            poll_method epoll
            sip_listen 127.0.0.1:{port}
            net_interface 127.0.0.1
            audio_source aufile,{folder}/caller.wav
            audio_player aufile,{folder}/heard.wav
            audio_alert none
            ausrc_srate 8000
            auplay_srate 8000
            rtp_timeout 60
            module_path {Modules}
            module g711.so
            module aufile.so
            module sndfile.so
            snd_path {folder}
            module_tmp account.so
            module_app menu.so

            """);
        await File.WriteAllTextAsync(Path.Combine(folder, "accounts"), $"<sip:{User}@127.0.0.1:{port}>;regint=0;audio_codecs=pcmu,pcma\n");
        await File.WriteAllTextAsync(Path.Combine(folder, "contacts"), "");
    }
}
