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
public sealed class BaresipMatrixTests(ITestOutputHelper output) : IDisposable
{
    private const int Theirs = 11, Ours = 12;
    private static readonly TimeSpan Spoken = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);
    private readonly string folder = Directory.CreateTempSubdirectory("sentiric-baresip-").FullName;

    [PeerTheory("baresip")]
    [InlineData(SipTransportKind.Udp)]
    [InlineData(SipTransportKind.Tcp)]
    [InlineData(SipTransportKind.Tls)]
    public async Task A_call_of_baresip_carries_both_voices_and_ends(SipTransportKind transport)
    {
        var (phone, baresip) = await BothAsync();
        await using var _ = phone;
        await using var __ = baresip;
        await baresip.CommandAsync("dial", phone.AddressOf("us", transport).ToString());
        await using var call = await TakeAsync(phone, baresip);
        await baresip.EventAsync("CALL_ESTABLISHED");
        await BothVoicesAsync(call, baresip);
        await baresip.CommandAsync("hangup");
        Assert.Equal(SipDialogEndCause.RemoteBye, (await Until.DoneAsync("baresip's BYE", call.Ended, Calling.Patience)).Cause);
    }

    [PeerTheory("baresip")]
    [InlineData(SipTransportKind.Udp)]
    [InlineData(SipTransportKind.Tcp)]
    public async Task A_call_to_baresip_carries_both_voices_and_ends(SipTransportKind transport)
    {
        var (phone, baresip) = await BothAsync();
        await using var _ = phone;
        await using var __ = baresip;
        await using var call = await CallAsync(phone, baresip, transport);
        await BothVoicesAsync(call, baresip);
        await call.HangUpAsync("Q.850;cause=16;text=\"Normal call clearing\"");
        await baresip.EventAsync("CALL_CLOSED");
        Assert.Equal(SipDialogEndCause.LocalBye, (await Until.DoneAsync("the end", call.Ended, Calling.Patience)).Cause);
    }

    [PeerFact("baresip")]
    public async Task Baresip_holds_us_and_takes_us_back()
    {
        var (phone, baresip) = await BothAsync();
        await using var _ = phone;
        await using var __ = baresip;
        await using var call = await CallAsync(phone, baresip, SipTransportKind.Udp);
        await BothVoicesAsync(call, baresip);
        await baresip.CommandAsync("hold");
        await Until.TrueAsync("our side to be held", () => Task.FromResult(call.Media.Audio?.Direction.Sends() == false), Calling.Patience, () => baresip.Said);
        await baresip.CommandAsync("resume");
        await Until.TrueAsync("our side to be taken back", () => Task.FromResult(call.Media.Audio?.Direction == MediaDirection.SendRecv), Calling.Patience, () => baresip.Said);
        await TheirVoiceAsync(call, baresip);
        await call.HangUpAsync();
    }

    [PeerFact("baresip")]
    public async Task We_hold_baresip_and_take_it_back()
    {
        var (phone, baresip) = await BothAsync();
        await using var _ = phone;
        await using var __ = baresip;
        await using var call = await CallAsync(phone, baresip, SipTransportKind.Udp);
        await BothVoicesAsync(call, baresip);
        Assert.True((await call.ReinviteAsync(MediaDirection.SendOnly))?.IsAccepted);
        Assert.False(call.Media.Audio?.Direction.Receives());
        Assert.True((await call.ReinviteAsync(MediaDirection.SendRecv))?.IsAccepted);
        Assert.Equal(MediaDirection.SendRecv, call.Media.Audio?.Direction);
        await TheirVoiceAsync(call, baresip);
        await call.HangUpAsync();
    }

    [PeerFact("baresip")]
    public async Task A_call_that_baresip_gives_up_while_it_rings_here_is_cancelled()
    {
        var (phone, baresip) = await BothAsync();
        await using var _ = phone;
        await using var __ = baresip;
        await baresip.CommandAsync("dial", phone.AddressOf("us").ToString());
        await using var call = await Until.DoneAsync("baresip's call", phone.Incoming.ReadAsync().AsTask(), Calling.Patience);
        await baresip.EventAsync("CALL_RINGING");
        await baresip.CommandAsync("hangup");
        await Until.TrueAsync("487 on the wire", () => Task.FromResult(phone.Trace.Any(m => m.StartLine.Contains("487", StringComparison.Ordinal))), Calling.Patience);
        Assert.False(await call.AnswerAsync());
    }

    [PeerFact("baresip")]
    public async Task A_key_that_baresip_presses_arrives_once()
    {
        var (phone, baresip) = await BothAsync();
        await using var _ = phone;
        await using var __ = baresip;
        await using var call = await CallAsync(phone, baresip, SipTransportKind.Udp);
        var keys = new System.Collections.Concurrent.ConcurrentQueue<char>();
        using var watch = call.Media.Watch(e =>
        {
            if (e is MediaEvent.DtmfPressed pressed) keys.Enqueue(pressed.Digit);
        });
        foreach (var key in "42")
        {
            var before = keys.Count;
            await baresip.CommandAsync("sndcode", key.ToString());
            await Until.TrueAsync($"the key {key}", () => Task.FromResult(keys.Count > before), Calling.Patience, () => baresip.Said);
        }

        Assert.Equal("42", string.Concat(keys));
        await call.HangUpAsync();
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private async Task<(LoopbackPhone Phone, BaresipPeer Baresip)> BothAsync()
    {
        var root = Path.Combine(folder, "root.pem");
        var phone = await LoopbackPhone.StartAsync(new PhoneOptions(Tls: await PeerCertificates.IssueAsync(root)));
        try
        {
            return (phone, await BaresipPeer.StartAsync(Path.Combine(folder, "baresip"), Melody.Repeated(Theirs, Long), root));
        }
        catch
        {
            await phone.DisposeAsync();
            throw;
        }
    }

    private static async Task<PhoneCall> TakeAsync(LoopbackPhone phone, BaresipPeer baresip)
    {
        PhoneCall call;
        try
        {
            call = await Until.DoneAsync("baresip's call", phone.Incoming.ReadAsync().AsTask(), Calling.Patience);
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message}\n{baresip.Said}");
        }

        Assert.True(await call.AnswerAsync(), baresip.Said);
        return call;
    }

    private static async Task<PhoneCall> CallAsync(LoopbackPhone phone, BaresipPeer baresip, SipTransportKind transport)
    {
        var call = await phone.DialAsync(new Dialing(baresip.Address(transport == SipTransportKind.Tcp ? "tcp" : "udp"), "us", Transport: transport));
        var established = await Until.DoneAsync("baresip's answer", call.Established, Calling.Patience);
        Assert.True(established.IsAnswered, $"{established.Status} {established.Reason}\n{baresip.Said}");
        return call;
    }

    /// <summary>Each hears the other's melody, by correlation, not by counting packets.</summary>
    private async Task BothVoicesAsync(PhoneCall call, BaresipPeer baresip)
    {
        var spoken = call.Play(Melody.Repeated(Ours, Spoken));
        await TheirVoiceAsync(call, baresip);
        var there = 0.0;
        await Until.TrueAsync(
            "our melody in what baresip heard", () => Task.FromResult((there = Melody.In(baresip.Decoded(), Ours)) > Melody.Likeness), Calling.Patience,
            () => $"likeness {there:F3} in {baresip.Decoded().Length} samples\n{baresip.Said}");
        call.Media.Clear();
        await Until.DoneAsync("our melody to stop", spoken.Finished, Calling.Patience);
        output.WriteLine($"heard there with {there:F4}");
    }

    /// <summary>After a change of the session baresip 1.0.0 writes no more of what it decodes, so there it is only our ear that tells.</summary>
    private async Task TheirVoiceAsync(PhoneCall call, BaresipPeer baresip)
    {
        var here = await Melody.HeardAsync(call, Theirs);
        output.WriteLine($"heard here with {here:F4}");
        Assert.True(here > Melody.Likeness, $"baresip's melody is heard with {here:F3}\n{baresip.Said}");
    }
}
