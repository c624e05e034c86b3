using System.Text;

namespace Sentiric.Sip;

/// <summary>Sequence number and method (RFC 3261 20.16).</summary>
public readonly record struct CSeq(uint Number, string Method);

/// <summary>
/// A parsed message. The headers that routing needs were checked by the parser and are made into objects when first asked for;
/// everything else is read from <see cref="Raw"/> on demand. Safe for many threads.
/// </summary>
public abstract class SipMessage
{
    private string? callId;
    private NameAddr? from;
    private NameAddr? to;
    private IReadOnlyList<Via>? vias;
    private IReadOnlyList<NameAddr>? contacts;
    private IReadOnlyList<NameAddr>? recordRoutes;
    private IReadOnlyList<NameAddr>? routes;
    private Via? topVia;
    private readonly CheckedHeaders headers;

    private protected SipMessage(SipRawMessage raw, in CheckedHeaders headers)
    {
        Raw = raw;
        this.headers = headers;
    }

    public SipRawMessage Raw { get; }

    public string CallId => callId ??= WireText.Wire(Raw.Value(Raw.Find(SipHeaderId.CallId)));

    public CSeq CSeq => headers.CSeq;

    public NameAddr From => from ??= new NameAddr(Raw.Bytes, Raw.Place(Raw.Find(SipHeaderId.From)).Start, headers.From);

    public NameAddr To => to ??= new NameAddr(Raw.Bytes, Raw.Place(Raw.Find(SipHeaderId.To)).Start, headers.To);

    /// <summary>Every Via, topmost first; never empty.</summary>
    public IReadOnlyList<Via> Vias => vias ??= ViaList();

    public Via TopVia => topVia ??= new Via(Raw.Bytes, Raw.Place(Raw.Find(SipHeaderId.Via)).Start, headers.TopVia);

    public IReadOnlyList<NameAddr> Contacts => contacts ??= Addresses(SipHeaderId.Contact);

    /// <summary>"Contact: *" (RFC 3261 10.2.2).</summary>
    public bool HasStarContact
    {
        get
        {
            for (int i = Raw.Find(SipHeaderId.Contact); i >= 0; i = Raw.Find(SipHeaderId.Contact, i + 1))
            {
                if (IsStar(Raw.Value(i)))
                {
                    return true;
                }
            }

            return false;
        }
    }

    public IReadOnlyList<NameAddr> RecordRoutes => recordRoutes ??= Addresses(SipHeaderId.RecordRoute);

    public IReadOnlyList<NameAddr> Routes => routes ??= Addresses(SipHeaderId.Route);

    /// <summary>Body bytes as they came.</summary>
    public ReadOnlyMemory<byte> Body => Raw.Body;

    /// <summary>The body when it is SDP, else null.</summary>
    public string? Sdp => Body.Length > 0 && ContentTypeIs("application/sdp") ? WireText.Text(Body.Span) : null;

    /// <summary>The first value of a header as text, by full name, without regard to case; null when absent.</summary>
    public string? Header(string name)
    {
        int index = Find(name, 0);
        return index < 0 ? null : WireText.Text(Raw.Value(index));
    }

    /// <summary>All header lines of that name as text, in order; compact forms count as their full name.</summary>
    public IEnumerable<string> Headers(string name)
    {
        for (int i = Find(name, 0); i >= 0; i = Find(name, i + 1))
        {
            yield return WireText.Text(Raw.Value(i));
        }
    }

    /// <summary>The values of a comma-separated list of tokens over all its lines, such as Require.</summary>
    public IReadOnlyList<string> Tokens(string name) =>
        Headers(name).SelectMany(line => line.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)).ToList();

    /// <summary>Compares the media type without its parameters.</summary>
    public bool ContentTypeIs(string mediaType)
    {
        int index = Raw.Find(SipHeaderId.ContentType);
        ReadOnlySpan<byte> value = index < 0 ? default : Raw.Value(index);
        int semicolon = value.IndexOf((byte)';');
        return Ascii.EqualsIgnoreCase(SipScanner.Trim(semicolon < 0 ? value : value[..semicolon]), mediaType);
    }

    /// <summary>A header that is one number; null when absent, malformed or beyond 32 bits (RFC 4475 3.1.2.4 lets it default).</summary>
    public uint? Number(string name) =>
        Header(name) is { } value && SipScanner.TryNumber(Encoding.ASCII.GetBytes(value), out uint number) ? number : null;

    public override string ToString() => WireText.Text(Raw.Wire.Span);

    /// <summary>The topmost Via by its bytes, and the line that its places count from.</summary>
    internal ref readonly ViaShape TopViaShape => ref headers.TopVia;

    internal ReadOnlySpan<byte> TopViaLine => Raw.Value(Raw.Find(SipHeaderId.Via));

    internal ReadOnlySpan<byte> CallIdBytes => Raw.Value(Raw.Find(SipHeaderId.CallId));

    internal bool HasFromTag => headers.From.Tag.IsPresent;

    internal bool HasToTag => headers.To.Tag.IsPresent;

    /// <summary>Empty when there is none.</summary>
    internal ReadOnlySpan<byte> FromTagBytes => HasFromTag ? headers.From.Tag.Of(Raw.Value(Raw.Find(SipHeaderId.From))) : default;

    internal static bool IsStar(ReadOnlySpan<byte> contact) => contact.SequenceEqual("*"u8);

    private int Find(string name, int from)
    {
        if (name.Length > SipHeaderNames.Longest || !Ascii.IsValid(name))
        {
            return FindOther(name, from);
        }

        Span<byte> ascii = stackalloc byte[SipHeaderNames.Longest];
        SipHeaderId id = SipHeaderNames.Find(ascii[..Encoding.ASCII.GetBytes(name, ascii)]);
        return id == SipHeaderId.Other ? FindOther(name, from) : Raw.Find(id, from);
    }

    private int FindOther(string name, int from)
    {
        for (int i = from; i < Raw.HeaderCount; i++)
        {
            if (Raw.Id(i) == SipHeaderId.Other && Ascii.EqualsIgnoreCase(Raw.NameBytes(i), name))
            {
                return i;
            }
        }

        return -1;
    }

    // What follows reads headers that the parser has checked: two threads that ask first at once make equal values.
    private IReadOnlyList<NameAddr> Addresses(SipHeaderId id)
    {
        int first = Raw.Find(id);
        if (first < 0)
        {
            return [];
        }

        // Nearly always one value on one line.
        SipScanner scanner = Raw.Scan(first);
        if (Raw.Index.Repeated(SipHeaderIndex.Bit(id)) == 0 && NameAddrShape.TryReadSingle(ref scanner, out NameAddrShape only))
        {
            return [new NameAddr(Raw.Bytes, Raw.Place(first).Start, only)];
        }

        var all = new List<NameAddr>();
        for (int i = first; i >= 0; i = Raw.Find(id, i + 1))
        {
            if (!IsStar(Raw.Value(i)) && !NameAddr.TryParseList(Raw.Bytes, Raw.Place(i), all))
            {
                throw Unchecked(id);
            }
        }

        return all;
    }

    private IReadOnlyList<Via> ViaList()
    {
        int first = Raw.Find(SipHeaderId.Via);
        int topEnd = headers.TopVia.Whole.End;
        bool hasMoreThere = Raw.Value(first)[topEnd..].Contains((byte)',');
        if (!hasMoreThere && Raw.Index.Repeated(SipHeaderIndex.Bit(SipHeaderId.Via)) == 0)
        {
            return [TopVia];
        }

        if (!hasMoreThere && TryTwoVias(Raw.Find(SipHeaderId.Via, first + 1)) is { } two)
        {
            return two;
        }

        var all = new List<Via>(2) { TopVia };
        for (int i = first; i >= 0; i = Raw.Find(SipHeaderId.Via, i + 1))
        {
            int from = i == first ? topEnd + Raw.Value(i)[topEnd..].IndexOf((byte)',') + 1 : 0;
            if ((i != first || hasMoreThere) && !Via.TryParseList(Raw.Bytes, Raw.Place(i), from, all))
            {
                throw Unchecked(SipHeaderId.Via);
            }
        }

        return all;
    }

    /// <summary>One proxy on the way, each Via on a line of its own; null when there are more.</summary>
    private Via[]? TryTwoVias(int second)
    {
        SipScanner scanner = Raw.Scan(second);
        return Raw.Find(SipHeaderId.Via, second + 1) < 0 && ViaShape.IsSingle(ref scanner, out ViaShape below)
            ? [TopVia, new Via(Raw.Bytes, Raw.Place(second).Start, below)]
            : null;
    }

    private static InvalidOperationException Unchecked(SipHeaderId id) => new($"{SipHeaderNames.Of(id)} was not checked when the message was parsed.");
}

/// <summary>A request (RFC 3261 7.1).</summary>
public sealed class SipRequest : SipMessage
{
    private readonly WirePart uriPlace;
    private readonly SipUriShape uriShape;
    private SipUri? uri;

    internal SipRequest(SipRawMessage raw, in CheckedHeaders headers, string method, WirePart uriPlace, in SipUriShape uriShape)
        : base(raw, headers)
    {
        Method = method;
        this.uriPlace = uriPlace;
        this.uriShape = uriShape;
    }

    /// <summary>Compared case-sensitively with <see cref="SipMethod"/>.</summary>
    public string Method { get; }

    public SipUri Uri => uri ??= new SipUri(Raw.Bytes, Raw.StartLinePlace.Start + uriPlace.Start, uriPlace.Length, uriShape);

    internal ReadOnlySpan<byte> UriBytes => uriPlace.Of(Raw.StartLine);

    internal bool Is(string method) => Method.Equals(method, StringComparison.Ordinal);
}

/// <summary>A response (RFC 3261 7.2).</summary>
public sealed class SipResponse : SipMessage
{
    private const int ReasonStart = 12;
    private string? reason;

    internal SipResponse(SipRawMessage raw, in CheckedHeaders headers, int statusCode)
        : base(raw, headers) => StatusCode = statusCode;

    /// <summary>100 to 699.</summary>
    public int StatusCode { get; }

    /// <summary>The reason phrase; may be empty.</summary>
    public string Reason => reason ??= ReasonOf(Raw.StartLine);

    public bool IsProvisional => StatusCode < 200;

    public bool IsSuccess => StatusCode is >= 200 and < 300;

    private string ReasonOf(ReadOnlySpan<byte> line)
    {
        ReadOnlySpan<byte> written = line.Length > ReasonStart ? line[ReasonStart..] : default;
        return SipReasonPhrases.Of(StatusCode) is var usual && Ascii.Equals(written, usual) ? usual : WireText.Text(written);
    }
}
