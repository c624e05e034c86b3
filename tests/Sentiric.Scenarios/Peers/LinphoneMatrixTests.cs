using Sentiric.Media;
using Sentiric.Phone;
using Sentiric.Scenarios.Kit;
using Sentiric.Sip;
using Sentiric.Testing.Platform;
using Xunit;
using Xunit.Abstractions;

namespace Sentiric.Scenarios.Peers;

/// <summary>linphonec against our stack and our media, without the platform.</summary>
[Trait("Category", "Slow")]
public sealed class LinphoneMatrixTests(ITestOutputHelper output) : IDisposable
{
    private const int Theirs = 21, Ours = 22;
    private static readonly TimeSpan Spoken = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);
    private readonly string folder = Directory.CreateTempSubdirectory("sentiric-linphone-").FullName;

    [PeerTheory("linphonec")]
    [InlineData(SipTransportKind.Udp)]
    [InlineData(SipTransportKind.Tcp)]
    [InlineData(SipTransportKind.Tls)]
    public async Task A_call_of_linphone_carries_both_voices_and_ends(SipTransportKind transport)
    {
        var (phone, linphone) = await BothAsync();
        await using var _ = phone;
        await using var __ = linphone;
        await using var call = await TakeAsync(phone, linphone, transport);
        await BothVoicesAsync(call, linphone);
        await linphone.TypeAsync("terminate");
        Assert.Equal(SipDialogEndCause.RemoteBye, (await Until.DoneAsync("linphone's BYE", call.Ended, Calling.Patience)).Cause);
    }

    [PeerFact("linphonec")]
    public async Task A_call_to_linphone_carries_both_voices_and_ends()
    {
        var (phone, linphone) = await BothAsync();
        await using var _ = phone;
        await using var __ = linphone;
        await linphone.TypeAsync("autoanswer enable");
        await linphone.SaysAsync("Auto answer enabled");
        await using var call = await phone.DialAsync(new Dialing(linphone.Address(), "us"));
        var established = await Until.DoneAsync("linphone's answer", call.Established, Calling.Patience);
        Assert.True(established.IsAnswered, $"{established.Status} {established.Reason}\n{linphone.Said}");
        await BothVoicesAsync(call, linphone);
        await call.HangUpAsync();
        await linphone.SaysAsync("ended");
    }

    [PeerFact("linphonec")]
    public async Task Linphone_holds_us_and_takes_us_back()
    {
        var (phone, linphone) = await BothAsync();
        await using var _ = phone;
        await using var __ = linphone;
        await using var call = await TakeAsync(phone, linphone, SipTransportKind.Udp);
        await linphone.SaysAsync("Media streams established");
        await linphone.TypeAsync("pause");
        await Until.TrueAsync("our side to be held", () => Task.FromResult(call.Media.Audio?.Direction.Sends() == false), Calling.Patience, () => linphone.Said);
        await linphone.SaysAsync("paused");
        await linphone.TypeAsync("resume");
        await Until.TrueAsync("our side to be taken back", () => Task.FromResult(call.Media.Audio?.Direction == MediaDirection.SendRecv), Calling.Patience, () => linphone.Said);
        await BothVoicesAsync(call, linphone);
        await call.HangUpAsync();
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private async Task<(LoopbackPhone Phone, LinphonePeer Linphone)> BothAsync()
    {
        var root = Path.Combine(folder, "root.pem");
        var phone = await LoopbackPhone.StartAsync(new PhoneOptions(Tls: await PeerCertificates.IssueAsync(root)));
        try
        {
            return (phone, await LinphonePeer.StartAsync(Path.Combine(folder, "linphone"), Melody.Repeated(Theirs, Long), root));
        }
        catch
        {
            await phone.DisposeAsync();
            throw;
        }
    }

    private static async Task<PhoneCall> TakeAsync(LoopbackPhone phone, LinphonePeer linphone, SipTransportKind transport)
    {
        await linphone.TypeAsync($"call {phone.AddressOf("us", transport)}".Replace("127.0.0.1", "localhost", StringComparison.Ordinal));
        try
        {
            var call = await Until.DoneAsync("linphone's call", phone.Incoming.ReadAsync().AsTask(), Calling.Patience);
            return await call.AnswerAsync() ? call : throw new InvalidOperationException(
                linphone.Said + string.Join("\n\n", phone.Trace.Select(m => $"{m.Direction} {m.RedactedText()}")));
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message}\n{linphone.Said}");
        }
    }

    /// <summary>Each hears the other's melody, by correlation, not by counting packets.</summary>
    private async Task BothVoicesAsync(PhoneCall call, LinphonePeer linphone)
    {
        var spoken = call.Play(Melody.Repeated(Ours, Spoken));
        var here = await Melody.HeardAsync(call, Theirs);
        Assert.True(here > Melody.Likeness, $"linphone's melody is heard with {here:F3}\n{linphone.Said}");
        var there = 0.0;
        await Until.TrueAsync(
            "our melody in what linphone heard", () => Task.FromResult((there = Melody.In(linphone.Heard(), Ours)) > Melody.Likeness), Calling.Patience,
            () => $"likeness {there:F3} in {linphone.Heard().Length} samples\n{linphone.Said}");
        call.Media.Clear();
        await Until.DoneAsync("our melody to stop", spoken.Finished, Calling.Patience);
        output.WriteLine($"heard there with {there:F4}, heard here with {here:F4}");
    }
}
