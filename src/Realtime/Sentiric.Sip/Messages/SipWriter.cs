using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Text;

namespace Sentiric.Sip;

/// <summary>
/// Writes one message of our own. Every value is refused that holds CR, LF or NUL: such a value would add headers of its own.
/// Values mirrored from a parsed message come as bytes and are written as they came. It writes into a borrowed buffer, which
/// <see cref="End"/> gives back.
/// </summary>
public sealed class SipWriter
{
    private const int UsualBytes = 2048;

    /// <summary>Digits of a number or characters of an address, as UTF-8.</summary>
    private const int LongestNumber = 64;
    private static readonly SearchValues<char> TokenChars =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~");

    private byte[] buffer = ArrayPool<byte>.Shared.Rent(UsualBytes);
    private int length;

    private SipWriter()
    {
    }

    /// <summary>A request line; the URI as one byte per char, as <see cref="SipUri.ToString"/> gives it.</summary>
    public static SipWriter Request(string method, string uri) => new SipWriter().Line(WireText.ToText($"{method} {uri} SIP/2.0"));

    public static SipWriter Response(int statusCode, string reason)
    {
        Refuse(reason);
        return new SipWriter().Write("SIP/2.0 "u8).Write(statusCode).Write(" "u8).Text(reason).Write("\r\n"u8);
    }

    /// <summary>One header; value as text.</summary>
    /// <exception cref="ArgumentException">The name is no token, or the value holds CR, LF or NUL.</exception>
    public SipWriter Header(string name, string value)
    {
        if (name.Length == 0 || name.AsSpan().ContainsAnyExcept(TokenChars))
        {
            throw new ArgumentException("A header name must be a token.", nameof(name));
        }

        Refuse(value);
        return Text(name).Write(": "u8).Text(value).Write("\r\n"u8);
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

        Text(SipHeaderNames.Of(id)).Write(": "u8);
        length += Encoding.Latin1.GetBytes(wire, Room(wire.Length));
        return Write("\r\n"u8);
    }

    /// <summary>One header, its name and value as they stood in a message (unfolded, so no line end is left in it).</summary>
    internal SipWriter Mirror(SipRawMessage raw, int index) => Write(raw.NameBytes(index)).Write(": "u8).Write(raw.Value(index)).Write("\r\n"u8);

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

        Write("Content-Length: "u8).Write(body.Length).Write("\r\n\r\n"u8).Write(body);
        return Taken();
    }

    internal byte[] EndWithSdp(string? sdp)
    {
        if (sdp is null)
        {
            return End();
        }

        int bytes = Encoding.UTF8.GetByteCount(sdp);
        return (bytes > 0 ? Header(SipHeaderId.ContentType, "application/sdp") : this)
            .Write("Content-Length: "u8).Write(bytes).Write("\r\n\r\n"u8).Text(sdp).Taken();
    }

    internal SipWriter Write(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Room(bytes.Length));
        length += bytes.Length;
        return this;
    }

    internal SipWriter Write(int number)
    {
        Utf8Formatter.TryFormat(number, Room(LongestNumber), out int written);
        length += written;
        return this;
    }

    /// <summary>IPv6 without brackets, as "received" wants it.</summary>
    internal SipWriter Write(IPAddress address)
    {
        address.TryFormat(Room(LongestNumber), out int written);
        length += written;
        return this;
    }

    private byte[] Taken()
    {
        byte[] message = buffer.AsSpan(0, length).ToArray();
        ArrayPool<byte>.Shared.Return(buffer);
        (buffer, length) = ([], 0);
        return message;
    }

    private SipWriter Line(string text)
    {
        Refuse(text);
        return Text(text).Write("\r\n"u8);
    }

    private SipWriter Text(string text)
    {
        length += Encoding.UTF8.GetBytes(text, Room(Encoding.UTF8.GetMaxByteCount(text.Length)));
        return this;
    }

    /// <summary>Room for so many bytes more.</summary>
    private Span<byte> Room(int bytes)
    {
        if (buffer.Length - length < bytes)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(2 * buffer.Length, length + bytes));
            buffer.AsSpan(0, length).CopyTo(larger);
            if (buffer.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }

            buffer = larger;
        }

        return buffer.AsSpan(length);
    }

    private static void Refuse(string text)
    {
        if (WireText.IsUnsafe(text))
        {
            throw new ArgumentException("A value for the wire holds CR, LF or NUL.");
        }
    }
}
