using System.Buffers;
using System.Net;
using System.Text;

namespace Sentiric.Sip;

/// <summary>A part of a wire value by its place; absent is not the same as empty.</summary>
internal readonly record struct WirePart(int Start, int End)
{
    public static WirePart Absent => new(-1, -1);

    public bool IsPresent => Start >= 0;

    public int Length => End - Start;

    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> value) => value[Start..End];
}

/// <summary>Where the parts of a URI stand (RFC 3261 19.1, 25.1), found and checked without copying a byte of it.</summary>
internal readonly record struct SipUriShape
{
    private static readonly SearchValues<byte> SchemeBytes = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-."u8);

    // The underscore is no host character of RFC 1123, yet real networks use it.
    private static readonly SearchValues<byte> HostBytes = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"u8);
    private static readonly SearchValues<byte> ForbiddenBytes =
        SearchValues.Create([.. Enumerable.Range(0, 0x21).Select(b => (byte)b), 0x7F, (byte)'<', (byte)'>', (byte)'"']);

    public SipUriShape()
    {
    }

    public int SchemeEnd { get; private init; }

    public WirePart User { get; private init; } = WirePart.Absent;

    public WirePart Password { get; private init; } = WirePart.Absent;

    public WirePart Host { get; private init; } = WirePart.Absent;

    /// <summary>0 when there is none.</summary>
    public int Port { get; private init; }

    /// <summary>From the first semicolon on.</summary>
    public WirePart Parameters { get; private init; } = WirePart.Absent;

    public WirePart Headers { get; private init; } = WirePart.Absent;

    public string SchemeOf(ReadOnlySpan<byte> uri)
    {
        ReadOnlySpan<byte> scheme = uri[..SchemeEnd];
        if (Ascii.EqualsIgnoreCase(scheme, "sip"u8))
        {
            return "sip";
        }

        return Ascii.EqualsIgnoreCase(scheme, "sips"u8) ? "sips" : WireText.Wire(scheme).ToLowerInvariant();
    }

    public static bool TryRead(ReadOnlySpan<byte> uri, out SipUriShape shape)
    {
        shape = default;
        int colon = uri.IndexOf((byte)':');
        if (colon <= 0 || colon == uri.Length - 1 || !IsScheme(uri[..colon]) || uri.ContainsAny(ForbiddenBytes))
        {
            return false;
        }

        bool isSip = Ascii.EqualsIgnoreCase(uri[..colon], "sip"u8) || Ascii.EqualsIgnoreCase(uri[..colon], "sips"u8);
        shape = new SipUriShape { SchemeEnd = colon };
        return !isSip || TryReadSip(uri, ref shape);
    }

    private static bool TryReadSip(ReadOnlySpan<byte> uri, ref SipUriShape shape)
    {
        int hostStart = shape.SchemeEnd + 1;
        WirePart user = WirePart.Absent, password = WirePart.Absent;
        int at = uri[hostStart..].IndexOf((byte)'@');
        if (at >= 0)
        {
            // The user part may hold ; ? / and more, so it is cut off before anything else is looked for (25.1 user-unreserved).
            int userStart = hostStart, userEnd = hostStart + at;
            int secret = uri[userStart..userEnd].IndexOf((byte)':');
            user = new WirePart(userStart, secret < 0 ? userEnd : userStart + secret);
            password = secret < 0 ? WirePart.Absent : new WirePart(userStart + secret + 1, userEnd);
            hostStart = userEnd + 1;
            if (user.Length == 0)
            {
                return false;
            }
        }

        int question = uri[hostStart..].IndexOf((byte)'?');
        int end = question < 0 ? uri.Length : hostStart + question;
        int semicolon = uri[hostStart..end].IndexOf((byte)';');
        int hostEnd = semicolon < 0 ? end : hostStart + semicolon;
        if (!TryHostPort(uri[hostStart..hostEnd], out int hostLength, out int port) || !AreParameters(uri[hostEnd..end]))
        {
            return false;
        }

        shape = new SipUriShape
        {
            SchemeEnd = shape.SchemeEnd,
            User = user,
            Password = password,
            Host = new WirePart(hostStart, hostStart + hostLength),
            Port = port,
            Parameters = semicolon < 0 ? WirePart.Absent : new WirePart(hostEnd, end),
            Headers = question < 0 ? WirePart.Absent : new WirePart(end + 1, uri.Length),
        };
        return true;
    }

    /// <summary>host [ ":" port ], the host a name, an IPv4 address or an IPv6 address in brackets. Port 0: none was named.</summary>
    public static bool TryHostPort(ReadOnlySpan<byte> text, out int hostLength, out int port)
    {
        hostLength = port = 0;
        int end = text.IndexOf((byte)':');
        if (!text.IsEmpty && text[0] == '[')
        {
            end = text.IndexOf((byte)']') + 1;
            if (end == 0 || !IPAddress.TryParse(text[1..(end - 1)], out _))
            {
                return false;
            }
        }
        else if (text[..(end < 0 ? text.Length : end)] is var name && (name.IsEmpty || name.ContainsAnyExcept(HostBytes)))
        {
            return false;
        }

        hostLength = end < 0 ? text.Length : end;
        if (hostLength == text.Length)
        {
            return true;
        }

        if (text[end] != ':' || !SipScanner.TryNumber(text[(end + 1)..], out uint number) || number is 0 or > IPEndPoint.MaxPort)
        {
            return false;
        }

        port = (int)number;
        return true;
    }

    /// <summary>Each with a name; an empty one between two semicolons is passed over.</summary>
    private static bool AreParameters(ReadOnlySpan<byte> text)
    {
        for (int count = 0; !text.IsEmpty; count++)
        {
            text = text[1..];
            if (count >= SipLimits.ValuesPerHeader || (!text.IsEmpty && text[0] == '='))
            {
                return false;
            }

            int next = text.IndexOf((byte)';');
            text = next < 0 ? default : text[next..];
        }

        return true;
    }

    private static bool IsScheme(ReadOnlySpan<byte> scheme) => char.IsAsciiLetter((char)scheme[0]) && !scheme.ContainsAnyExcept(SchemeBytes);
}
