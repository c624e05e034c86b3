using System.Buffers;
using System.Globalization;
using System.Text;

namespace Sentiric.Sip;

/// <summary>
/// Writes one message of our own. Every value is refused that holds CR, LF or NUL: such a value would add headers of its own.
/// Values mirrored from a parsed message come as bytes and are written as they came.
/// </summary>
public sealed class SipWriter
{
    private readonly ArrayBufferWriter<byte> bytes = new(1024);

    /// <summary>A request line; the URI as one byte per char, as <see cref="SipUri.ToString"/> gives it.</summary>
    public static SipWriter Request(string method, string uri) => new SipWriter().Line(WireText.ToText($"{method} {uri} SIP/2.0"));

    public static SipWriter Response(int statusCode, string reason) =>
        new SipWriter().Line(string.Create(CultureInfo.InvariantCulture, $"SIP/2.0 {statusCode} {reason}"));

    /// <summary>One header; value as text.</summary>
    /// <exception cref="ArgumentException">The name is no token, or the value holds CR, LF or NUL.</exception>
    public SipWriter Header(string name, string value)
    {
        if (!SipScanner.IsToken(Encoding.UTF8.GetBytes(name)))
        {
            throw new ArgumentException("A header name must be a token.", nameof(name));
        }

        return Line($"{name}: {value}");
    }

    public SipWriter Header(string name, long value) => Header(name, value.ToString(CultureInfo.InvariantCulture));

    internal SipWriter Header(SipHeaderId id, string value) => Header(SipHeaderNames.Of(id), value);

    /// <summary>
    /// One header; value with one byte per char, as it stood in a message. A NUL may stand in a quoted pair there
    /// (RFC 4475 3.1.1.2) and goes back; values of our own went through <see cref="NameAddr.Create"/>, which refuses it.
    /// </summary>
    internal SipWriter WireHeader(SipHeaderId id, string wire)
    {
        if (wire.AsSpan().IndexOfAny('\r', '\n') >= 0)
        {
            throw new ArgumentException("A value for the wire holds CR or LF.");
        }

        Write(SipHeaderNames.Of(id));
        Write(": ");
        Encoding.Latin1.GetBytes(wire, bytes);
        Write("\r\n");
        return this;
    }

    /// <summary>One header, its name and value as they stood in a message (unfolded, so no line end is left in it).</summary>
    internal SipWriter Mirror(SipRawMessage raw, int index)
    {
        bytes.Write(raw.NameBytes(index));
        Write(": ");
        bytes.Write(raw.Value(index));
        Write("\r\n");
        return this;
    }

    internal SipWriter Headers(IEnumerable<KeyValuePair<string, string>>? headers)
    {
        foreach (var (name, value) in headers ?? [])
        {
            Header(name, value);
        }

        return this;
    }

    /// <summary>Ends the message with Content-Length and the body.</summary>
    public byte[] End(string? contentType = null, ReadOnlySpan<byte> body = default)
    {
        if (contentType is not null && !body.IsEmpty)
        {
            Header(SipHeaderId.ContentType, contentType);
        }

        Header(SipHeaderNames.Of(SipHeaderId.ContentLength), body.Length);
        Write("\r\n");
        bytes.Write(body);
        return bytes.WrittenSpan.ToArray();
    }

    internal byte[] EndWithSdp(string? sdp) => End(sdp is null ? null : "application/sdp", Encoding.UTF8.GetBytes(sdp ?? ""));

    private SipWriter Line(string text)
    {
        Refuse(text);
        Write(text);
        Write("\r\n");
        return this;
    }

    private void Write(string text) => Encoding.UTF8.GetBytes(text, bytes);

    private static void Refuse(string text)
    {
        if (WireText.IsUnsafe(text))
        {
            throw new ArgumentException("A value for the wire holds CR, LF or NUL.");
        }
    }
}
