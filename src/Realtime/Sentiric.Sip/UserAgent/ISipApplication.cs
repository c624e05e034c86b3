using System.Net;
using System.Text;

namespace Sentiric.Sip;

/// <summary>What the stack asks and tells. One instance serves one endpoint; members may be called from several threads.</summary>
public interface ISipApplication
{
    /// <summary>
    /// A new call. 100 Trying has left already. Runs where <see cref="SipEndpointOptions.Callbacks"/> says; answer, reject or keep the invite. An exception
    /// rejects the call with 500; an invite that nobody answers ends with 480 after <see cref="SipEndpointOptions.MaxRingTime"/>.
    /// </summary>
    /// <param name="stopping">Cancelled when the endpoint is disposed; a caller's CANCEL is <see cref="IncomingInvite.Cancelled"/>.</param>
    Task OnInviteAsync(IncomingInvite invite, CancellationToken stopping);

    /// <summary>Admission, asked for every request before it is parsed. Must answer at once (a set look-up).</summary>
    SipSourceDecision OnSource(SipTransportKind transport, IPEndPoint source) => SipSourceDecision.Accept;

    /// <summary>Every message sent and received, in order per remote. Must return at once.</summary>
    void OnTrace(SipTrace trace)
    {
    }
}

/// <summary>What happens to a request from this source.</summary>
public enum SipSourceDecision
{
    Accept,

    /// <summary>No answer at all: a scanner learns nothing.</summary>
    Drop,

    /// <summary>403, without any state kept.</summary>
    Reject,
}

public enum SipTraceDirection
{
    Received,
    Sent,
}

/// <summary>One message on the wire, for ladders and diagnosis. What it says is read when it is asked for.</summary>
public sealed record SipTrace(
    SipTraceDirection Direction,
    SipTransportKind Transport,
    IPEndPoint Local,
    IPEndPoint Remote,
    DateTimeOffset At,
    ReadOnlyMemory<byte> Message)
{
    private const int LongestUnended = 80;

    public string StartLine
    {
        get
        {
            ReadOnlySpan<byte> bytes = Message.Span;
            int end = bytes.IndexOf("\r\n"u8);
            return WireText.Text(end < 0 ? bytes[..Math.Min(bytes.Length, LongestUnended)] : bytes[..end]);
        }
    }

    /// <summary>Null when the message has no readable one.</summary>
    public string? CallId
    {
        get
        {
            for (ReadOnlySpan<byte> rest = Message.Span; rest.IndexOf("\r\n"u8) is > 0 and var end; rest = rest[(end + 2)..])
            {
                ReadOnlySpan<byte> line = rest[..end];
                int colon = line.IndexOf((byte)':');
                if (colon > 0 && SipHeaderNames.Find(SipScanner.TrimEnd(line[..colon])) == SipHeaderId.CallId)
                {
                    return WireText.Wire(SipScanner.Trim(line[(colon + 1)..]));
                }
            }

            return null;
        }
    }

    /// <summary>The message as text with credentials masked, fit to be stored.</summary>
    public string RedactedText()
    {
        string[] lines = WireText.Text(Message.Span).Split("\r\n");
        for (int i = 0; i < lines.Length && lines[i].Length > 0; i++)
        {
            int colon = lines[i].AsSpan().IndexOf(':');
            if (colon > 0 && lines[i].AsSpan(0, colon).Contains("Authorization", StringComparison.OrdinalIgnoreCase))
            {
                lines[i] = lines[i][..colon] + ": ***";
            }
        }

        return string.Join("\r\n", lines);
    }
}

/// <summary>A final answer to a request: status, reason phrase (default when null) and extra headers.</summary>
public sealed record SipAnswer(int StatusCode, string? Reason = null, IReadOnlyList<KeyValuePair<string, string>>? Headers = null);

/// <summary>Answers REGISTER; <see cref="Registrar"/> is the one in the box.</summary>
public interface ISipRegistrar
{
    Task<SipAnswer> RegisterAsync(SipRequest request, IPEndPoint source, CancellationToken ct);
}
