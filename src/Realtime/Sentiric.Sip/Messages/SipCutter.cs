using HeaderSlot = Sentiric.Sip.SipRawMessage.HeaderSlot;

namespace Sentiric.Sip;

/// <summary>
/// Cuts bytes into start line, header lines and body. Nearly every message is plain: lines that end with CRLF, nothing folded, no
/// limit touched. Such a one is cut in a single pass; any other is read again, line by line, to say what is wrong with it.
/// </summary>
internal static class SipCutter
{
    /// <summary>Room for the most headers that are accepted; each thread cuts one message at a time.</summary>
    [ThreadStatic]
    private static HeaderSlot[]? room;

    /// <summary>Takes the bytes over. A fault keeps what was cut so far, so that it can still be answered.</summary>
    public static SipParseError? Cut(byte[] wire, out SipRawMessage? raw)
    {
        HeaderSlot[] headers = room ??= new HeaderSlot[SipLimits.Headers];
        return TryCutPlain(wire, headers, out raw) ? null : CutLineByLine(wire, headers, out raw);
    }

    private static bool TryCutPlain(byte[] wire, HeaderSlot[] headers, out SipRawMessage? raw)
    {
        raw = null;
        var lines = new SipLineScanner(wire);
        if (!lines.TryNext(out _, out int end) || end > SipLimits.HeaderBytes)
        {
            return false;
        }

        var startLine = new WirePart(0, end);
        var index = default(SipHeaderIndex);
        int count = 0, start = end + 2;
        for (; lines.TryNext(out int colon, out end) && end > start; start = end + 2)
        {
            bool fits = count < headers.Length && end + 2 - start <= SipLimits.HeaderBytes;
            if (!fits || colon <= start || !TryName(wire.AsSpan(start, colon - start), out SipHeaderId id))
            {
                return false;
            }

            headers[count] = new HeaderSlot(id, new WirePart(start, colon), SipScanner.Trimmed(wire, colon + 1, end));
            index.Add(id, count);
            count++;
        }

        ReadOnlySpan<HeaderSlot> kept = headers.AsSpan(0, count);
        if (end != start || BodyFault(wire, kept, index, wire.Length - end - 2, out int body) is not null)
        {
            return false;
        }

        raw = new SipRawMessage(wire, wire, startLine, kept, index, new WirePart(end + 2, end + 2 + body));
        return true;
    }

    /// <summary>False for what is no token, white space in front (a folded line) and before the colon included.</summary>
    private static bool TryName(ReadOnlySpan<byte> name, out SipHeaderId id)
    {
        id = SipHeaderNames.Find(name);
        return id != SipHeaderId.Other || SipScanner.IsToken(name);
    }

    private static SipParseError? CutLineByLine(byte[] wire, HeaderSlot[] headers, out SipRawMessage? raw)
    {
        raw = null;
        byte[] text = wire;
        int at = 0;
        if (!TryLine(wire, ref at, out WirePart startLine))
        {
            return new SipParseError(400, "The start line does not end.");
        }

        var index = default(SipHeaderIndex);
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

            if (TrySlot(text, line, out headers[count]))
            {
                index.Add(headers[count].Id, count);
                count++;
            }
            else
            {
                fault ??= new SipParseError(400, "A header line has no name and colon.");
            }
        }

        ReadOnlySpan<HeaderSlot> kept = headers.AsSpan(0, count);
        SipParseError? bodyFault = BodyFault(text, kept, index, wire.Length - at, out int body);
        fault ??= bodyFault;
        if (fault is not null)
        {
            return fault with { Raw = new SipRawMessage(wire, text, startLine, kept, index, new WirePart(at, wire.Length)) };
        }

        raw = new SipRawMessage(wire, text, startLine, kept, index, new WirePart(at, at + body));
        return null;
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

    private static bool TrySlot(byte[] text, WirePart line, out HeaderSlot slot)
    {
        slot = default;
        ReadOnlySpan<byte> bytes = line.Of(text);
        int colon = bytes.IndexOf((byte)':');
        if (colon <= 0)
        {
            return false;
        }

        ReadOnlySpan<byte> name = SipScanner.TrimEnd(bytes[..colon]);
        if (!SipScanner.IsToken(name))
        {
            return false;
        }

        slot = new HeaderSlot(SipHeaderNames.Find(name), new WirePart(line.Start, line.Start + name.Length), SipScanner.Trimmed(text, line.Start + colon + 1, line.End));
        return true;
    }

    /// <summary>RFC 3261 20.14, RFC 4475 3.1.2.2, 3.1.2.3, 3.3.9: no sign, one value, not more than there is; without it all that is left.</summary>
    private static SipParseError? BodyFault(byte[] text, ReadOnlySpan<HeaderSlot> headers, in SipHeaderIndex index, int available, out int length)
    {
        length = available;
        int at = index.First(SipHeaderId.ContentLength);
        if (at < 0)
        {
            return null;
        }

        if (!SipScanner.TryNumber(headers[at].Value.Of(text), out uint declared))
        {
            return new SipParseError(400, "Content-Length is no number.");
        }

        if (index.Repeated(SipHeaderIndex.Bit(SipHeaderId.ContentLength)) != 0)
        {
            return new SipParseError(400, "Content-Length is there twice.");
        }

        if (declared > available)
        {
            return new SipParseError(400, "Content-Length is larger than the body.");
        }

        length = (int)declared;
        return null;
    }
}
