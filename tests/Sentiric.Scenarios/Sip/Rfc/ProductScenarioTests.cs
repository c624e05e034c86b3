using System.Globalization;
using Sentiric.Contracts.Events;
using Sentiric.Scenarios.Kit;
using Sentiric.Testing.Platform;
using Xunit;

namespace Sentiric.Scenarios.Sip.Rfc;

/// <summary>Scenarios of sipp against the whole platform: what is answered by its media, not by the stack alone.</summary>
[Collection(Lanes.Wire)]
[Trait("Category", "Slow")]
public sealed class ProductScenarioTests(SharedPlatform shared)
{
    [PlatformFact("sipp")]
    public Task Hold_is_answered_and_taken_back() => PlayAsync("rfc3264-8.4-hold-is-answered-and-taken-back");

    [PlatformFact("sipp")]
    public Task Port_and_codec_change_in_a_call() => PlayAsync("rfc3264-8.3-port-and-codec-change-in-a-call");

    [PlatformFact("sipp")]
    public Task An_offer_without_anything_in_common_gets_488() => PlayAsync("rfc3264-6-an-offer-without-anything-in-common-gets-488");

    [PlatformFact("sipp")]
    public Task G729_first_is_answered_with_G711_and_the_offered_event_type() => PlayAsync("rfc3264-6.1-g729-first-is-answered-with-g711-and-the-offered-event-type");

    [CaptureFact]
    public async Task The_keys_of_captures_arrive_each_once()
    {
        var callId = await PlayAsync(RfcScenarios.KeysOfCaptures);
        var platform = await shared.GetAsync();
        var record = await platform.Api.EndedCallAsync(callId);
        Assert.Equal("123456789*#0", string.Concat((await platform.Api.StoryAsync(record.CallId)).All<DtmfReceived>().Select(d => d.Digit)));
    }

    private async Task<string> PlayAsync(string scenario)
    {
        var platform = await shared.GetAsync();
        var callId = $"{Guid.NewGuid():N}@sipp";
        var fault = await Sipp.RunAsync(
            scenario, FreePorts.Next(), ["-s", Calling.Echo, "-mp", Sipp.Text(FreePorts.Next()), "-cid_str", callId, string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{platform.SipPort}")]);
        Assert.True(fault is null, fault);
        return callId;
    }

    private sealed class CaptureFactAttribute : FactAttribute
    {
        private const string Capture = "/usr/share/sip-tester/dtmf_2833_0.pcap";

        public CaptureFactAttribute() => Skip = new PlatformFactAttribute("sipp").Skip
            ?? (!Environment.IsPrivilegedProcess ? "sipp plays a capture through a raw socket, which only root may open"
                : !File.Exists(Capture) ? $"{Capture} is not there" : null);
    }
}
