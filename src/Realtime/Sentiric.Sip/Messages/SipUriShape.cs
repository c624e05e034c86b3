using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Sentiric.Sip;

/// <summary>
/// Where the parts of a URI stand (RFC 3261 19.1, 25.1), found and checked without copying a byte of it. Fields, written where they stay: to copy
/// what was written a moment ago in smaller pieces makes the processor wait.
/// </summary>
internal struct SipUriShape
{
    private static readonly SearchValues<byte> SchemeBytes = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-."u8);

    // The underscore is no host character of RFC 1123, yet real networks use it.
    private static readonly bool[] HostTable = TableOf("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"u8);
    private static readonly SearchValues<byte> ForbiddenBytes =
        SearchValues.Create([.. Enumerable.Range(0, 0x21).Select(b => (byte)b), 0x7F, (byte)'<', (byte)'>', (byte)'"']);

    /// <summary>"sip:" in lower case, as four bytes of a little-endian number; the other mask makes letters lower case and leaves the colon.</summary>
    private const uint SipColon = 0x3A_70_69_73, LetterCase = 0x00_20_20_20;
    private const int UsualSchemeBytes = 4, MostUsualParameters = 8;

    public bool IsSip;

    public ushort SchemeEnd;

    /// <summary>0 when there is none.</summary>
    public ushort Port;

    public WirePart User;

    public WirePart Password;

    public WirePart Host;

    /// <summary>From the first semicolon on.</summary>
    public WirePart Parameters;

    public WirePart Headers;

    private SipUriShape(int schemeEnd)
    {
        SchemeEnd = (ushort)schemeEnd;
        User = Password = Host = Parameters = Headers = WirePart.Absent;
    }

    /// <summary>
    /// The URI that nearly every address holds, sip:[user@]host[:port][;parameters], at the scanner, which then stands behind it. False says nothing
    /// about any other: <see cref="TryRead(ReadOnlySpan{byte}, out SipUriShape)"/> decides. A test shows that the two agree.
    /// </summary>
    public static bool TryReadUsual(ref SipScanner scanner, UriEnd ends, out SipUriShape shape)
    {
        shape = new SipUriShape(UsualSchemeBytes - 1);
        ReadOnlySpan<byte> text = scanner.Text;
        int start = scanner.Position, host = start + UsualSchemeBytes;
        if (text.Length <= host || (BinaryPrimitives.ReadUInt32LittleEndian(text[start..]) | LetterCase) != SipColon)
        {
            return false;
        }

        int end = scanner.NextMark(host);
        if (end > host && Is(text, end, '@'))
        {
            shape.User = new WirePart(host - start, end - start);
            host = end + 1;
            end = scanner.NextMark(host);
        }

        int hostEnd = end, port = 0;
        if (!IsHost(text[host..hostEnd]) || (Is(text, end, ':') && !TryPort(text, ref end, out port)))
        {
            return false;
        }

        int parameters = end;
        if (ends != UriEnd.Bare && !TrySkipUsualParameters(ref scanner, ref end))
        {
            return false;
        }

        shape.IsSip = true;
        shape.Host = new WirePart(host - start, hostEnd - start);
        shape.Port = (ushort)port;
        if (parameters != end)
        {
            shape.Parameters = new WirePart(parameters - start, end - start);
        }

        scanner.MoveTo(end);
        return end - start <= SipLimits.HeaderBytes && Ends(text, end, ends);
    }

    /// <summary>
    /// host [ ":" port ] as in the usual URI, up to one of <c>; ,</c>, white space or the end, where the scanner then stands. False says nothing, as above.
    /// </summary>
    public static bool TryReadUsualHostPort(ref SipScanner scanner, out int hostEnd, out int port)
    {
        ReadOnlySpan<byte> text = scanner.Text;
        int start = scanner.Position;
        (hostEnd, port) = (start, 0);
        if (start >= text.Length)
        {
            return false;
        }

        int end = hostEnd = scanner.NextMark(start);
        bool isRead = IsHost(text[start..end]) && (!Is(text, end, ':') || TryPort(text, ref end, out port)) && Ends(text, end, UriEnd.Bare);
        if (isRead)
        {
            scanner.MoveTo(end);
        }

        return isRead;
    }

    /// <summary>Names with a value or without, as everybody writes them.</summary>
    private static bool TrySkipUsualParameters(ref SipScanner scanner, ref int at)
    {
        ReadOnlySpan<byte> text = scanner.Text;
        for (int count = 0; Is(text, at, ';'); count++)
        {
            int name = at + 1;
            at = scanner.NextMark(name);
            if (at == name || count == MostUsualParameters)
            {
                return false;
            }

            at = Is(text, at, '=') ? scanner.NextMark(at + 1) : at;
        }

        return true;
    }

    private static bool Ends(ReadOnlySpan<byte> text, int at, UriEnd ends) => ends switch
    {
        UriEnd.Text => at == text.Length,
        UriEnd.Bracket => Is(text, at, '>'),
        UriEnd.Bare => at == text.Length || text[at] is (byte)';' or (byte)',' or (byte)' ' or (byte)'\t',
    };

    private static bool Is(ReadOnlySpan<byte> text, int at, char wanted) => at < text.Length && text[at] == wanted;

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

        shape = new SipUriShape(colon);
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

        shape = new SipUriShape(colon)
        {
            IsSip = true,
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
        return end == text.Length || text[end] != ':' || TryPort(text, ref end, out port);
    }

    /// <summary>From the colon on, which <paramref name="at"/> names, to behind the digits.</summary>
    private static bool TryPort(ReadOnlySpan<byte> text, ref int at, out int port)
    {
        uint number = 0;
        int end = at + 1;
        for (; end < text.Length && (uint)(text[end] - '0') <= 9 && number <= IPEndPoint.MaxPort; end++)
        {
            number = number * 10 + (uint)(text[end] - '0');
        }

        (at, port) = (end, (int)number);
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

        length = HostRun(text);
        return length > 0;
    }

    private static bool IsHost(ReadOnlySpan<byte> text) => !text.IsEmpty && HostRun(text) == text.Length;

    private static int HostRun(ReadOnlySpan<byte> text)
    {
        ReadOnlySpan<bool> isHost = HostTable;
        int length = 0;
        while (length < text.Length && isHost[text[length]])
        {
            length++;
        }

        return length;
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

/// <summary>What a URI ends with where it stands.</summary>
internal enum UriEnd
{
    /// <summary>It is all there is.</summary>
    Text,

    /// <summary>The angle bracket that closes.</summary>
    Bracket,

    /// <summary>No brackets: the first of semicolon, comma, white space and the end (RFC 3261 20.10).</summary>
    Bare,
}
