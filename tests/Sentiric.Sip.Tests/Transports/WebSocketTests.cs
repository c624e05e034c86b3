using System.Net.WebSockets;
using System.Text;
using Sentiric.Sip.Tests.Dialogs;
using Sentiric.Sip.Tests.Kit;
using Sentiric.Sip.Tests.UserAgent;

namespace Sentiric.Sip.Tests.Transports;

/// <summary>RFC 7118 with the platform's own WebSocket client as the browser, on loopback.</summary>
public sealed class WebSocketTests : IDisposable
{
    private const string Page = "https://phone.example";
    private static readonly SipWebSocketOptions Options = new() { AllowedOrigins = [Page] };
    private readonly TestAuthority authority = new();

    public void Dispose() => authority.Dispose();

    [Theory]
    [InlineData(SipTransportKind.Ws)]
    [InlineData(SipTransportKind.Wss)]
    public async Task A_browser_calls_and_is_called_on_its_own_connection(SipTransportKind kind)
    {
        var application = new TestApplication();
        await using SipEndpoint server = await StartAsync(kind, application);
        using Browser browser = await Browser.OpenAsync(server.Bindings[0], Page);
        string via = kind.ToString().ToUpperInvariant();

        await browser.SayAsync(browser.Request("INVITE", "b1", 1, sdp: ScriptedPhone.Sdp, via: via));
        IncomingInvite invite = await application.NextInviteAsync();
        Assert.Equal(kind, invite.Transport);
        Task<SipAnswerResult> answer = invite.AnswerAsync(ScriptedPhone.Sdp);
        var ok = (SipResponse)await browser.HearAsync(one => one is SipResponse { StatusCode: 200 }, "200");
        Assert.EndsWith(";transport=ws>", ok.Header("Contact"));
        Assert.Contains($"SIP/2.0/{via} df7jal23ls0d.invalid;branch=", ok.Header("Via"));
        await browser.SayAsync(browser.Request("ACK", "b1", 1, ok.To.Tag, via: via));
        SipAnswerResult answered = await TestApplication.Within(answer, "the ACK");
        // Its contact has no address: the BYE comes back on the connection.
        Task bye = answered.Dialog!.ByeAsync();
        var request = (SipRequest)await browser.HearAsync(one => one is SipRequest { Method: "BYE" }, "BYE");
        Assert.Equal((via, "df7jal23ls0d.invalid"), (request.TopVia.Transport, request.Uri.Host));
        await browser.SayAsync(Encoding.UTF8.GetString(IncomingCallTests.Response(request, 200)));
        await bye.WaitAsync(ScriptedPhone.Patience);

        OutgoingCall call = await server.InviteAsync(OutgoingCallTests.Invite("sip:ayse@df7jal23ls0d.invalid;transport=ws") with { Flow = new SipFlow(kind, invite.Source) });
        var called = (SipRequest)await browser.HearAsync(one => one is SipRequest { Method: "INVITE" }, "INVITE");
        await browser.SayAsync(Encoding.UTF8.GetString(IncomingCallTests.Response(called, 486, "t")));
        Assert.Equal(486, (await TestApplication.Within(call.Completed, "the refusal")).StatusCode);
        Assert.NotNull(await browser.HearAsync(one => one is SipRequest { Method: "ACK" }, "ACK"));
    }

    [Fact]
    public async Task A_browser_that_has_left_cannot_be_called()
    {
        var application = new TestApplication();
        await using SipEndpoint server = await StartAsync(SipTransportKind.Ws, application);
        SipFlow flow;
        using (Browser browser = await Browser.OpenAsync(server.Bindings[0], Page))
        {
            await browser.SayAsync(browser.Request("OPTIONS", "o1", 1));
            await browser.HearAsync(one => one is SipResponse, "200");
            flow = new SipFlow(SipTransportKind.Ws, application.Traces.First().Remote);
            await browser.CloseAsync();
        }

        OutgoingCall call = await server.InviteAsync(OutgoingCallTests.Invite("sip:ayse@df7jal23ls0d.invalid;transport=ws") with { Flow = flow });
        Assert.Equal(503, (await TestApplication.Within(call.Completed, "the refusal")).StatusCode);
    }

    [Theory]
    [InlineData("https://evil.example", "sip", true)]
    [InlineData("https://phone.example", "xmpp", true)]
    [InlineData("https://phone.example", "sip", false)]
    [InlineData(null, "sip", false)]
    public async Task Only_allowed_pages_and_the_sip_subprotocol_are_let_in(string? origin, string subprotocol, bool refused)
    {
        await using SipEndpoint server = await StartAsync(SipTransportKind.Ws, new TestApplication());
        Task<Browser> opening = Browser.OpenAsync(server.Bindings[0], origin, subprotocol);
        if (refused)
        {
            await Assert.ThrowsAsync<WebSocketException>(() => opening);
        }
        else
        {
            using Browser browser = await opening;
            await browser.SayAsync(browser.Request("OPTIONS", "o1", 1));
            Assert.Equal(200, ((SipResponse)await browser.HearAsync(one => one is SipResponse, "200")).StatusCode);
        }
    }

    [Fact]
    public async Task Fragments_and_binary_frames_are_taken_and_a_frame_beyond_the_limit_ends_the_connection_with_1009()
    {
        await using SipEndpoint server = await StartAsync(SipTransportKind.Ws, new TestApplication());
        using Browser browser = await Browser.OpenAsync(server.Bindings[0], Page);
        byte[] options = Encoding.UTF8.GetBytes(browser.Request("OPTIONS", "o1", 1));
        await browser.Socket.SendAsync(options.AsMemory(0, 50), WebSocketMessageType.Binary, endOfMessage: false, default);
        await browser.Socket.SendAsync(options.AsMemory(50), WebSocketMessageType.Binary, endOfMessage: true, default);
        Assert.Equal(200, ((SipResponse)await browser.HearAsync(one => one is SipResponse, "200")).StatusCode);
        await browser.Socket.SendAsync(new byte[SipLimits.MessageBytes + 1], WebSocketMessageType.Binary, true, default);
        Assert.Equal(WebSocketCloseStatus.MessageTooBig, await browser.HearCloseAsync());
    }

    [Fact]
    public async Task An_endpoint_that_stops_says_that_it_goes_away()
    {
        SipEndpoint server = await StartAsync(SipTransportKind.Ws, new TestApplication());
        using Browser browser = await Browser.OpenAsync(server.Bindings[0], Page);
        Task<WebSocketCloseStatus?> closed = browser.HearCloseAsync();
        await server.DisposeAsync();
        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, await closed);
    }

    private Task<SipEndpoint> StartAsync(SipTransportKind kind, TestApplication application) => SipEndpoint.StartAsync(
        new() { Listen = [SipListen.OverWebSocket(Options, kind == SipTransportKind.Wss ? authority.Options("127.0.0.1") : null)] }, application);

    private sealed class Browser : IDisposable
    {
        private const string Name = "df7jal23ls0d.invalid";
        private int branches;

        public ClientWebSocket Socket { get; } = new();

        public static async Task<Browser> OpenAsync(SipBinding at, string? origin, string subprotocol = "sip")
        {
            var browser = new Browser();
            browser.Socket.Options.AddSubProtocol(subprotocol);
            browser.Socket.Options.RemoteCertificateValidationCallback = (_, _, _, _) => true;
            if (origin is not null)
            {
                browser.Socket.Options.SetRequestHeader("Origin", origin);
            }

            using var patience = new CancellationTokenSource(ScriptedPhone.Patience);
            string scheme = at.Transport == SipTransportKind.Wss ? "wss" : "ws";
            await browser.Socket.ConnectAsync(new Uri($"{scheme}://{at.Address}/sip"), patience.Token);
            return browser;
        }

        public Task SayAsync(string message) => Socket.SendAsync(Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, true, default);

        public Task CloseAsync() => Socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);

        public async Task<SipMessage> HearAsync(Func<SipMessage, bool> wanted, string what)
        {
            using var patience = new CancellationTokenSource(ScriptedPhone.Patience);
            var buffer = new byte[65_536];
            while (true)
            {
                try
                {
                    ValueWebSocketReceiveResult got = await Socket.ReceiveAsync(buffer.AsMemory(), patience.Token);
                    Assert.True(got.EndOfMessage && got.MessageType == WebSocketMessageType.Text, what);
                    if (SipParser.ParseDatagram(buffer.AsSpan(0, got.Count)).Message is { } message && wanted(message))
                    {
                        return message;
                    }
                }
                catch (OperationCanceledException)
                {
                    throw new TimeoutException($"Waited for {what}.");
                }
            }
        }

        public async Task<WebSocketCloseStatus?> HearCloseAsync()
        {
            using var patience = new CancellationTokenSource(ScriptedPhone.Patience);
            while (Socket.CloseStatus is null)
            {
                await Socket.ReceiveAsync(new byte[65_536].AsMemory(), patience.Token);
            }

            return Socket.CloseStatus;
        }

        public string Request(string method, string callId, uint cseq, string? toTag = null, string? sdp = null, string via = "WS") =>
            $"{method} sip:9000@server.example SIP/2.0\r\nVia: SIP/2.0/{via} {Name};branch=z9hG4bKb{++branches}\r\nMax-Forwards: 70\r\n"
            + $"From: <sip:ayse@server.example>;tag=b\r\nTo: <sip:9000@server.example>{(toTag is null ? "" : ";tag=" + toTag)}\r\nCall-ID: {callId}\r\nCSeq: {cseq} {method}\r\n"
            + $"Contact: <sip:ayse@{Name};transport=ws>\r\n" + (sdp is null ? "" : "Content-Type: application/sdp\r\n") + $"Content-Length: {sdp?.Length ?? 0}\r\n\r\n{sdp}";

        public void Dispose() => Socket.Dispose();
    }
}
