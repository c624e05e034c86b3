using System.Globalization;
using Sentiric.Contracts.Events;
using Sentiric.Media;
using Sentiric.Scenarios.Kit;
using Sentiric.Testing;
using Sentiric.Testing.Platform;
using Xunit;
using Xunit.Abstractions;

namespace Sentiric.Scenarios.Peers;

/// <summary>A call that sipp places: another SIP stack, another RTP sender, and a packet counter that is not ours.</summary>
[Collection(Lanes.Quiet)]
[Trait("Category", "Slow")]
public sealed class SippTests(SharedPlatform shared, ITestOutputHelper output) : IDisposable
{
    private const string Sentence = "çalışma saatleriniz nedir";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly string folder = Directory.CreateTempSubdirectory("sentiric-sipp-").FullName;

    [PlatformFact("sipp", "tshark")]
    public async Task A_caller_of_sipp_is_understood_and_answered_with_RTP_every_20_ms()
    {
        var platform = await shared.GetAsync();
        await SpokenFile.WriteAsync(Path.Combine(folder, "caller.alaw"), Sentence);
        var (sipPort, rtpPort) = (FreePorts.Next(), FreePorts.Next());
        await using var capture = await RtpCapture.StartAsync(rtpPort, Path.Combine(folder, "rtp.pcap"));
        var sipp = await Programs.RunAsync(
            "sipp",
            ["-sf", Repository.PathOf("tests", "Sentiric.Scenarios", "sipp", "ask.xml"), "-s", Calling.Assistant, "-i", "127.0.0.1", "-p", Text(sipPort),
             "-mi", "127.0.0.1", "-mp", Text(rtpPort), "-m", "1", "-r", "1", "-nostdin", "-timeout", "50s",
             $"127.0.0.1:{platform.SipPort}"],
            Limit, folder);
        Assert.True(sipp.ExitCode == 0, $"sipp ended with {sipp.ExitCode}:\n{sipp.Output}\n{sipp.Error}");

        var record = await platform.Api.EndedCallAsync((await NewestAsync(platform)).SipCallId);
        var story = await platform.Api.StoryAsync(record.CallId);
        var heard = string.Join(' ', story.CallerLines());
        output.WriteLine($"said: {Sentence}; heard: {heard}");
        Assert.True(WordErrors.Rate(Sentence, heard) <= 0.2, $"said \"{Sentence}\", heard \"{heard}\"");
        Assert.Contains(story.All<DialogTurnCompleted>(), t => t.Answered.Contains("açığız", StringComparison.Ordinal));
        var recorded = (await Peers.Sentence.SpokenAsync(Sentence)).In(await RecordedEcho.OtherSideAsync(platform.Api, record.CallId));
        output.WriteLine($"recorded with {recorded:F4}");
        Assert.True(recorded > Peers.Sentence.Likeness, $"the recording is like the file by {recorded:F3}");

        var rtp = await capture.StopAsync();
        output.WriteLine($"{rtp}");
        Assert.True(rtp.Packets > 400, $"{rtp}");
        Assert.Equal(0, rtp.SequenceJumps);
        Assert.Equal(0, rtp.TimestampJumps);
        Assert.InRange(rtp.MeanIntervalMs, 19.5, 20.5);
        Assert.True(rtp.MaxGapMs < 200, $"{rtp}");
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static async Task<Contracts.Queries.CallRecord> NewestAsync(RunningPlatform platform) => await Until.AsksAsync(
        "sipp's call in the records", async () => (await platform.Api.CallsAsync()).FirstOrDefault(c => c.From.Contains("5550001122", StringComparison.Ordinal)), Limit);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
