using Sentiric.Contracts.Events;
using Sentiric.Phone;
using Sentiric.Scenarios.Kit;
using Sentiric.Sip;
using Sentiric.Testing.Platform;
using Xunit;

namespace Sentiric.Scenarios.Peers;

/// <summary>The platform behind kamailio, which stays in the way of every request by Record-Route.</summary>
[Collection(Lanes.Wire)]
[Trait("Category", "Slow")]
public sealed class KamailioTests(SharedPlatform shared) : IDisposable
{
    private const int Ours = 31;
    private readonly string folder = Directory.CreateTempSubdirectory("sentiric-kamailio-").FullName;

    [PlatformFact("kamailio")]
    public Task A_call_through_a_proxy_is_heard_ended_and_recorded_like_any_other() => CallAsync(SipTransportKind.Udp, SipTransportKind.Udp);

    [PlatformFact("kamailio")]
    public Task So_is_one_over_TCP_on_both_sides_of_the_proxy() => CallAsync(SipTransportKind.Tcp, SipTransportKind.Tcp);

    [PlatformFact("kamailio")]
    public Task So_is_one_that_changes_from_TCP_to_UDP_on_its_way() => CallAsync(SipTransportKind.Tcp, SipTransportKind.Udp);

    [PlatformFact("kamailio")]
    public async Task A_BYE_of_the_platform_finds_its_way_back_through_the_proxy()
    {
        var platform = await shared.GetAsync();
        await using var kamailio = await KamailioProxy.StartAsync(folder, platform.SipPort, SipTransportKind.Udp);
        await using var phone = await LoopbackPhone.StartAsync();
        await using var call = await AnsweredAsync(phone, kamailio, Calling.Announcement, SipTransportKind.Udp);
        Assert.Equal(SipDialogEndCause.RemoteBye, (await Until.DoneAsync("the end of the announcement", call.Ended, TimeSpan.FromSeconds(60))).Cause);
        var bye = phone.Trace.First(m => m.Direction == SipTraceDirection.Received && m.StartLine.StartsWith("BYE ", StringComparison.Ordinal)).RedactedText();
        Assert.Equal(2, bye.Split("\r\n").Count(line => line.StartsWith("Via:", StringComparison.OrdinalIgnoreCase)));
        Assert.NotNull((await platform.Api.EndedCallAsync(call.CallId)).EndReason);
    }

    [PlatformFact("kamailio")]
    public async Task A_refusal_comes_back_through_the_proxy()
    {
        var platform = await shared.GetAsync();
        await using var kamailio = await KamailioProxy.StartAsync(folder, platform.SipPort, SipTransportKind.Udp);
        await using var phone = await LoopbackPhone.StartAsync();
        await using var call = await phone.DialAsync(new Dialing(kamailio.Number("+902129999999"), Calling.KnownCaller));
        Assert.Equal(404, (await Until.DoneAsync("the refusal", call.Established, Calling.Patience)).Status);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private async Task CallAsync(SipTransportKind towardsProxy, SipTransportKind towardsUs)
    {
        var platform = await shared.GetAsync();
        await using var kamailio = await KamailioProxy.StartAsync(folder, platform.SipPort, towardsUs);
        await using var phone = await LoopbackPhone.StartAsync();
        await using var call = await AnsweredAsync(phone, kamailio, Calling.Echo, towardsProxy);
        var record = await platform.Api.CallAsync(call.CallId);
        await platform.Api.PlayedAsync(record.CallId, UtteranceKind.Announcement);
        call.Play(Melody.Repeated(Ours, TimeSpan.FromSeconds(8)));
        var likeness = await Melody.HeardAsync(call, Ours);
        Assert.True(likeness > Melody.Likeness, $"the echo through the proxy is like our melody by {likeness:F3}");
        await call.HangUpAsync();

        var cdr = await platform.Api.EndedCallAsync(call.CallId);
        Assert.Equal(CallEndReason.Normal, cdr.EndReason);
        Assert.Contains(Calling.KnownCaller[1..], cdr.From, StringComparison.Ordinal);
        Assert.Equal(Calling.Echo, cdr.To);
        var sent = phone.Trace.Where(m => m.Direction == SipTraceDirection.Sent).Select(m => m.RedactedText()).ToList();
        Assert.All(sent.Where(m => m.StartsWith("BYE ", StringComparison.Ordinal) || m.StartsWith("ACK ", StringComparison.Ordinal)),
            m => Assert.Contains($"Route: <sip:127.0.0.1:{kamailio.Port}", m, StringComparison.Ordinal));
    }

    private static async Task<PhoneCall> AnsweredAsync(LoopbackPhone phone, KamailioProxy kamailio, string number, SipTransportKind transport)
    {
        var call = await phone.DialAsync(new Dialing(kamailio.Number(number), Calling.KnownCaller, Transport: transport));
        var established = await Until.DoneAsync($"an answer from {number} through kamailio", call.Established, Calling.Patience);
        return established.IsAnswered ? call : throw new InvalidOperationException($"{established.Status} {established.Reason}\n{kamailio.Said}");
    }
}
