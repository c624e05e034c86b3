using Sentiric.Phone;
using Sentiric.Scenarios.Kit;
using Sentiric.Sip;
using Sentiric.Testing.Platform;
using Xunit;
using Xunit.Abstractions;

namespace Sentiric.Scenarios.Peers;

/// <summary>linphonec against our stack and our media, without the platform.</summary>
[Trait("Category", "Slow")]
public sealed class LinphoneMatrixTests(ITestOutputHelper output)
{
    [PeerTheory("linphonec")]
    [InlineData(SipTransportKind.Udp)]
    [InlineData(SipTransportKind.Tcp)]
    [InlineData(SipTransportKind.Tls)]
    public async Task A_call_of_linphone_carries_both_voices_and_ends(SipTransportKind transport)
    {
        await using var pair = await BothAsync();
        await using var call = await TakeAsync(pair, transport);
        output.WriteLine(await pair.BothVoicesAsync(call));
        await pair.Theirs.TypeAsync("terminate");
        Assert.Equal(SipDialogEndCause.RemoteBye, (await Until.DoneAsync("linphone's BYE", call.Ended, Calling.Patience)).Cause);
    }

    [PeerFact("linphonec")]
    public async Task A_call_to_linphone_carries_both_voices_and_ends()
    {
        await using var pair = await BothAsync();
        await pair.Theirs.TypeAsync("autoanswer enable");
        await pair.Theirs.SaysAsync("Auto answer enabled");
        await using var call = await pair.CallAsync(pair.Theirs.Address());
        output.WriteLine(await pair.BothVoicesAsync(call));
        await call.HangUpAsync();
        await pair.Theirs.SaysAsync("ended");
    }

    [PeerFact("linphonec")]
    public async Task Linphone_holds_us_and_takes_us_back()
    {
        await using var pair = await BothAsync();
        await using var call = await TakeAsync(pair, SipTransportKind.Udp);
        await pair.Theirs.SaysAsync("Media streams established");
        await pair.AreHeldAndTakenBackAsync(call, () => pair.Theirs.TypeAsync("pause"), async () =>
        {
            await pair.Theirs.SaysAsync("paused");
            await pair.Theirs.TypeAsync("resume");
        });
        output.WriteLine(await pair.BothVoicesAsync(call));
        await call.HangUpAsync();
    }

    private static Task<PhonePair<LinphonePeer>> BothAsync() => PhonePair<LinphonePeer>.StartAsync(LinphonePeer.StartAsync);

    private static async Task<PhoneCall> TakeAsync(PhonePair<LinphonePeer> pair, SipTransportKind transport)
    {
        await pair.Theirs.TypeAsync($"call {pair.Ours.AddressOf("us", transport)}".Replace("127.0.0.1", "localhost", StringComparison.Ordinal));
        return await pair.TakeAsync();
    }
}
