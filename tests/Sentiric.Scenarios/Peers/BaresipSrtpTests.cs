using Sentiric.Media;
using Sentiric.Phone;
using Xunit;
using Xunit.Abstractions;

namespace Sentiric.Scenarios.Peers;

/// <summary>baresip with its srtp module (libsrtp): keys in the SDP, both voices asserted by correlation.</summary>
[Trait("Category", "Slow")]
public sealed class BaresipSrtpTests(ITestOutputHelper output)
{
    /// <summary>
    /// Before its keys are set up baresip 1.0.0 sends one RTCP packet in the clear, to open a hole in a NAT: APP (204), its name PING, its content PONG. It sends the same
    /// again, sealed. On an encrypted leg the first one is not from whoever has the key, and is dropped as such.
    /// </summary>
    private const int MaxInTheClear = 1;

    [PeerFact("baresip")]
    public async Task A_call_of_baresip_over_SRTP_carries_both_voices()
    {
        await using var pair = await PhonePair<BaresipPeer>.StartAsync(BaresipPeer.StartSecureAsync);
        await pair.Theirs.CommandAsync("dial", pair.Ours.AddressOf("us").ToString());
        await using var call = await pair.TakeAsync();
        output.WriteLine(await pair.BothVoicesAsync(call));
        AssertSealed(call);
        await call.HangUpAsync();
    }

    [PeerFact("baresip")]
    public async Task A_call_to_baresip_over_SRTP_carries_both_voices()
    {
        await using var pair = await PhonePair<BaresipPeer>.StartAsync(BaresipPeer.StartSecureAsync);
        var secure = MediaCapabilities.Default with { Srtp = SrtpPolicy.Required };
        await using var call = await pair.CallAsync(pair.Theirs.Address(), capabilities: secure);
        output.WriteLine(await pair.BothVoicesAsync(call));
        AssertSealed(call);
        await call.HangUpAsync();
    }

    private void AssertSealed(PhoneCall call)
    {
        var quality = call.Media.Quality();
        output.WriteLine($"{quality.Srtp?.WireName()}, {quality.Received} packets, {quality.Forged} forged, {quality.Replayed} replayed");
        Assert.NotNull(quality.Srtp);
        Assert.True(quality.Forged <= MaxInTheClear && quality.Replayed == 0, $"{quality}");
    }
}
