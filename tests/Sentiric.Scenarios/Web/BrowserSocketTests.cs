using System.Text.Json;
using Sentiric.Scenarios.Peers;
using Sentiric.Scenarios.Sip.Rfc;
using Sentiric.Sip;
using Xunit;

namespace Sentiric.Scenarios.Web;

/// <summary>SIP over the WebSocket of a real browser (RFC 7118): framing, masking and handshake are Chromium's, the messages are a script's.</summary>
[Trait("Category", "Slow")]
public sealed class BrowserSocketTests
{
    /// <summary>Calls, acknowledges the 200, says BYE, and gives the start lines that came, one a line; "refused" without a connection.</summary>
    private const string Script = """
        new Promise(done => {
          const heard = [], sdp = SDP;
          const message = (method, cseq, tag, body) =>
            `${method} sip:answers@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/WS page.invalid;branch=z9hG4bK${method}\r\nMax-Forwards: 70\r\n` +
            `From: <sip:page@page.invalid>;tag=page\r\nTo: <sip:answers@127.0.0.1>${tag}\r\nCall-ID: page-1\r\nCSeq: ${cseq} ${method}\r\n` +
            `Contact: <sip:page@page.invalid;transport=ws>\r\n${body ? 'Content-Type: application/sdp\r\n' : ''}Content-Length: ${body.length}\r\n\r\n${body}`;
          const socket = new WebSocket('ws://ADDRESS', 'sip');
          socket.onopen = () => socket.send(message('INVITE', 1, '', sdp));
          socket.onerror = () => done('refused');
          socket.onmessage = async come => {
            const text = typeof come.data === 'string' ? come.data : await come.data.text();
            heard.push(text.split('\r\n')[0]);
            const [, tag] = /^To:.*(;tag=[^;\r\n]+)/mi.exec(text) ?? [];
            if (/^SIP\/2.0 200/.test(text) && /^CSeq: 1 INVITE/mi.test(text)) {
              socket.send(message('ACK', 1, tag, ''));
              socket.send(message('BYE', 2, tag, ''));
            } else if (/^CSeq: 2 BYE/mi.test(text)) {
              done(heard.join('\n'));
            }
          };
        })
        """;

    [PeerFact("chromium")]
    public async Task A_browser_calls_is_answered_and_hangs_up()
    {
        await using var endpoint = await StartAsync(SipWebSocketOptions.AnyOrigin);
        Assert.Equal(["SIP/2.0 100 Trying", "SIP/2.0 180 Ringing", "SIP/2.0 200 OK", "SIP/2.0 200 OK"], (await CallAsync(endpoint)).Split('\n'));
        Assert.Equal(0, endpoint.Statistics.Dialogs);
    }

    [PeerFact("chromium")]
    public async Task A_page_of_an_origin_that_is_not_allowed_gets_no_connection()
    {
        await using var endpoint = await StartAsync("https://phone.example");
        Assert.Equal("refused", await CallAsync(endpoint));
        Assert.Equal(0, endpoint.Statistics.Received);
    }

    private static async Task<string> CallAsync(SipEndpoint endpoint)
    {
        await using var browser = await Chromium.StartAsync(400, 300);
        return await browser.EvaluateAsync(Script
            .Replace("ADDRESS", endpoint.Bindings[0].Address.ToString(), StringComparison.Ordinal)
            .Replace("SDP", JsonSerializer.Serialize(SippPartners.Sdp), StringComparison.Ordinal));
    }

    private static Task<SipEndpoint> StartAsync(string origin) => SipEndpoint.StartAsync(
        new SipEndpointOptions { Listen = [SipListen.OverWebSocket(new SipWebSocketOptions { AllowedOrigins = [origin] })] }, new SippPartners());
}
