using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Sentiric.Sip;

/// <summary>Where the parts of a URI stand (RFC 3261 19.1, 25.1), found and checked without copying a byte of it.</summary>
internal readonly record struct SipUriShape
{
    private static readonly SearchValues<byte> SchemeBytes = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-."u8);

    // The underscore is no host character of RFC 1123, yet real networks use it.
    private static readonly bool[] HostTable = TableOf("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"u8);
    private static readonly SearchValues<byte> ForbiddenBytes =
        SearchValues.Create([.. Enumerable.Range(0, 0x21).Select(b => (byte)b), 0x7F, (byte)'<', (byte)'>', (byte)'"']);

    /// <summary>"sip:" in lower case, as four bytes of a little-endian number; the other mask makes letters lower case and leaves the colon.</summary>
    private const uint SipColon = 0x3A_70_69_73, LetterCase = 0x00_20_20_20;

    public SipUriShape()
    {
    }

    public bool IsSip { get; private init; }

    public ushort SchemeEnd { get; private init; }

    /// <summary>0 when there is none.</summary>
    public ushort Port { get; private init; }

    public WirePart User { get; private init; } = WirePart.Absent;

    public WirePart Password { get; private init; } = WirePart.Absent;

    public WirePart Host { get; private init; } = WirePart.Absent;

    /// <summary>From the first semicolon on.</summary>
    public WirePart Parameters { get; private init; } = WirePart.Absent;

    public WirePart Headers { get; private init; } = WirePart.Absent;

    public static bool TryRead(ReadOnlySpan<byte> uri, out SipUriShape shape)
    {
        shape = default;
        if (uri.Length > SipLimits.HeaderBytes || !TryScheme(uri, out int colon, out bool isSip) || uri.ContainsAny(ForbiddenBytes))
        {
            return false;
        }

        if (isSip)
        {
            return TryReadSip(uri, colon, out shape);
        }

        shape = new SipUriShape { SchemeEnd = (ushort)colon };
        return true;
    }

    private static bool TryScheme(ReadOnlySpan<byte> uri, out int colon, out bool isSip)
    {
        colon = 3;
        isSip = uri.Length > 4 && (BinaryPrimitives.ReadUInt32LittleEndian(uri) | LetterCase) == SipColon;
        if (isSip)
        {
            return true;
        }

        colon = uri.IndexOf((byte)':');
        if (colon <= 0 || colon == uri.Length - 1 || !IsScheme(uri[..colon]))
        {
            return false;
        }

        isSip = Ascii.EqualsIgnoreCase(uri[..colon], "sips"u8);
        return true;
    }

    private static bool TryReadSip(ReadOnlySpan<byte> uri, int colon, out SipUriShape shape)
    {
        shape = default;
        int hostStart = colon + 1;
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

        if (!TryHostPort(uri[hostStart..], out int hostLength, out int port, out int end))
        {
            return false;
        }

        int hostEnd = hostStart + end;
        int question = hostEnd == uri.Length ? -1 : uri[hostEnd..].IndexOf((byte)'?');
        int parametersEnd = question < 0 ? uri.Length : hostEnd + question;
        if (hostEnd < parametersEnd && (uri[hostEnd] != ';' || !AreParameters(uri[hostEnd..parametersEnd])))
        {
            return false;
        }

        shape = new SipUriShape
        {
            IsSip = true,
            SchemeEnd = (ushort)colon,
            User = user,
            Password = password,
            Host = new WirePart(hostStart, hostStart + hostLength),
            Port = (ushort)port,
            Parameters = hostEnd == parametersEnd ? WirePart.Absent : new WirePart(hostEnd, parametersEnd),
            Headers = question < 0 ? WirePart.Absent : new WirePart(parametersEnd + 1, uri.Length),
        };
        return true;
    }

    /// <summary>
    /// host [ ":" port ], the host a name, an IPv4 address or an IPv6 address in brackets; <paramref name="end"/> is what follows.
    /// Port 0: none was named.
    /// </summary>
    public static bool TryHostPort(ReadOnlySpan<byte> text, out int hostLength, out int port, out int end)
    {
        port = end = 0;
        if (!TryHost(text, out hostLength))
        {
            return false;
        }

        end = hostLength;
        if (end == text.Length || text[end] != ':')
        {
            return true;
        }

        uint number = 0;
        for (end++; end < text.Length && (uint)(text[end] - '0') <= 9 && number <= IPEndPoint.MaxPort; end++)
        {
            number = number * 10 + (uint)(text[end] - '0');
        }

        port = (int)number;
        return number is > 0 and <= IPEndPoint.MaxPort;
    }

    private static bool TryHost(ReadOnlySpan<byte> text, out int length)
    {
        length = 0;
        if (!text.IsEmpty && text[0] == '[')
        {
            length = text.IndexOf((byte)']') + 1;
            return length > 0 && IPAddress.TryParse(text[1..(length - 1)], out _);
        }

        while (length < text.Length && HostTable[text[length]])
        {
            length++;
        }

        return length > 0;
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

    private static bool[] TableOf(ReadOnlySpan<byte> members)
    {
        var table = new bool[256];
        foreach (byte member in members)
        {
            table[member] = true;
        }

        return table;
    }
}
