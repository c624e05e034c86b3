using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading.Channels;
using Sentiric.Testing.Loopback;

namespace Sentiric.Calls.Tests.Kit;

/// <summary>A phone of one UDP socket that says exactly what a test writes and remembers what it hears.</summary>
internal sealed partial class UdpPhone : IDisposable
{
    public const string Sdp = "v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0 101\r\n";
    public const string Number = "+905321112233";

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly Channel<string> _heard = Channel.CreateUnbounded<string>();
    private readonly List<string> _log = [];
    private readonly IPEndPoint _server;

    public UdpPhone(IPEndPoint server)
    {
        _server = server;
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _ = ReceiveAsync();
    }

    public string CallId { get; } = Guid.NewGuid().ToString("N");

    /// <summary>The tag of the other side, from the first answer that had one.</summary>
    public string? RemoteTag { get; private set; }

    private EndPoint Address => _socket.LocalEndPoint!;

    public void Invite(string? sdp = Sdp, string to = "+902121234567", int cseq = 1) => Say("INVITE", cseq, sdp, to);

    public void Ack(int cseq = 1, string? sdp = null) => Say("ACK", cseq, sdp);

    public void Update(string sdp, int cseq) => Say("UPDATE", cseq, sdp);

    /// <summary>A key as gateways send it in the signalling.</summary>
    public void PressByInfo(char key, int cseq) => Say("INFO", cseq, $"Signal={key}\r\nDuration=120\r\n", contentType: "application/dtmf-relay");

    public void Bye(int cseq = 2) => Say("BYE", cseq);

    public void Cancel() => Say("CANCEL", 1, branch: "INVITE-1", tagged: false);

    /// <summary>INVITE, 200, ACK.</summary>
    public async Task CallAsync()
    {
        Invite();
        await HearAsync("200", "INVITE");
        Ack();
    }

    /// <summary>The next answer with this status to this method; with a number, to that request only: on a busy machine a 2xx comes again before its ACK is there.</summary>
    public Task<string> HearAsync(string status, string method, int? cseq = null) => HearAsync(
        m => m.StartsWith($"SIP/2.0 {status} ", StringComparison.Ordinal) && CSeq().Match(m).Groups[1].Value == method
            && (cseq is null || m.Contains($"CSeq: {cseq} {method}\r\n", StringComparison.Ordinal)),
        $"{status} to {cseq} {method}");

    /// <summary>The next request of the other side; it is answered with 200.</summary>
    public async Task<string> HearRequestAsync(string method)
    {
        var request = await HearAsync(m => m.StartsWith(method + " ", StringComparison.Ordinal), method);
        var mirrored = request.Split("\r\n").Where(l => l.StartsWith("Via:") || l.StartsWith("From:") || l.StartsWith("To:") || l.StartsWith("Call-ID:") || l.StartsWith("CSeq:"));
        Send("SIP/2.0 200 OK\r\n" + string.Join("\r\n", mirrored) + "\r\nContent-Length: 0\r\n\r\n");
        return request;
    }

    /// <summary>How often this status came for INVITE so far.</summary>
    public int Count(string status)
    {
        lock (_log)
        {
            return _log.Count(m => m.StartsWith($"SIP/2.0 {status} ", StringComparison.Ordinal) && CSeq().Match(m).Groups[1].Value == "INVITE");
        }
    }

    public void Dispose() => _socket.Dispose();

    private void Say(string method, int cseq, string? sdp = null, string to = "+902121234567", string? branch = null, bool tagged = true, string contentType = "application/sdp")
    {
        var tag = tagged && RemoteTag is not null ? ";tag=" + RemoteTag : "";
        Send(
            $"{method} sip:{to}@{_server} SIP/2.0\r\n"
            + $"Via: SIP/2.0/UDP {Address};rport;branch=z9hG4bK-{branch ?? $"{method}-{cseq}"}-{CallId}\r\n"
            + "Max-Forwards: 70\r\n"
            + $"From: \"Ayşe\" <sip:{Number}@phone.example>;tag=phone\r\n"
            + $"To: <sip:{to}@{_server}>{tag}\r\n"
            + $"Call-ID: {CallId}\r\n"
            + $"CSeq: {cseq} {method}\r\n"
            + $"Contact: <sip:phone@{Address}>\r\n"
            + (sdp is null ? "" : $"Content-Type: {contentType}\r\n")
            + $"Content-Length: {Encoding.UTF8.GetByteCount(sdp ?? "")}\r\n\r\n"
            + sdp);
    }

    private void Send(string message) => _socket.SendTo(Encoding.UTF8.GetBytes(message), _server);

    private async Task<string> HearAsync(Func<string, bool> wanted, string what)
    {
        using var limit = new CancellationTokenSource(Soon.Patience);
        try
        {
            while (true)
            {
                var message = await _heard.Reader.ReadAsync(limit.Token);
                if (wanted(message))
                {
                    return message;
                }
            }
        }
        catch (OperationCanceledException)
        {
            lock (_log)
            {
                throw new TimeoutException($"Waited for {what}; heard:\n" + string.Join('\n', _log.Select(m => m[..m.IndexOf('\r')])));
            }
        }
    }

    private async Task ReceiveAsync()
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (true)
            {
                var length = await _socket.ReceiveAsync(buffer);
                var message = Encoding.UTF8.GetString(buffer, 0, length);
                RemoteTag ??= ToTag().Match(message) is { Success: true } found && message.StartsWith("SIP/2.0 ", StringComparison.Ordinal) ? found.Groups[1].Value : null;
                lock (_log)
                {
                    _log.Add(message);
                }

                _heard.Writer.TryWrite(message);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            _heard.Writer.TryComplete();
        }
    }

    [GeneratedRegex(@"^CSeq:\s*\d+\s+(\w+)", RegexOptions.Multiline | RegexOptions.IgnoreCase)]
    private static partial Regex CSeq();

    [GeneratedRegex(@"^To:.*;tag=([^;\s]+)", RegexOptions.Multiline | RegexOptions.IgnoreCase)]
    private static partial Regex ToTag();
}
