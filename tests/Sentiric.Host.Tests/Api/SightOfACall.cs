using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Sentiric.Calls;
using Sentiric.Sip;
using Sentiric.Testing.Loopback;

namespace Sentiric.Host.Tests.Api;

/// <summary>A platform that keeps SIP messages and mirrors them to a capture server.</summary>
public sealed class WithSight : AllInOne
{
    public WithSight() => Further = new Dictionary<string, string?>
    {
        ["Sip:KeepMessages"] = "true", ["Sip:HepServer"] = $"127.0.0.1:{((IPEndPoint)Server.Client.LocalEndPoint!).Port}", ["Sip:HepCaptureId"] = "42",
        ["Gateway:RequestsPerMinute"] = "1000000",
    };

    public UdpClient Server { get; } = new(new IPEndPoint(IPAddress.Loopback, 0));

    protected override IReadOnlyDictionary<string, string?> Further { get; }
}

public sealed class SightOfACall(WithSight platform) : IClassFixture<WithSight>
{
    private const string SipCallId = "seen-from-all-sides", Caller = "+905321119988";
    private const string Sdp = "v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";

    private HttpClient Client => platform.App.Client;

    [Trait("Category", "Slow")]
    [Fact]
    public async Task A_real_call_is_captured_mirrored_and_counted()
    {
        var there = platform.App.Services.GetRequiredService<SipRole>().Bindings.First(b => b.Transport == SipTransportKind.Udp).Address;
        await using var phone = await SipEndpoint.StartAsync(new SipEndpointOptions { Listen = [SipListen.Udp()] }, new Nobody());
        var number = await NumberAsync();
        var here = phone.Bindings[0].Address;
        var call = await phone.InviteAsync(new OutgoingInvite
        {
            Target = SipUri.Parse($"sip:{number}@{there}"), From = NameAddr.Create(null, SipUri.Parse($"sip:{Caller}@{here}")), Offer = Sdp, CallId = SipCallId,
            Headers = [KeyValuePair.Create("Authorization", "Digest username=\"gizli\"")],
        });
        var status = (await Soon.Within(call.Completed, "the end of the INVITE")).StatusCode;

        var mirrored = (await Soon.Within(platform.Server.ReceiveAsync(), "the INVITE at the capture server")).Buffer;
        Assert.Equal("HEP3"u8, mirrored.AsSpan(0, 4));
        Assert.Contains("gizli", Encoding.UTF8.GetString(mirrored), StringComparison.Ordinal);
        Assert.Contains("sip_hep_sent", await Client.GetStringAsync("/metrics"), StringComparison.Ordinal);

        var capture = await CaptureAsync(until: $"SIP/2.0 {status} ");
        Assert.Contains($"INVITE sip:{number}@", capture, StringComparison.Ordinal);
        Assert.Contains($"Call-ID: {SipCallId}", capture, StringComparison.Ordinal);
        Assert.DoesNotContain("gizli", capture, StringComparison.Ordinal);
    }

    /// <summary>One of the demo tenant's, once its routes are read.</summary>
    private async Task<string> NumberAsync()
    {
        using var limit = new CancellationTokenSource(Soon.Patience);
        JsonElement routes;
        do
        {
            Assert.False(limit.IsCancellationRequested, "Waited for the routes of the demo tenant to be read.");
            routes = await Client.GetFromJsonAsync<JsonElement>("/v1/routes");
        }
        while (routes.GetArrayLength() == 0);
        return routes[0].GetProperty("number").GetString() ?? "";
    }

    /// <summary>The file once the answer is stored.</summary>
    private async Task<string> CaptureAsync(string until)
    {
        using var limit = new CancellationTokenSource(Soon.Patience);
        var (id, seen, calls) = ("", "", default(JsonElement));
        while (!seen.Contains(until, StringComparison.Ordinal))
        {
            Assert.False(limit.IsCancellationRequested, $"Waited for '{until}' in the capture of call '{id}', which has:\n{seen}\n{calls}");
            calls = await Client.GetFromJsonAsync<JsonElement>("/v1/calls?from=" + Uri.EscapeDataString(Caller));
            id = calls.GetProperty("items").EnumerateArray().Select(c => c.GetProperty("call_id").GetString()).FirstOrDefault();
            using var answer = id is null ? null : await Client.GetAsync($"/v1/calls/{id}/sip.pcap");
            seen = answer is { IsSuccessStatusCode: true } ? Encoding.Latin1.GetString(await answer.Content.ReadAsByteArrayAsync()) : "";
        }

        return seen;
    }

    private sealed class Nobody : ISipApplication
    {
        public Task OnInviteAsync(IncomingInvite invite, CancellationToken stopping) => invite.RejectAsync(486);
    }
}
