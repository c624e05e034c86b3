using Sentiric.Phone;
using Sentiric.Scenarios.Kit;
using Sentiric.Sip;
using Sentiric.Testing.Platform;
using Xunit;

namespace Sentiric.Scenarios.Peers;

/// <summary>Transfers with baresip and linphone, blind and attended, in both roles; two telephones of ours are the others.</summary>
[Trait("Category", "Slow")]
public sealed class TransferTests : IAsyncLifetime
{
    private const int Theirs = 51;
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);
    private readonly string folder = Directory.CreateTempSubdirectory("sentiric-transfer-").FullName;
    private LoopbackPhone first = null!;
    private LoopbackPhone second = null!;

    public async Task InitializeAsync()
    {
        first = await LoopbackPhone.StartAsync();
        second = await LoopbackPhone.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await first.DisposeAsync();
        await second.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [PeerFact("baresip")]
    public async Task We_transfer_baresip_to_somebody_else_and_hear_how_it_went()
    {
        await using var baresip = await BaresipPeer.StartAsync(folder, Melody.Repeated(Theirs, Long));
        await using var call = await EstablishedAsync(first, baresip.Address(), baresip.Port);
        var referral = await call.TransferAsync(second.AddressOf("second")) ?? throw new InvalidOperationException("The call is not up.");
        Assert.Equal(202, await Until.DoneAsync("the answer to our REFER", referral.Answered, Calling.Patience));
        await using var other = await PeerCalls.TakeAsync(second, () => baresip.Said);
        Assert.Equal(200, (await Until.DoneAsync("the last report", referral.Completed, Calling.Patience))?.StatusCode);
        var likeness = await Melody.HeardAsync(other, Theirs);
        Assert.True(likeness > Melody.Likeness, $"the second phone hears baresip with {likeness:F3}");
    }

    [PeerFact("baresip")]
    public async Task Baresip_transfers_us_to_somebody_else()
    {
        await using var baresip = await BaresipPeer.StartAsync(folder, Melody.Repeated(Theirs, Long));
        first.ReferHandler = CallWhomTheySay;
        await using var call = await EstablishedAsync(first, baresip.Address(), baresip.Port);
        await baresip.CommandAsync("transfer", second.AddressOf("second").ToString());
        await using var other = await PeerCalls.TakeAsync(second, () => baresip.Said);
        Assert.Equal("first", other.From?.Uri.User);
        await baresip.EventAsync("CALL_CLOSED");
        Assert.Equal(SipDialogEndCause.RemoteBye, (await Until.DoneAsync("the end of the first call", call.Ended, Calling.Patience)).Cause);
    }

    [PeerFact("linphonec")]
    public async Task Linphone_transfers_us_to_somebody_else()
    {
        await using var linphone = await LinphonePeer.StartAsync(folder, Melody.Repeated(Theirs, Long));
        first.ReferHandler = CallWhomTheySay;
        await linphone.TypeAsync($"call {first.AddressOf("first")}");
        await using var call = await PeerCalls.TakeAsync(first, () => linphone.Said);
        await linphone.SaysAsync("Media streams established");
        await linphone.TypeAsync($"transfer {second.AddressOf("second")}");
        await using var other = await PeerCalls.TakeAsync(second, () => linphone.Said);
        Assert.Equal("first", other.From?.Uri.User);
    }

    [PeerFact("linphonec")]
    public async Task Linphone_connects_its_two_calls_with_each_other()
    {
        await using var linphone = await LinphonePeer.StartAsync(folder, Melody.Repeated(Theirs, Long));
        first.ReferHandler = CallWhomTheySay;
        await linphone.TypeAsync($"call {first.AddressOf("first")}");
        await using var one = await PeerCalls.TakeAsync(first, () => linphone.Said);
        await linphone.SaysAsync("Media streams established");
        await linphone.TypeAsync("pause");
        await linphone.SaysAsync("paused");
        await linphone.TypeAsync($"call {second.AddressOf("second")}");
        await using var two = await PeerCalls.TakeAsync(second, () => linphone.Said);
        await linphone.SaysAsync("Media streams established", 2);
        await linphone.TypeAsync("transfer 1 --to-call 2");
        await using var three = await PeerCalls.TakeAsync(second, () => linphone.Said + string.Join("\n\n", first.Trace.Select(m => $"{m.Direction} {m.RedactedText()}")));
        Assert.Equal("first", three.From?.Uri.User);
        Assert.Equal(SipDialogEndCause.Replaced, (await Until.DoneAsync("the second call to give way", two.Ended, Calling.Patience)).Cause);
    }

    private async Task<SipAnswer> CallWhomTheySay(IncomingReferral referral)
    {
        var invite = referral.ToInvite(NameAddr.Create(null, SipUri.Create("first", "127.0.0.1")), "");
        // linphone names the other party by its address of record, without a port: a registrar would know where that is.
        var target = invite.Target.Port == 0 ? second.AddressOf("second") : invite.Target;
        var call = await first.DialAsync(new Dialing(target, "first", Headers: invite.Headers));
        _ = ReportAsync(referral, call);
        return new SipAnswer(202);
    }

    private static async Task ReportAsync(IncomingReferral referral, PhoneCall call) => await referral.NotifyAsync((await call.Established).Status);

    private static async Task<PhoneCall> EstablishedAsync(LoopbackPhone phone, SipUri target, int port)
    {
        var call = await phone.DialAsync(new Dialing(target, "first"));
        var established = await Until.DoneAsync($"an answer from {port}", call.Established, Calling.Patience);
        return established.IsAnswered ? call : throw new InvalidOperationException($"{established.Status} {established.Reason}");
    }
}
