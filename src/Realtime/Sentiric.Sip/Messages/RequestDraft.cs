namespace Sentiric.Sip;

/// <summary>A request of ours before it has its Via; ACK and CANCEL are derived from it. Values are wire strings.</summary>
internal sealed record RequestDraft
{
    public required string Method { get; init; }

    public required string Uri { get; init; }

    public required string From { get; init; }

    public required string To { get; init; }

    public required string CallId { get; init; }

    public required uint CSeq { get; init; }

    /// <summary>Route values byte for byte.</summary>
    public IReadOnlyList<string> Routes { get; init; } = [];

    public string? Contact { get; init; }

    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>The body: SDP, or whatever <see cref="ContentType"/> says.</summary>
    public string? Sdp { get; init; }

    /// <summary>Null: application/sdp.</summary>
    public string? ContentType { get; init; }

    public string MaxForwards { get; init; } = "70";

    /// <summary>Methods we take, told in requests that open or change a dialog.</summary>
    public string? Allow { get; init; }

    /// <summary>A Call-ID from the application, or a random one.</summary>
    /// <exception cref="ArgumentException">It is empty or holds white space or control characters.</exception>
    public static string CallIdOf(string? given)
    {
        if (given is not null && (given.Length == 0 || given.Any(c => c <= ' ' || c == 0x7F)))
        {
            throw new ArgumentException("A Call-ID is one word without white space or control characters.");
        }

        return given is null ? SipShard.NewTag() + SipShard.NewTag() : WireText.FromText(given);
    }

    public byte[] Build(string via, string userAgent)
    {
        SipWriter writer = SipWriter.Request(Method, Uri).WireHeader(SipHeaderId.Via, via).Header(SipHeaderId.MaxForwards, MaxForwards);
        foreach (string route in Routes)
        {
            writer.WireHeader(SipHeaderId.Route, route);
        }

        writer.WireHeader(SipHeaderId.From, From).WireHeader(SipHeaderId.To, To).WireHeader(SipHeaderId.CallId, CallId)
            .Header("CSeq", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{CSeq} {Method}"));
        if (Contact is not null)
        {
            writer.WireHeader(SipHeaderId.Contact, Contact);
        }

        if (Allow is not null)
        {
            writer.Header("Allow", Allow);
        }

        writer.Headers(Headers).Header(SipHeaderId.UserAgent, userAgent);
        return ContentType is null ? writer.EndWithSdp(Sdp) : writer.End(ContentType, System.Text.Encoding.UTF8.GetBytes(Sdp ?? ""));
    }

    /// <summary>RFC 3261 17.1.1.3: the ACK of a refusal, sent by the transaction.</summary>
    public RequestDraft AckFor(SipResponse response) => Bare(SipMethod.Ack) with { To = response.To.Wire };

    /// <summary>RFC 3261 9.1.</summary>
    public RequestDraft Cancel() => Bare(SipMethod.Cancel);

    private RequestDraft Bare(string method) => this with { Method = method, Contact = null, Headers = [], Sdp = null, ContentType = null, Allow = null };
}
