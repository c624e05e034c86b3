using Sentiric.Contracts.Events;
using Sentiric.Media;
using Sentiric.Phone;
using Sentiric.Scenarios.Kit;
using Sentiric.Testing.Platform;
using Xunit;
using Xunit.Abstractions;

namespace Sentiric.Scenarios.Peers;

/// <summary>baresip with its opus module, which speaks 48 kHz stereo; we hear and speak 8 kHz. Both take the system's libopus.</summary>
[Trait("Category", "Slow")]
public sealed class BaresipOpusTests(ITestOutputHelper output) : IDisposable
{
    private const string Text = "merhaba, yarınki randevumu sormak istiyorum";
    private const double Likeness = 0.7; // G.711 is held to 0.9; a voice comes through as well, but half of our bits repeat the packet before, which costs music. Measured 0.83 and more
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(90);
    private static readonly MediaCapabilities WithOpus = new([AudioCodec.Opus, AudioCodec.Pcma, AudioCodec.Pcmu]);
    private readonly string folder = Directory.CreateTempSubdirectory("sentiric-opus-").FullName;

    [PeerFact("baresip")]
    public async Task A_call_of_baresip_with_Opus_carries_both_voices_and_a_key()
    {
        await using var pair = await PhonePair<BaresipPeer>.StartAsync(BaresipPeer.StartWithOpusAsync, WithOpus);
        await pair.Theirs.CommandAsync("dial", pair.Ours.AddressOf("us").ToString());
        await using var call = await pair.TakeAsync();
        output.WriteLine(await pair.BothVoicesAsync(call, Likeness));
        AssertOpus(call);
        var pressed = new TaskCompletionSource<char>();
        using var watch = call.Media.Watch(e =>
        {
            if (e is MediaEvent.DtmfPressed key) pressed.TrySetResult(key.Digit);
        });
        await pair.Theirs.CommandAsync("sndcode", "7");
        Assert.Equal('7', await Until.DoneAsync("the key 7", pressed.Task, Calling.Patience));
        await call.HangUpAsync();
    }

    [PeerFact("baresip")]
    public async Task A_call_to_baresip_with_Opus_carries_both_voices()
    {
        await using var pair = await PhonePair<BaresipPeer>.StartAsync(BaresipPeer.StartWithOpusAsync, WithOpus);
        await using var call = await pair.CallAsync(pair.Theirs.Address());
        output.WriteLine(await pair.BothVoicesAsync(call, Likeness));
        AssertOpus(call);
        await call.HangUpAsync();
    }

    [PlatformFact("baresip")]
    public async Task A_caller_with_Opus_gets_it_where_the_platform_speaks_it_and_the_record_says_so()
    {
        var sentence = await Sentence.SpokenAsync(Text);
        await using var platform = await RunningPlatform.StartAsync(new PlatformOptions { Settings = new Dictionary<string, string> { ["Media__Codecs"] = "PCMA,opus" } });
        await RecordedEcho.PublishAsync(platform.Api);
        await using var baresip = await BaresipPeer.StartWithOpusAsync(folder, sentence.Repeated(Long));
        await baresip.CommandAsync("dial", platform.Number(RecordedEcho.Number).ToString());
        await baresip.EventAsync("CALL_ESTABLISHED");
        var back = 0.0;
        await Until.TrueAsync(
            "the sentence to come back", () => Task.FromResult((back = sentence.In(baresip.Heard())) > Likeness), Long,
            () => $"likeness {back:F3} in {baresip.Heard().Length} samples\n{baresip.Said}");
        var begun = await Until.AsksAsync(
            "baresip's call in the records", async () => (await platform.Api.CallsAsync()).FirstOrDefault(c => c.To == RecordedEcho.Number), Calling.Patience);
        await baresip.CommandAsync("hangup");

        var record = await platform.Api.EndedCallAsync(begun.SipCallId);
        var recorded = sentence.In(await RecordedEcho.OtherSideAsync(platform.Api, record.CallId));
        output.WriteLine($"the sentence is recorded with {recorded:F4} and came back with {back:F4}; MOS {record.Mos}, jitter {record.JitterMs} ms");
        Assert.True(recorded > Likeness, $"the recording is like the sentence by {recorded:F3}");
        Assert.Equal(("opus", CallEndReason.Normal), (record.Codec, record.EndReason));
        Assert.True(record.JitterMs < 20 && record.LossPercent < 1, $"{record}");
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private void AssertOpus(PhoneCall call)
    {
        var quality = call.Media.Quality();
        output.WriteLine($"{quality}");
        Assert.Equal((AudioCodec.Opus, 0), (quality.Codec, quality.Malformed));
        Assert.InRange(quality.RemoteJitterMs ?? 0, 0, 40);
    }
}
