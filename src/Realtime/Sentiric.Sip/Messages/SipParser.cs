using System.Text;

namespace Sentiric.Sip;

/// <summary>
/// Bytes to messages. Never throws: whatever the bytes are, the result is a message or a <see cref="SipParseError"/>.
/// First the message is cut into lines (<see cref="SipCutter"/>), then what the stack relies on is judged.
/// </summary>
public static class SipParser
{
    private const int LongestUsualMethod = 12;

    /// <summary>Must be there exactly once (RFC 3261 8.1.1).</summary>
    private static readonly uint Needed = SipHeaderIndex.Bit(SipHeaderId.From) | SipHeaderIndex.Bit(SipHeaderId.To)
        | SipHeaderIndex.Bit(SipHeaderId.CallId) | SipHeaderIndex.Bit(SipHeaderId.CSeq);

    /// <summary>May be there once (RFC 3261 table 2).</summary>
    private static readonly uint Single = Needed | SipHeaderIndex.Bit(SipHeaderId.MaxForwards);

    /// <summary>The lists that routing reads, and who it is between.</summary>
    private static readonly uint ReadHere = SipHeaderIndex.Bit(SipHeaderId.From) | SipHeaderIndex.Bit(SipHeaderId.To)
        | SipHeaderIndex.Bit(SipHeaderId.Via) | SipHeaderIndex.Bit(SipHeaderId.Contact)
        | SipHeaderIndex.Bit(SipHeaderId.RecordRoute) | SipHeaderIndex.Bit(SipHeaderId.Route);

    /// <summary>Parses one datagram; the bytes are copied. Octets after Content-Length are ignored (RFC 3261 18.3).</summary>
    public static SipParseResult ParseDatagram(ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length > SipLimits.MessageBytes)
        {
            return new SipParseResult(null, new SipParseError(413, "The message is longer than the limit."));
        }

        SipParseError? fault = SipCutter.Cut(SkipLeadingLines(datagram).ToArray(), out SipRawMessage? raw);
        return fault is not null || raw is null ? new SipParseResult(null, fault) : Judge(raw);
    }

    // RFC 3261 7.5: empty lines before the start line are ignored.
    internal static ReadOnlySpan<byte> SkipLeadingLines(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.IsEmpty && bytes[0] is not ((byte)'\r' or (byte)'\n'))
        {
            return bytes;
        }

        int start = bytes.IndexOfAnyExcept((byte)'\r', (byte)'\n');
        return start < 0 ? default : bytes[start..];
    }

    private static SipParseResult Judge(SipRawMessage raw) =>
        raw.StartLine.StartsWith("SIP/2.0"u8) && (raw.StartLine.Length == 7 || raw.StartLine[7] == ' ') ? JudgeResponse(raw) : JudgeRequest(raw);

    private static SipParseResult JudgeRequest(SipRawMessage raw)
    {
        CheckedHeaders headers = default;
        SipParseError? fault = RequestLine(raw, out string method, out WirePart uri, out SipUriShape uriShape) ?? CheckHeaders(raw, out headers);
        if (fault is not null)
        {
            return new SipParseResult(null, fault with { Raw = raw });
        }

        if (!headers.CSeq.Method.Equals(method, StringComparison.Ordinal))
        {
            // RFC 4475 3.1.2.17 and 3.1.2.18: an unknown method deserves 501 before its CSeq is looked at.
            int status = SipMethod.IsStandard(method) ? 400 : 501;
            return new SipParseResult(null, new SipParseError(status, "The method of CSeq is not that of the request line.", raw));
        }

        return new SipParseResult(new SipRequest(raw, headers, method, uri, uriShape), null);
    }

    /// <summary>Method SP Request-URI SP SIP-Version, single spaces (RFC 3261 7.1; RFC 4475 3.1.2.7 to 3.1.2.10).</summary>
    private static SipParseError? RequestLine(SipRawMessage raw, out string method, out WirePart uri, out SipUriShape shape)
    {
        method = "";
        uri = default;
        shape = default;
        ReadOnlySpan<byte> line = raw.StartLine;
        int first = FirstBlank(line);
        int last = LastBlank(line);
        if (first <= 0 || last <= first || !SipMethod.TryRead(line[..first], out method))
        {
            return new SipParseError(400, "The request line is malformed.");
        }

        ReadOnlySpan<byte> version = line[(last + 1)..];
        if (!version.SequenceEqual("SIP/2.0"u8) && !Ascii.EqualsIgnoreCase(version, "SIP/2.0"u8))
        {
            return version.StartsWith("SIP/"u8)
                ? new SipParseError(505, "The SIP version is not 2.0.")
                : new SipParseError(400, "The request line does not end with the SIP version.");
        }

        uri = new WirePart(first + 1, last);
        SipScanner scanner = raw.Scan(uri.Moved(raw.StartLinePlace.Start));
        if (!SipUriShape.TryReadUsual(ref scanner, UriEnd.Text, out shape) && !SipUriShape.TryRead(uri.Of(line), out shape))
        {
            return new SipParseError(400, "The Request-URI is malformed.");
        }

        // RFC 3261 19.1.1 table 1: no headers in a Request-URI; taking them along could smuggle a Route (RFC 4475 3.1.2.11).
        return shape.Headers.IsPresent ? new SipParseError(400, "The Request-URI holds headers.") : null;
    }

    /// <summary>Of a start line, -1 when there is none. Methods are short: to step over them costs less than to begin a search.</summary>
    internal static int FirstBlank(ReadOnlySpan<byte> line)
    {
        int usual = Math.Min(line.Length, LongestUsualMethod);
        for (int at = 0; at < usual; at++)
        {
            if (line[at] == ' ')
            {
                return at;
            }
        }

        return line.IndexOf((byte)' ');
    }

    /// <summary>The one before the version, where nearly every line has it.</summary>
    internal static int LastBlank(ReadOnlySpan<byte> line) => line.EndsWith(" SIP/2.0"u8) ? line.Length - " SIP/2.0"u8.Length : line.LastIndexOf((byte)' ');

    private static SipParseResult JudgeResponse(SipRawMessage raw)
    {
        ReadOnlySpan<byte> line = raw.StartLine;
        bool threeDigits = line.Length >= 11 && SipScanner.TryNumber(line[8..11], out _) && (line.Length == 11 || line[11] == ' ');
        if (!threeDigits || !SipScanner.TryNumber(line[8..11], out uint status) || status is < 100 or > 699)
        {
            return new SipParseResult(null, new SipParseError(400, "The status line is malformed.", raw));
        }

        SipParseError? fault = CheckHeaders(raw, out CheckedHeaders headers);
        return fault is null
            ? new SipParseResult(new SipResponse(raw, headers, (int)status), null)
            : new SipParseResult(null, fault with { Raw = raw });
    }

    /// <summary>
    /// The headers that every message needs, each at most once where RFC 3261 table 2 says so (RFC 4475 3.3.1, 3.3.8), and the lists
    /// that routing reads. Checked in place; <see cref="SipMessage"/> makes them into objects when it is asked for them.
    /// </summary>
    private static SipParseError? CheckHeaders(SipRawMessage raw, out CheckedHeaders headers)
    {
        headers = default;
        if (raw.Index.Missing(Needed) != 0 || raw.Index.Repeated(Single) != 0)
        {
            return Miscounted(raw.Index);
        }

        if (!TryCSeq(raw.Value(raw.Find(SipHeaderId.CSeq)), out headers.CSeq))
        {
            return Malformed(SipHeaderId.CSeq);
        }

        ReadOnlySpan<byte> callId = raw.Value(raw.Find(SipHeaderId.CallId));
        if (callId.IsEmpty || callId.IndexOfAny((byte)' ', (byte)'\t', (byte)0) >= 0)
        {
            return Malformed(SipHeaderId.CallId);
        }

        int topVia = raw.Find(SipHeaderId.Via);
        for (int i = 0; i < raw.HeaderCount; i++)
        {
            SipHeaderId id = raw.Id(i);
            if ((SipHeaderIndex.Bit(id) & ReadHere) != 0 && !TryHeader(raw, i, id, i == topVia, ref headers))
            {
                return Malformed(id);
            }
        }

        return topVia < 0 ? new SipParseError(400, "There is no Via.") : null;
    }

    private static bool TryHeader(SipRawMessage raw, int line, SipHeaderId id, bool isTop, ref CheckedHeaders headers)
    {
        SipScanner scanner = raw.Scan(line);
        switch (id)
        {
            case SipHeaderId.From:
                return NameAddrShape.TryReadSingle(ref scanner, out headers.From);
            case SipHeaderId.To:
                return NameAddrShape.TryReadSingle(ref scanner, out headers.To);
            case SipHeaderId.Via:
                return isTop ? ViaShape.IsList(ref scanner, out headers.TopVia) : ViaShape.IsList(ref scanner, out _);
            default:
                return (id == SipHeaderId.Contact && SipMessage.IsStar(scanner.Text)) || NameAddrShape.IsList(ref scanner);
        }
    }

    private static SipParseError Miscounted(in SipHeaderIndex index)
    {
        foreach (SipHeaderId id in (ReadOnlySpan<SipHeaderId>)[SipHeaderId.From, SipHeaderId.To, SipHeaderId.CallId, SipHeaderId.CSeq])
        {
            if ((index.Missing(SipHeaderIndex.Bit(id)) | index.Repeated(SipHeaderIndex.Bit(id))) != 0)
            {
                return new SipParseError(400, $"{SipHeaderNames.Of(id)} is not there exactly once.");
            }
        }

        return new SipParseError(400, "Max-Forwards is there twice.");
    }

    private static SipParseError Malformed(SipHeaderId id) => new(400, $"{SipHeaderNames.Of(id)} is malformed.");

    /// <summary>1*DIGIT LWS Method; a number beyond 32 bits is an error (RFC 3261 8.1.1.5, RFC 4475 3.1.2.4).</summary>
    internal static bool TryCSeq(ReadOnlySpan<byte> value, out uint number, out ReadOnlySpan<byte> method)
    {
        number = 0;
        method = default;
        int digits = 0;
        while (digits < value.Length && !SipScanner.IsSpace(value[digits]))
        {
            digits++;
        }

        if (digits == value.Length || !SipScanner.TryNumber(value[..digits], out number))
        {
            return false;
        }

        WirePart rest = SipScanner.Trimmed(value, digits, value.Length);
        method = rest.Of(value);
        return true;
    }

    private static bool TryCSeq(ReadOnlySpan<byte> value, out CSeq cseq)
    {
        cseq = default;
        if (!TryCSeq(value, out uint number, out ReadOnlySpan<byte> method))
        {
            return false;
        }

        bool isToken = SipMethod.TryRead(method, out string name);
        cseq = new CSeq(number, name);
        return isToken;
    }
}

/// <summary>What the parser found when it checked the headers that every message has; places count from the value of their header.</summary>
internal struct CheckedHeaders
{
    public CSeq CSeq;
    public NameAddrShape From;
    public NameAddrShape To;
    public ViaShape TopVia;
}
