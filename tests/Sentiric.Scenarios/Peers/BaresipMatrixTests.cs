using Sentiric.Media;
using Sentiric.Phone;
using Sentiric.Scenarios.Kit;
using Sentiric.Sip;
using Sentiric.Testing.Platform;
using Xunit;
using Xunit.Abstractions;

namespace Sentiric.Scenarios.Peers;

/// <summary>baresip against our stack and our media, without the platform: who calls, over what, hold from either side, keys.</summary>
[Trait("Category", "Slow")]
public sealed class BaresipMatrixTests(ITestOutputHelper output)
{
    [PeerTheory("baresip")]
    [InlineData(SipTransportKind.Udp)]
    [InlineData(SipTransportKind.Tcp)]
    [InlineData(SipTransportKind.Tls)]
    public async Task A_call_of_baresip_carries_both_voices_and_ends(SipTransportKind transport)
    {
        await using var pair = await BothAsync();
        await pair.Theirs.CommandAsync("dial", pair.Ours.AddressOf("us", transport).ToString());
        await using var call = await pair.TakeAsync();
        await pair.Theirs.EventAsync("CALL_ESTABLISHED");
        output.WriteLine(await pair.BothVoicesAsync(call));
        await pair.Theirs.CommandAsync("hangup");
        Assert.Equal(SipDialogEndCause.RemoteBye, (await Until.DoneAsync("baresip's BYE", call.Ended, Calling.Patience)).Cause);
    }

    [PeerTheory("baresip")]
    [InlineData(SipTransportKind.Udp)]
    [InlineData(SipTransportKind.Tcp)]
    public async Task A_call_to_baresip_carries_both_voices_and_ends(SipTransportKind transport)
    {
        await using var pair = await BothAsync();
        await using var call = await CallAsync(pair, transport);
        output.WriteLine(await pair.BothVoicesAsync(call));
        await call.HangUpAsync("Q.850;cause=16;text=\"Normal call clearing\"");
        await pair.Theirs.EventAsync("CALL_CLOSED");
        Assert.Equal(SipDialogEndCause.LocalBye, (await Until.DoneAsync("the end", call.Ended, Calling.Patience)).Cause);
    }

    /// <summary>After a change of the session baresip 1.0.0 writes no more of what it decodes, so there it is only our ear that tells.</summary>
    [PeerFact("baresip")]
    public async Task Baresip_holds_us_and_takes_us_back()
    {
        await using var pair = await BothAsync();
        await using var call = await CallAsync(pair);
        output.WriteLine(await pair.BothVoicesAsync(call));
        await pair.AreHeldAndTakenBackAsync(call, () => pair.Theirs.CommandAsync("hold"), () => pair.Theirs.CommandAsync("resume"));
        await pair.TheirVoiceAsync(call);
        await call.HangUpAsync();
    }

    [PeerFact("baresip")]
    public async Task We_hold_baresip_and_take_it_back()
    {
        await using var pair = await BothAsync();
        await using var call = await CallAsync(pair);
        output.WriteLine(await pair.BothVoicesAsync(call));
        Assert.True((await call.ReinviteAsync(MediaDirection.SendOnly))?.IsAccepted);
        Assert.False(call.Media.Audio?.Direction.Receives());
        Assert.True((await call.ReinviteAsync(MediaDirection.SendRecv))?.IsAccepted);
        Assert.Equal(MediaDirection.SendRecv, call.Media.Audio?.Direction);
        await pair.TheirVoiceAsync(call);
        await call.HangUpAsync();
    }

    [PeerFact("baresip")]
    public async Task A_call_that_baresip_gives_up_while_it_rings_here_is_cancelled()
    {
        await using var pair = await BothAsync();
        await pair.Theirs.CommandAsync("dial", pair.Ours.AddressOf("us").ToString());
        await using var call = await Until.DoneAsync("baresip's call", pair.Ours.Incoming.ReadAsync().AsTask(), Calling.Patience);
        await pair.Theirs.EventAsync("CALL_RINGING");
        await pair.Theirs.CommandAsync("hangup");
        await Until.TrueAsync("487 on the wire", () => Task.FromResult(pair.Ours.Trace.Any(m => m.StartLine.Contains("487", StringComparison.Ordinal))), Calling.Patience);
        Assert.False(await call.AnswerAsync());
    }

    [PeerFact("baresip")]
    public async Task A_key_that_baresip_presses_arrives_once()
    {
        await using var pair = await BothAsync();
        await using var call = await CallAsync(pair);
        var keys = new System.Collections.Concurrent.ConcurrentQueue<char>();
        using var watch = call.Media.Watch(e =>
        {
            if (e is MediaEvent.DtmfPressed pressed) keys.Enqueue(pressed.Digit);
        });
        foreach (var key in "42")
        {
            var before = keys.Count;
            await pair.Theirs.CommandAsync("sndcode", key.ToString());
            await Until.TrueAsync($"the key {key}", () => Task.FromResult(keys.Count > before), Calling.Patience, () => pair.Theirs.Said);
        }

        Assert.Equal("42", string.Concat(keys));
        await call.HangUpAsync();
    }

    private static Task<PhonePair<BaresipPeer>> BothAsync() => PhonePair<BaresipPeer>.StartAsync(BaresipPeer.StartAsync);

    private static Task<PhoneCall> CallAsync(PhonePair<BaresipPeer> pair, SipTransportKind transport = SipTransportKind.Udp) =>
        pair.CallAsync(pair.Theirs.Address(transport == SipTransportKind.Tcp ? "tcp" : "udp"), transport);
}
