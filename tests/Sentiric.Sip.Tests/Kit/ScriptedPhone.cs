using System.Net;
using System.Text;
using System.Threading.Channels;
using Sentiric.Sip;

namespace Sentiric.Sip.Tests.Kit;

/// <summary>A phone that says exactly what a test writes and remembers what it hears.</summary>
internal sealed class ScriptedPhone
{
    /// <summary>Real time, generous for a loaded machine; a wait that ends names what it waited for.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly MemoryNetwork network;
    private readonly Channel<SipMessage> heard = Channel.CreateUnbounded<SipMessage>();
    private readonly Channel<string> started = Channel.CreateUnbounded<string>();
    private readonly List<SipMessage> log = [];

    public ScriptedPhone(MemoryNetwork network, IPEndPoint server, string address = "127.0.0.9", int port = 5060)
    {
        this.network = network;
        Server = server;
        Address = new IPEndPoint(IPAddress.Parse(address), port);
        network.AttachHost(Address.Address, (_, bytes) =>
        {
            started.Writer.TryWrite(Encoding.UTF8.GetString(bytes.AsSpan(0, bytes.AsSpan().IndexOf("\r\n"u8))));
            // A refusal of a malformed request mirrors what was malformed, so not everything that arrives can be parsed.
            if (SipParser.ParseDatagram(bytes).Message is not { } message)
            {
                return;
            }

            lock (log)
            {
                log.Add(message);
            }

            heard.Writer.TryWrite(message);
        });
    }

    public IPEndPoint Address { get; set; }

    public IPEndPoint Server { get; }

    public IReadOnlyList<SipMessage> Log
    {
        get
        {
            lock (log)
            {
                return [.. log];
            }
        }
    }

    public IReadOnlyList<SipResponse> Responses(int status, string method) =>
        Log.OfType<SipResponse>().Where(one => one.StatusCode == status && one.CSeq.Method == method).ToList();

    public IReadOnlyList<SipRequest> Requests(string method) => Log.OfType<SipRequest>().Where(one => one.Method == method).ToList();

    public void Say(string message) => Say(Encoding.UTF8.GetBytes(message.ReplaceLineEndings("\r\n")));

    public void Say(byte[] message) => network.Carry(Address, Server, message);

    /// <summary>The status of the next response that is not 100, parsable or not.</summary>
    public async Task<int> HearFinalStatusAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            string line = await started.Reader.ReadAsync(patience.Token);
            if (line.StartsWith("SIP/2.0 ", StringComparison.Ordinal) && !line.StartsWith("SIP/2.0 1", StringComparison.Ordinal))
            {
                await Stage.FinishAsync([.. network.Parties]);
                return int.Parse(line.AsSpan(8, 3));
            }
        }
    }

    public bool HasHeardAnything => started.Reader.Count > 0;

    public async Task<SipResponse> HearResponseAsync(int status, string method = "INVITE") =>
        (SipResponse)await HearAsync(message => message is SipResponse response && response.StatusCode == status && response.CSeq.Method == method, $"{status} to {method}");

    /// <summary>The response to the request with this branch.</summary>
    public async Task<SipResponse> HearResponseToAsync(string branch) =>
        (SipResponse)await HearAsync(message => message is SipResponse response && response.TopVia.Branch == branch, "a response to " + branch);

    public async Task<SipRequest> HearRequestAsync(string method) =>
        (SipRequest)await HearAsync(message => message is SipRequest request && request.Method == method, method);

    private async Task<SipMessage> HearAsync(Func<SipMessage, bool> wanted, string what)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            while (true)
            {
                SipMessage message = await heard.Reader.ReadAsync(patience.Token);
                if (wanted(message))
                {
                    await Stage.FinishAsync([.. network.Parties]);
                    return message;
                }
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"Waited for {what}; heard:\n" + string.Join('\n', Log.Select(one => Encoding.UTF8.GetString(one.Raw.StartLine))));
        }
    }

    public const string Sdp = "v=0\r\no=a 1 1 IN IP4 127.0.0.9\r\ns=-\r\nc=IN IP4 127.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0 101\r\n";

    /// <summary>A request of this phone. Extra headers are whole lines, each with its line end.</summary>
    public string Request(
        string method, string callId, string branch, uint cseq, string? toTag = null, string extra = "", string? sdp = null, string fromTag = "phone", string? vias = null, string? uri = null)
    {
        string target = uri ?? $"sip:9000@{Server}";
        string body = sdp ?? "";
        return $"{method} {target} SIP/2.0\r\n"
            + (vias ?? $"Via: SIP/2.0/UDP {Address};rport;branch={branch}\r\n")
            + "Max-Forwards: 70\r\n"
            + $"From: \"Ayşe\" <sip:+905321234567@phone.example>;tag={fromTag}\r\n"
            + $"To: <sip:9000@{Server}>{(toTag is null ? "" : ";tag=" + toTag)}\r\n"
            + $"Call-ID: {callId}\r\n"
            + $"CSeq: {cseq} {method}\r\n"
            + $"Contact: <sip:phone@{Address}>\r\n"
            + extra
            + (sdp is null ? "" : "Content-Type: application/sdp\r\n")
            + $"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n"
            + body;
    }
}
