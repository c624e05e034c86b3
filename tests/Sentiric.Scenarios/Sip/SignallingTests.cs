using System.Net;
using System.Net.Sockets;
using Sentiric.Contracts.Events;
using Sentiric.Media;
using Sentiric.Phone;
using Sentiric.Scenarios.Kit;
using Sentiric.Sip;
using Sentiric.Testing.Platform;
using Xunit;

namespace Sentiric.Scenarios.Sip;

/// <summary>What goes over the wire besides speech: refusals, keys, hold, registrations, noise.</summary>
[Collection(Lanes.Wire)]
public sealed class SignallingTests(SharedPlatform shared)
{
    private const int GarbageDatagrams = 300;

    [PlatformFact]
    public async Task A_number_that_nobody_has_is_refused_with_404()
    {
        var platform = await shared.GetAsync();
        await using var phone = await LoopbackPhone.StartAsync();
        await using var call = await phone.DialAsync(new Dialing(platform.Number("+902129999999"), Calling.KnownCaller));
        Assert.Equal(404, (await Until.DoneAsync("the refusal", call.Established, Calling.Patience)).Status);
    }

    [PlatformFact]
    public async Task An_offer_without_a_common_codec_is_refused_with_488()
    {
        var platform = await shared.GetAsync();
        Assert.Equal(488, await InviteAsync(platform, "m=audio 40000 RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\n"));
        Assert.Equal(200, await InviteAsync(platform, "m=audio 40000 RTP/AVP 18 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"));
    }

    [PlatformFact]
    public async Task Keys_arrive_as_events_in_the_order_in_which_they_were_pressed()
    {
        var platform = await shared.GetAsync();
        await using var phone = await LoopbackPhone.StartAsync();
        await using var call = await platform.AnsweredAsync(phone, Calling.Echo);
        var record = await platform.Api.CallAsync(call.CallId);
        Assert.True(call.SendDtmf("42#"), "the platform takes no telephone events");
        var story = await platform.Api.StoryWithAsync<DtmfReceived>(record.CallId, d => d.Digit == "#");
        Assert.Equal(["4", "2", "#"], story.All<DtmfReceived>().Select(d => d.Digit));
        await call.HangUpAsync();
    }

    [PlatformFact]
    public async Task A_call_that_is_held_goes_on_when_it_is_taken_back()
    {
        var platform = await shared.GetAsync();
        await using var phone = await LoopbackPhone.StartAsync();
        await using var call = await platform.AnsweredAsync(phone, Calling.Echo);
        var record = await platform.Api.CallAsync(call.CallId);
        Assert.True((await call.ReinviteAsync(MediaDirection.SendOnly))?.IsAccepted);
        Assert.Equal(MediaDirection.SendOnly, call.Media.Audio?.Direction);
        await platform.Api.StoryWithAsync<CallHeld>(record.CallId);
        Assert.True((await call.ReinviteAsync(MediaDirection.SendRecv))?.IsAccepted);
        await platform.Api.StoryWithAsync<CallResumed>(record.CallId);
        await platform.Api.PlayedAsync(record.CallId, UtteranceKind.Announcement);
        using var ear = call.Listen();
        call.Play(Tone.Sine(700, TimeSpan.FromSeconds(1)));
        Assert.True(await Until.DoneAsync("the echo after the hold", HearsAsync(ear), Calling.Patience));
        await call.HangUpAsync();
        Assert.Equal(CallEndReason.Normal, (await platform.Api.EndedCallAsync(call.CallId)).EndReason);
    }

    [PlatformFact]
    public async Task A_phone_registers_with_its_password_and_not_with_another()
    {
        var platform = await shared.GetAsync();
        await using var endpoint = await RawPhoneAsync();
        Assert.Equal(200, (await RegisterAsync(endpoint, platform, RunningPlatform.PhonePassword)).StatusCode);
        var refused = await RegisterAsync(endpoint, platform, "another password");
        Assert.True(refused.StatusCode is 401 or 403, $"a wrong password is answered with {refused.StatusCode}");
    }

    [PlatformFact]
    public async Task Garbage_on_the_SIP_port_and_on_the_RTP_port_does_not_disturb_a_live_call()
    {
        var platform = await shared.GetAsync();
        await using var phone = await LoopbackPhone.StartAsync();
        await using var call = await platform.AnsweredAsync(phone, Calling.Echo);
        var record = await platform.Api.CallAsync(call.CallId);
        await platform.Api.PlayedAsync(record.CallId, UtteranceKind.Announcement);
        Shoot(new IPEndPoint(IPAddress.Loopback, platform.SipPort));
        Shoot(call.Media.Audio?.Remote ?? throw new InvalidOperationException("The call has no media."));

        using var ear = call.Listen();
        call.Play(Tone.Sine(700, TimeSpan.FromSeconds(1)));
        Assert.True(await Until.DoneAsync("the echo after the garbage", HearsAsync(ear), Calling.Patience));
        await call.HangUpAsync();
        Assert.Equal(CallEndReason.Normal, (await platform.Api.EndedCallAsync(call.CallId)).EndReason);
        Assert.True((await platform.Api.Http.GetAsync("health/ready")).IsSuccessStatusCode, "the platform is not ready any more");
    }

    // The seed makes the same garbage every time.
    private static void Shoot(IPEndPoint at)
    {
        using var gun = new UdpClient(0, AddressFamily.InterNetwork);
        var dice = new Random(7);
        for (var i = 0; i < GarbageDatagrams; i++)
        {
            var junk = new byte[dice.Next(1, 1_400)];
            dice.NextBytes(junk);
            gun.Send(junk, junk.Length, at);
        }

        foreach (var text in new[] { "INVITE sip:", "INVITE sip:1002@127.0.0.1 SIP/2.0\r\n\r\n", "SIP/2.0 200\r\nVia: x\r\n\r\n", "\r\n\r\n", "BYE sip:a@b SIP/2.0\r\nContent-Length: 99999999\r\n\r\n" })
        {
            var bytes = System.Text.Encoding.UTF8.GetBytes(text);
            gun.Send(bytes, bytes.Length, at);
        }
    }

    private static async Task<bool> HearsAsync(MediaListener ear)
    {
        var loud = 0;
        await foreach (var frame in ear.Frames.ReadAllAsync())
        {
            loud += Sound.LoudMs(frame.Pcm.Span);
            if (loud >= 400)
            {
                return true;
            }
        }

        return false;
    }

    private static async Task<int> InviteAsync(RunningPlatform platform, string audio)
    {
        await using var endpoint = await RawPhoneAsync();
        var call = await endpoint.InviteAsync(new OutgoingInvite
        {
            Target = platform.Number(Calling.Echo),
            From = NameAddr.Create(null, SipUri.Create(Calling.KnownCaller, "127.0.0.1")),
            Offer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" + audio,
        });
        var result = await Until.DoneAsync("the final response", call.Completed, Calling.Patience);
        if (result.Dialog is { } dialog)
        {
            await dialog.ByeAsync();
        }

        return result.StatusCode;
    }

    private static Task<OutgoingRequestResult> RegisterAsync(SipEndpoint endpoint, RunningPlatform platform, string password)
    {
        var user = SipUri.Create("ayse", "sentiric");
        return endpoint.RequestAsync(new OutgoingRequest
        {
            Method = SipMethod.Register,
            Target = SipUri.Parse($"sip:127.0.0.1:{platform.SipPort}"),
            From = NameAddr.Create(null, user),
            To = NameAddr.Create(null, user),
            Headers = [new("Expires", "60")],
            WithContact = true,
            Credentials = new SipCredentials("ayse", password),
        });
    }

    private static Task<SipEndpoint> RawPhoneAsync() =>
        SipEndpoint.StartAsync(new SipEndpointOptions { Listen = [SipListen.Udp("127.0.0.1")], UserAgentName = "raw-phone" }, new Deaf());

    private sealed class Deaf : ISipApplication
    {
        public Task OnInviteAsync(IncomingInvite invite, CancellationToken stopping) => invite.RejectAsync(486);
    }
}
