using System.Text;

namespace Sentiric.Sip;

/// <summary>Sequence number and method (RFC 3261 20.16).</summary>
public readonly record struct CSeq(uint Number, string Method);

/// <summary>A parsed message: what routing needs is typed and checked, everything else is read from <see cref="Raw"/> on demand.</summary>
public abstract class SipMessage
{
    private readonly Core core;

    private protected SipMessage(SipRawMessage raw, Core core)
    {
        Raw = raw;
        this.core = core;
    }

    public SipRawMessage Raw { get; }

    public string CallId => core.CallId;

    public CSeq CSeq => core.CSeq;

    public NameAddr From => core.From;

    public NameAddr To => core.To;

    /// <summary>Every Via, topmost first; never empty.</summary>
    public IReadOnlyList<Via> Vias => core.Vias;

    public Via TopVia => core.Vias[0];

    public IReadOnlyList<NameAddr> Contacts => core.Contacts;

    /// <summary>"Contact: *" (RFC 3261 10.2.2).</summary>
    public bool HasStarContact => core.HasStarContact;

    public IReadOnlyList<NameAddr> RecordRoutes => core.RecordRoutes;

    public IReadOnlyList<NameAddr> Routes => core.Routes;

    /// <summary>Body bytes as they came.</summary>
    public ReadOnlyMemory<byte> Body => Raw.Body;

    /// <summary>The body when it is SDP, else null.</summary>
    public string? Sdp => Body.Length > 0 && ContentTypeIs("application/sdp") ? Encoding.UTF8.GetString(Body.Span) : null;

    /// <summary>The first value of a header as text, by full name, without regard to case; null when absent.</summary>
    public string? Header(string name)
    {
        foreach (string value in Headers(name))
        {
            return value;
        }

        return null;
    }

    /// <summary>All header lines of that name as text, in order; compact forms count as their full name.</summary>
    public IEnumerable<string> Headers(string name)
    {
        SipHeaderId id = SipHeaderNames.Find(Encoding.ASCII.GetBytes(name));
        for (int i = 0; i < Raw.HeaderCount; i++)
        {
            bool same = id == SipHeaderId.Other
                ? Raw.Id(i) == SipHeaderId.Other && Raw.Name(i).Equals(name, StringComparison.OrdinalIgnoreCase)
                : Raw.Id(i) == id;
            if (same)
            {
                yield return WireText.Text(Raw.Value(i));
            }
        }
    }

    /// <summary>The values of a comma-separated list of tokens over all its lines, such as Require.</summary>
    public IReadOnlyList<string> Tokens(string name) =>
        Headers(name).SelectMany(line => line.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)).ToList();

    /// <summary>Compares the media type without its parameters.</summary>
    public bool ContentTypeIs(string mediaType)
    {
        ReadOnlySpan<char> value = Header("Content-Type");
        int semicolon = value.IndexOf(';');
        return (semicolon < 0 ? value : value[..semicolon]).Trim().Equals(mediaType, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>A header that is one number; null when absent, malformed or beyond 32 bits (RFC 4475 3.1.2.4 lets it default).</summary>
    public uint? Number(string name) =>
        Header(name) is { } value && SipScanner.TryNumber(Encoding.ASCII.GetBytes(value), out uint number) ? number : null;

    public override string ToString() => Encoding.UTF8.GetString(Raw.Wire.Span);

    internal sealed class Core(string callId, CSeq cseq, NameAddr from, NameAddr to)
    {
        public string CallId => callId;

        public CSeq CSeq => cseq;

        public NameAddr From => from;

        public NameAddr To => to;

        public List<Via> Vias { get; } = [];

        public List<NameAddr> Contacts { get; } = [];

        public List<NameAddr> RecordRoutes { get; } = [];

        public List<NameAddr> Routes { get; } = [];

        public bool HasStarContact { get; set; }
    }
}

/// <summary>A request (RFC 3261 7.1).</summary>
public sealed class SipRequest : SipMessage
{
    internal SipRequest(SipRawMessage raw, Core core, string method, SipUri uri)
        : base(raw, core)
    {
        Method = method;
        Uri = uri;
    }

    /// <summary>Compared case-sensitively with <see cref="SipMethod"/>.</summary>
    public string Method { get; }

    public SipUri Uri { get; }

    internal bool Is(string method) => Method.Equals(method, StringComparison.Ordinal);
}

/// <summary>A response (RFC 3261 7.2).</summary>
public sealed class SipResponse : SipMessage
{
    internal SipResponse(SipRawMessage raw, Core core, int statusCode, string reason)
        : base(raw, core)
    {
        StatusCode = statusCode;
        Reason = reason;
    }

    /// <summary>100 to 699.</summary>
    public int StatusCode { get; }

    /// <summary>The reason phrase; may be empty.</summary>
    public string Reason { get; }

    public bool IsProvisional => StatusCode < 200;

    public bool IsSuccess => StatusCode is >= 200 and < 300;
}
