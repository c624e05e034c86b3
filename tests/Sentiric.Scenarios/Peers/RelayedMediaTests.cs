using Sentiric.Contracts.Events;
using Sentiric.Scenarios.Kit;
using Sentiric.Sip;
using Sentiric.Testing.Platform;
using Xunit;
using Xunit.Abstractions;

namespace Sentiric.Scenarios.Peers;

/// <summary>As carriers do it: kamailio in the way of the messages, rtpengine in the way of the audio, a foreign telephone at the end. What it says comes back and is recorded.</summary>
[Collection(Lanes.Wire)]
[Trait("Category", "Slow")]
public sealed class RelayedMediaTests(SharedPlatform shared, ITestOutputHelper output) : IDisposable
{
    private const string Text = "merhaba, randevumu yarın öğleden sonraya almak istiyorum";
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(90);
    private readonly string folder = Directory.CreateTempSubdirectory("sentiric-relay-").FullName;

    [PlatformFact("kamailio", "rtpengine", "baresip")]
    public async Task A_spoken_file_goes_through_kamailio_and_rtpengine_into_the_recording_and_back_to_the_caller()
    {
        var platform = await shared.GetAsync();
        await RecordedEcho.PublishAsync(platform.Api);
        var sentence = await Sentence.SpokenAsync(Text);
        await using var relay = await RtpEngineRelay.StartAsync(folder);
        await using var kamailio = await KamailioProxy.StartAsync(folder, platform.SipPort, SipTransportKind.Udp, rtpengine: relay.Port);
        await using var baresip = await BaresipPeer.StartAsync(Path.Combine(folder, "peer"), sentence.Repeated(Long));
        await baresip.CommandAsync("dial", kamailio.Number(RecordedEcho.Number).ToString());
        await baresip.EventAsync("CALL_ESTABLISHED");

        var back = 0.0;
        await Until.TrueAsync(
            "the sentence to come back", () => Task.FromResult((back = sentence.LatelyIn(baresip.Heard())) > Sentence.Likeness), Long,
            () => $"likeness {back:F3} in {baresip.Heard().Length} samples\n{baresip.Said}\n{kamailio.Said}\n{relay.Said}");
        var begun = await Until.AsksAsync(
            "baresip's call in the records", async () => (await platform.Api.CallsAsync()).FirstOrDefault(c => c.To == RecordedEcho.Number && c.EndReason is null), Calling.Patience);
        var relayed = await relay.RelayedAsync(begun.SipCallId);
        await baresip.CommandAsync("hangup");

        var record = await platform.Api.EndedCallAsync(begun.SipCallId);
        var recorded = sentence.In(await RecordedEcho.OtherSideAsync(platform.Api, record.CallId));
        output.WriteLine($"{relayed} packets relayed; the sentence is recorded with {recorded:F4} and came back with {back:F4}; MOS {record.Mos}");
        Assert.True(recorded > Sentence.Likeness, $"the recording is like the sentence by {recorded:F3}");
        Assert.True(relayed > 100, $"rtpengine relayed {relayed} packets\n{relay.Said}");
        Assert.Equal(CallEndReason.Normal, record.EndReason);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
