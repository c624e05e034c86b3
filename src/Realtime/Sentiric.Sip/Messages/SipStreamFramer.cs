namespace Sentiric.Sip;

/// <summary>What the framer found in the stream.</summary>
public enum SipFrameKind
{
    /// <summary>More bytes are needed.</summary>
    Incomplete,

    /// <summary>One whole message.</summary>
    Message,

    /// <summary>A double CRLF between messages, to be answered with CRLF (RFC 5626 4.4.1).</summary>
    Ping,

    /// <summary>The single CRLF that answers a ping of ours (RFC 5626 4.4.1).</summary>
    Pong,

    /// <summary>The stream cannot be cut into messages any more: answer if possible, then close (RFC 4475 3.1.2.2, 3.1.2.3, 3.3.9).</summary>
    Broken,
}

/// <summary>One step of the framer; <see cref="Bytes"/> is the message, or what there is of a broken one.</summary>
public readonly record struct SipFrame(SipFrameKind Kind, byte[] Bytes);

/// <summary>Cuts a byte stream into messages by Content-Length (RFC 3261 18.3). Owned by one connection; not thread-safe.</summary>
public sealed class SipStreamFramer
{
    private byte[] buffer = new byte[4096];
    private int length;
    private int searchedFrom;

    /// <summary>Set by the thread that pings, cleared by the one that reads.</summary>
    private volatile bool pongExpected;

    /// <summary>True while part of a message is held; an empty line before one is none.</summary>
    public bool HasPartial => length > 2 || (length > 0 && !"\r\n"u8.StartsWith(buffer.AsSpan(0, length)));

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (length + bytes.Length > buffer.Length)
        {
            Array.Resize(ref buffer, Math.Max(buffer.Length * 2, length + bytes.Length));
        }

        bytes.CopyTo(buffer.AsSpan(length));
        length += bytes.Length;
    }

    /// <summary>A ping has left: a lone CRLF is its answer, until one was there.</summary>
    public void ExpectPong() => pongExpected = true;

    /// <summary>The next message, ping or fault; call until it is <see cref="SipFrameKind.Incomplete"/>.</summary>
    public SipFrame Next()
    {
        if (TryPing(out SipFrame ping))
        {
            return ping;
        }

        ReadOnlySpan<byte> held = buffer.AsSpan(0, length);
        int end = held[searchedFrom..].IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            searchedFrom = Math.Max(0, length - 3);
            return length > SipLimits.MessageBytes ? Break() : new SipFrame(SipFrameKind.Incomplete, []);
        }

        int headerBytes = searchedFrom + end + 4;
        if (!TryContentLength(held[..headerBytes], out uint body) || headerBytes + (long)body > SipLimits.MessageBytes)
        {
            return Break();
        }

        searchedFrom = Math.Max(0, headerBytes - 4);
        return length < headerBytes + (int)body ? new SipFrame(SipFrameKind.Incomplete, []) : Take(SipFrameKind.Message, headerBytes + (int)body);
    }

    private bool TryPing(out SipFrame ping)
    {
        ping = default;
        ReadOnlySpan<byte> held = buffer.AsSpan(0, length);
        if (held.StartsWith("\r\n\r\n"u8))
        {
            ping = Take(SipFrameKind.Ping, 4);
            return true;
        }

        if (pongExpected && length >= 2 && held.StartsWith("\r\n"u8))
        {
            pongExpected = false;
            ping = Take(SipFrameKind.Pong, 2);
            return true;
        }

        // A lone CRLF before a message is ignored (RFC 3261 7.5); whether more follows shows with the third byte.
        if (length > 2 && held.StartsWith("\r\n"u8) && held[2] != '\r')
        {
            Take(SipFrameKind.Incomplete, 2);
        }

        return false;
    }

    private SipFrame Take(SipFrameKind kind, int count)
    {
        byte[] taken = buffer.AsSpan(0, count).ToArray();
        buffer.AsSpan(count, length - count).CopyTo(buffer);
        length -= count;
        searchedFrom = 0;
        return new SipFrame(kind, taken);
    }

    private SipFrame Break() => Take(SipFrameKind.Broken, length);

    /// <summary>Exactly one Content-Length with digits; a stream without one has no message bounds (RFC 3261 20.14).</summary>
    private static bool TryContentLength(ReadOnlySpan<byte> headers, out uint value)
    {
        value = 0;
        int found = 0;
        while (!headers.IsEmpty)
        {
            int end = headers.IndexOf("\r\n"u8);
            ReadOnlySpan<byte> line = headers[..end];
            headers = headers[(end + 2)..];
            while (!line.IsEmpty && !headers.IsEmpty && SipScanner.IsSpace(headers[0]))
            {
                end = headers.IndexOf("\r\n"u8);
                line = IsContentLength(line) && SipScanner.Trim(line[(line.IndexOf((byte)':') + 1)..]).IsEmpty ? Rejoin(headers[..end]) : line;
                headers = headers[(end + 2)..];
            }

            if (IsContentLength(line))
            {
                found++;
                if (!SipScanner.TryNumber(SipScanner.Trim(line[(line.IndexOf((byte)':') + 1)..]), out value))
                {
                    return false;
                }
            }
        }

        return found == 1;
    }

    private static bool IsContentLength(ReadOnlySpan<byte> line)
    {
        int colon = line.IndexOf((byte)':');
        return colon > 0 && SipHeaderNames.Find(SipScanner.TrimEnd(line[..colon])) == SipHeaderId.ContentLength;
    }

    /// <summary>A folded value brought back behind its name.</summary>
    private static byte[] Rejoin(ReadOnlySpan<byte> value) => [.. "l:"u8, .. value];
}
