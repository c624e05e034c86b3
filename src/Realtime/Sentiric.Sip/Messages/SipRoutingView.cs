namespace Sentiric.Sip;

/// <summary>
/// What decides where a message goes, read in place: nothing is copied, nothing is made, and reading ends with the last of these
/// headers. For whoever sorts messages before they are parsed (by Call-ID onto shards, into a trace, at a front that forwards).
/// It vouches only for the headers it names: of two Call-IDs it sees the first, where the parser refuses the message.
/// </summary>
public readonly ref struct SipRoutingView
{
    private const int Wanted = 5;

    private SipRoutingView(ReadOnlySpan<byte> startLine, int statusCode)
    {
        StartLine = startLine;
        StatusCode = statusCode;
    }

    public ReadOnlySpan<byte> StartLine { get; }

    /// <summary>0 for a request.</summary>
    public int StatusCode { get; }

    /// <summary>The method of the request line, or of CSeq in a response.</summary>
    public ReadOnlySpan<byte> Method { get; private init; }

    /// <summary>Host of the Request-URI as written; empty for a response and for schemes without one.</summary>
    public ReadOnlySpan<byte> UriHost { get; private init; }

    public ReadOnlySpan<byte> CallId { get; private init; }

    /// <summary>Branch of the topmost Via; empty when it has none.</summary>
    public ReadOnlySpan<byte> Branch { get; private init; }

    public uint CSeq { get; private init; }

    /// <summary>Empty when there is none, as in all that is before the dialog.</summary>
    public ReadOnlySpan<byte> FromTag { get; private init; }

    public ReadOnlySpan<byte> ToTag { get; private init; }

    /// <summary>
    /// False when one of the headers is missing or malformed, or lines do not end with CRLF before they are all seen. A message with one of
    /// them folded is not read either: sort it by its parsed form.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out SipRoutingView view)
    {
        view = default;
        message = SipParser.SkipLeadingLines(message);
        var lines = new SipLineScanner(message);
        if (!lines.TryNext(out _, out int end) || !TryStartLine(message, end, out view))
        {
            return false;
        }

        ReadOnlySpan<byte> callId = default, branch = default, fromTag = default, toTag = default, method = default;
        uint cseq = 0, seen = 0;
        for (int start = end + 2, found = 0; found < Wanted; start = end + 2)
        {
            if (!lines.TryNext(out int colon, out end) || end == start || (found > 0 && SipScanner.IsSpace(message[start])))
            {
                return false;
            }

            SipHeaderId id = colon <= start ? SipHeaderId.Other : IdOf(message[start..colon]);
            if (id == SipHeaderId.Other || (seen & SipHeaderIndex.Bit(id)) != 0)
            {
                continue;
            }

            seen |= SipHeaderIndex.Bit(id);
            found++;
            var scanner = new SipScanner(message, SipScanner.Trimmed(message, colon + 1, end));
            bool isRead = id switch
            {
                SipHeaderId.Via => TryBranch(ref scanner, out branch),
                SipHeaderId.From => TryTag(ref scanner, out fromTag),
                SipHeaderId.To => TryTag(ref scanner, out toTag),
                SipHeaderId.CSeq => SipParser.TryCSeq(scanner.Text, out cseq, out method),
                _ => !(callId = scanner.Text).IsEmpty,
            };
            if (!isRead)
            {
                return false;
            }
        }

        if (end + 2 >= message.Length || SipScanner.IsSpace(message[end + 2]))
        {
            return false;
        }

        view = new SipRoutingView(view.StartLine, view.StatusCode)
        {
            Method = view.StatusCode == 0 ? view.Method : method,
            UriHost = view.UriHost,
            CallId = callId,
            Branch = branch,
            CSeq = cseq,
            FromTag = fromTag,
            ToTag = toTag,
        };
        return true;
    }

    private static bool TryStartLine(ReadOnlySpan<byte> message, int end, out SipRoutingView view)
    {
        view = default;
        ReadOnlySpan<byte> line = message[..end];
        if (line.StartsWith("SIP/2.0 "u8))
        {
            bool isStatus = line.Length >= 11 && SipScanner.TryNumber(line[8..11], out uint status) && status is >= 100 and <= 699;
            view = new SipRoutingView(line, isStatus ? (line[8] - '0') * 100 + (line[9] - '0') * 10 + line[10] - '0' : 0);
            return isStatus;
        }

        int first = SipParser.FirstBlank(line), last = SipParser.LastBlank(line);
        if (first <= 0 || last <= first)
        {
            return false;
        }

        var scanner = new SipScanner(message, new WirePart(first + 1, last));
        if (!SipUriShape.TryReadUsual(ref scanner, UriEnd.Text, out SipUriShape uri) && !SipUriShape.TryRead(scanner.Text, out uri))
        {
            return false;
        }

        view = new SipRoutingView(line, 0)
        {
            Method = line[..first],
            UriHost = uri.Host.IsPresent ? uri.Host.Of(line[(first + 1)..last]) : default,
        };
        return true;
    }

    /// <summary>The five that are wanted, told apart by their first letter before the name is looked for; all others are passed over.</summary>
    private static SipHeaderId IdOf(ReadOnlySpan<byte> name)
    {
        if ((name[0] | 0x20) is not ('v' or 'f' or 't' or 'i' or 'c'))
        {
            return SipHeaderId.Other;
        }

        SipHeaderId id = SipHeaderNames.Find(SipScanner.TrimEnd(name));
        return id is SipHeaderId.Via or SipHeaderId.From or SipHeaderId.To or SipHeaderId.CallId or SipHeaderId.CSeq ? id : SipHeaderId.Other;
    }

    private static bool TryBranch(scoped ref SipScanner scanner, out ReadOnlySpan<byte> branch)
    {
        bool isRead = ViaShape.TryRead(ref scanner, out ViaShape shape);
        branch = isRead && shape.Branch.IsPresent ? shape.Branch.Of(scanner.Text) : default;
        return isRead;
    }

    private static bool TryTag(scoped ref SipScanner scanner, out ReadOnlySpan<byte> tag)
    {
        bool isRead = NameAddrShape.TryReadSingle(ref scanner, out NameAddrShape shape);
        tag = isRead && shape.Tag.IsPresent ? shape.Tag.Of(scanner.Text) : default;
        return isRead;
    }
}
