using System.Text;

namespace Sentiric.Sip;

/// <summary>
/// Bytes to messages. Never throws: whatever the bytes are, the result is a message or a <see cref="SipParseError"/>.
/// First the message is cut into lines (<see cref="Cut"/>), then what the stack relies on is judged (<see cref="Judge"/>).
/// </summary>
public static class SipParser
{
    /// <summary>Parses one datagram; the bytes are copied. Octets after Content-Length are ignored (RFC 3261 18.3).</summary>
    public static SipParseResult ParseDatagram(ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length > SipLimits.MessageBytes)
        {
            return Failed(413, "The message is longer than the limit.");
        }

        SipParseError? fault = Cut(SkipLeadingLines(datagram).ToArray(), out SipRawMessage? raw);
        return fault is not null || raw is null ? new SipParseResult(null, fault) : Judge(raw);
    }

    // RFC 3261 7.5: empty lines before the start line are ignored.
    internal static ReadOnlySpan<byte> SkipLeadingLines(ReadOnlySpan<byte> bytes) => bytes.TrimStart("\r\n"u8);

    /// <summary>Cuts start line, headers and body. A fault keeps what was cut so far, so that it can still be answered.</summary>
    private static SipParseError? Cut(byte[] wire, out SipRawMessage? raw)
    {
        raw = null;
        byte[] text = wire;
        int at = 0;
        if (!TryLine(wire, ref at, out WirePart startLine))
        {
            return new SipParseError(400, "The start line does not end.");
        }

        Slots slots = default;
        Span<SipRawMessage.HeaderSlot> headers = slots;
        int count = 0;
        SipParseError? fault = startLine.End > SipLimits.HeaderBytes ? new SipParseError(414, "The start line is longer than the limit.") : null;
        while (true)
        {
            int lineStart = at;
            if (!TryHeaderLine(wire, ref text, ref at, out WirePart line))
            {
                fault ??= new SipParseError(400, "The headers do not end with an empty line.");
                at = wire.Length;
                break;
            }

            if (line.Length == 0)
            {
                break;
            }

            SipParseError? lineFault = Check(at - lineStart, count, line.Of(text));
            fault ??= lineFault;
            if (lineFault is not null)
            {
                // Not even kept to be mirrored into the refusal.
                continue;
            }

            if (TrySlot(text, line, out SipRawMessage.HeaderSlot slot))
            {
                headers[count++] = slot;
            }
            else
            {
                fault ??= new SipParseError(400, "A header line has no name and colon.");
            }
        }

        SipRawMessage.HeaderSlot[] kept = headers[..count].ToArray();
        SipParseError? bodyFault = BodyFault(text, kept, wire.Length - at, out int body);
        fault ??= bodyFault;
        if (fault is not null)
        {
            return fault with { Raw = new SipRawMessage(wire, text, startLine, kept, new WirePart(at, wire.Length)) };
        }

        raw = new SipRawMessage(wire, text, startLine, kept, new WirePart(at, at + body));
        return null;
    }

    /// <summary>Room for the most headers that are accepted, on the stack.</summary>
    [System.Runtime.CompilerServices.InlineArray(SipLimits.Headers)]
    private struct Slots
    {
        private SipRawMessage.HeaderSlot first;
    }

    private static SipParseError? Check(int lineBytes, int headerCount, ReadOnlySpan<byte> line)
    {
        if (lineBytes > SipLimits.HeaderBytes)
        {
            return new SipParseError(400, "A header is longer than the limit.");
        }

        if (headerCount >= SipLimits.Headers)
        {
            return new SipParseError(400, "There are more headers than the limit.");
        }

        // A lone CR or LF is no line end here, and passing it on would let it become one elsewhere.
        return line.ContainsAny((byte)'\r', (byte)'\n') ? new SipParseError(400, "A header holds a lone CR or LF.") : null;
    }

    /// <summary>One line ending with CRLF; <paramref name="at"/> moves behind it.</summary>
    private static bool TryLine(byte[] bytes, ref int at, out WirePart line)
    {
        int end = bytes.AsSpan(at).IndexOf("\r\n"u8);
        line = default;
        if (end < 0)
        {
            return false;
        }

        line = new WirePart(at, at + end);
        at += end + 2;
        return true;
    }

    /// <summary>One header with its continuation lines; the line ends within become spaces in the unfolded copy (RFC 3261 7.3.1).</summary>
    private static bool TryHeaderLine(byte[] wire, ref byte[] text, ref int at, out WirePart line)
    {
        if (!TryLine(wire, ref at, out line))
        {
            return false;
        }

        while (line.Length > 0 && at < wire.Length && SipScanner.IsSpace(wire[at]))
        {
            if (ReferenceEquals(text, wire))
            {
                text = (byte[])wire.Clone();
            }

            text[at - 2] = (byte)' ';
            text[at - 1] = (byte)' ';
            if (!TryLine(wire, ref at, out WirePart continuation))
            {
                return false;
            }

            line = new WirePart(line.Start, continuation.End);
        }

        return true;
    }

    private static bool TrySlot(byte[] text, WirePart line, out SipRawMessage.HeaderSlot slot)
    {
        slot = default;
        ReadOnlySpan<byte> bytes = line.Of(text);
        int colon = bytes.IndexOf((byte)':');
        if (colon <= 0)
        {
            return false;
        }

        ReadOnlySpan<byte> name = bytes[..colon].TrimEnd(" \t"u8);
        if (!SipScanner.IsToken(name))
        {
            return false;
        }

        int start = colon + 1, end = bytes.Length;
        while (start < end && SipScanner.IsSpace(bytes[start]))
        {
            start++;
        }

        while (end > start && SipScanner.IsSpace(bytes[end - 1]))
        {
            end--;
        }

        slot = new SipRawMessage.HeaderSlot(
            SipHeaderNames.Find(name), new WirePart(line.Start, line.Start + name.Length), new WirePart(line.Start + start, line.Start + end));
        return true;
    }

    /// <summary>RFC 3261 20.14, RFC 4475 3.1.2.2, 3.1.2.3, 3.3.9: no sign, one value, not more than there is; without it all that is left.</summary>
    private static SipParseError? BodyFault(byte[] text, SipRawMessage.HeaderSlot[] headers, int available, out int length)
    {
        length = available;
        bool seen = false;
        foreach (SipRawMessage.HeaderSlot header in headers)
        {
            if (header.Id != SipHeaderId.ContentLength)
            {
                continue;
            }

            if (seen)
            {
                return new SipParseError(400, "Content-Length is there twice.");
            }

            if (!SipScanner.TryNumber(header.Value.Of(text), out uint declared))
            {
                return new SipParseError(400, "Content-Length is no number.");
            }

            if (declared > available)
            {
                return new SipParseError(400, "Content-Length is larger than the body.");
            }

            seen = true;
            length = (int)declared;
        }

        return null;
    }

    private static SipParseResult Judge(SipRawMessage raw) =>
        raw.StartLine.StartsWith("SIP/2.0 "u8) || raw.StartLine.SequenceEqual("SIP/2.0"u8) ? JudgeResponse(raw) : JudgeRequest(raw);

    private static SipParseResult JudgeRequest(SipRawMessage raw)
    {
        SipParseError? fault = RequestLine(raw.StartLine, out string method, out SipUri? uri);
        if (fault is not null || uri is null)
        {
            return new SipParseResult(null, (fault ?? new SipParseError(400, "The Request-URI is malformed.")) with { Raw = raw });
        }

        fault = CheckHeaders(raw, out CSeq cseq);
        if (fault is not null)
        {
            return new SipParseResult(null, fault with { Raw = raw });
        }

        if (!cseq.Method.Equals(method, StringComparison.Ordinal))
        {
            // RFC 4475 3.1.2.17 and 3.1.2.18: an unknown method deserves 501 before its CSeq is looked at.
            int status = SipMethod.IsStandard(method) ? 400 : 501;
            return new SipParseResult(null, new SipParseError(status, "The method of CSeq is not that of the request line.", raw));
        }

        return new SipParseResult(new SipRequest(raw, cseq, method, uri), null);
    }

    /// <summary>Method SP Request-URI SP SIP-Version, single spaces (RFC 3261 7.1; RFC 4475 3.1.2.7 to 3.1.2.10).</summary>
    private static SipParseError? RequestLine(ReadOnlySpan<byte> line, out string method, out SipUri? uri)
    {
        method = "";
        uri = null;
        int first = line.IndexOf((byte)' ');
        int last = line.LastIndexOf((byte)' ');
        if (first <= 0 || last <= first || !SipScanner.IsToken(line[..first]))
        {
            return new SipParseError(400, "The request line is malformed.");
        }

        ReadOnlySpan<byte> version = line[(last + 1)..];
        if (!Ascii.EqualsIgnoreCase(version, "SIP/2.0"u8))
        {
            return version.StartsWith("SIP/"u8)
                ? new SipParseError(505, "The SIP version is not 2.0.")
                : new SipParseError(400, "The request line does not end with the SIP version.");
        }

        method = SipMethod.Intern(line[..first]);
        if (!SipUri.TryParse(line[(first + 1)..last], out uri))
        {
            return new SipParseError(400, "The Request-URI is malformed.");
        }

        // RFC 3261 19.1.1 table 1: no headers in a Request-URI; taking them along could smuggle a Route (RFC 4475 3.1.2.11).
        return uri.Headers is null ? null : new SipParseError(400, "The Request-URI holds headers.");
    }

    private static SipParseResult JudgeResponse(SipRawMessage raw)
    {
        ReadOnlySpan<byte> line = raw.StartLine;
        bool threeDigits = line.Length >= 11 && SipScanner.TryNumber(line[8..11], out _) && (line.Length == 11 || line[11] == ' ');
        if (!threeDigits || !SipScanner.TryNumber(line[8..11], out uint status) || status is < 100 or > 699)
        {
            return new SipParseResult(null, new SipParseError(400, "The status line is malformed.", raw));
        }

        SipParseError? fault = CheckHeaders(raw, out CSeq cseq);
        if (fault is not null)
        {
            return new SipParseResult(null, fault with { Raw = raw });
        }

        string reason = line.Length > 12 ? WireText.Text(line[12..]) : "";
        return new SipParseResult(new SipResponse(raw, cseq, (int)status, reason), null);
    }

    /// <summary>
    /// The headers that every message needs, each at most once where RFC 3261 table 2 says so (RFC 4475 3.3.1, 3.3.8), and the lists
    /// that routing reads. Checked in place; <see cref="SipMessage"/> makes them into objects when it is asked for them.
    /// </summary>
    private static SipParseError? CheckHeaders(SipRawMessage raw, out CSeq cseq)
    {
        cseq = default;
        if (CountSingles(raw) is { } miscounted)
        {
            return miscounted;
        }

        if (!TryCSeq(raw.Value(raw.Find(SipHeaderId.CSeq)), out cseq))
        {
            return Malformed(SipHeaderId.CSeq);
        }

        ReadOnlySpan<byte> callId = raw.Value(raw.Find(SipHeaderId.CallId));
        if (callId.IsEmpty || callId.IndexOfAny((byte)' ', (byte)'\t', (byte)0) >= 0)
        {
            return Malformed(SipHeaderId.CallId);
        }

        for (int i = 0; i < raw.HeaderCount; i++)
        {
            if (!IsWellFormed(raw.Id(i), raw.Value(i)))
            {
                return Malformed(raw.Id(i));
            }
        }

        return raw.Find(SipHeaderId.Via) < 0 ? new SipParseError(400, "There is no Via.") : null;
    }

    private static SipParseError? CountSingles(SipRawMessage raw)
    {
        foreach (SipHeaderId single in (ReadOnlySpan<SipHeaderId>)[SipHeaderId.From, SipHeaderId.To, SipHeaderId.CallId, SipHeaderId.CSeq])
        {
            int index = raw.Find(single);
            if (index < 0 || raw.Find(single, index + 1) >= 0)
            {
                return new SipParseError(400, $"{SipHeaderNames.Of(single)} is not there exactly once.");
            }
        }

        int maxForwards = raw.Find(SipHeaderId.MaxForwards);
        return maxForwards >= 0 && raw.Find(SipHeaderId.MaxForwards, maxForwards + 1) >= 0
            ? new SipParseError(400, "Max-Forwards is there twice.")
            : null;
    }

    private static bool IsWellFormed(SipHeaderId id, ReadOnlySpan<byte> value)
    {
        if (id is SipHeaderId.From or SipHeaderId.To)
        {
            return NameAddrShape.TryReadSingle(value, out _);
        }

        if (id is SipHeaderId.Via)
        {
            return ViaShape.IsList(value);
        }

        bool isList = id is SipHeaderId.Contact or SipHeaderId.RecordRoute or SipHeaderId.Route;
        return !isList || (id is SipHeaderId.Contact && SipMessage.IsStar(value)) || NameAddrShape.IsList(value);
    }

    private static SipParseError Malformed(SipHeaderId id) => new(400, $"{SipHeaderNames.Of(id)} is malformed.");

    /// <summary>1*DIGIT LWS Method; a number beyond 32 bits is an error (RFC 3261 8.1.1.5, RFC 4475 3.1.2.4).</summary>
    private static bool TryCSeq(ReadOnlySpan<byte> value, out CSeq cseq)
    {
        cseq = default;
        int space = value.IndexOfAny((byte)' ', (byte)'\t');
        if (space <= 0 || !SipScanner.TryNumber(value[..space], out uint number))
        {
            return false;
        }

        ReadOnlySpan<byte> method = SipScanner.Trim(value[space..]);
        cseq = new CSeq(number, SipMethod.Intern(method));
        return SipScanner.IsToken(method);
    }

    private static SipParseResult Failed(int status, string why) => new(null, new SipParseError(status, why));
}
