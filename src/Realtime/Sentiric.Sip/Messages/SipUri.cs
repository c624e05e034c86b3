using System.Globalization;
using System.Net;
using System.Text;

namespace Sentiric.Sip;

/// <summary>
/// A SIP, SIPS, TEL or foreign URI (RFC 3261 19.1, RFC 3966). Parts are kept as they stand on the wire, and
/// <see cref="ToString"/> gives back the very characters that were parsed.
/// </summary>
public sealed class SipUri
{
    private readonly string text;

    private SipUri(string text, string scheme)
    {
        this.text = text;
        Scheme = scheme;
    }

    /// <summary>Lower-case scheme: sip, sips, tel, …</summary>
    public string Scheme { get; }

    /// <summary>The user part as written, escapes included; null when there is none.</summary>
    public string? User { get; private init; }

    public string? Password { get; private init; }

    /// <summary>Host name, IPv4 address or bracketed IPv6 address; empty for schemes without one.</summary>
    public string Host { get; private init; } = "";

    /// <summary>0 when the URI names no port.</summary>
    public int Port { get; private init; }

    public IReadOnlyList<SipParameter> Parameters { get; private init; } = [];

    /// <summary>What follows "?" (RFC 3261 19.1.1), without it; null when there is nothing.</summary>
    public string? Headers { get; private init; }

    /// <summary>Everything after the colon, for schemes that this stack does not take apart.</summary>
    public string Opaque { get; private init; } = "";

    public bool IsSip => Scheme is "sip" or "sips";

    /// <summary>User part with %-escapes resolved, as text; the number of a tel URI.</summary>
    public string UserText => Scheme == "tel" ? Unescape(TelNumber()) : Unescape(User ?? "");

    /// <summary>sip:user@host, host in lower case, without port and parameters: the name that a registrar stores under (RFC 3261 10.3).</summary>
    public string AddressOfRecord
    {
        get
        {
            string host = Host.ToLowerInvariant();
            return User is null ? $"sip:{host}" : $"sip:{UserText}@{host}";
        }
    }

    public string? Parameter(string name) => Find(Parameters, name)?.Value;

    public bool HasParameter(string name) => Find(Parameters, name) is not null;

    /// <summary>A plain sip: URI.</summary>
    public static SipUri Create(string? user, string host, int port = 0, string? transport = null)
    {
        string at = string.IsNullOrEmpty(user) ? "" : Escape(user) + "@";
        string portText = port == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $":{port}");
        string parameter = transport is null ? "" : ";transport=" + transport;
        return Parse($"sip:{at}{host}{portText}{parameter}");
    }

    /// <summary>The URI of an end point, IPv6 in brackets.</summary>
    public static SipUri Create(string? user, IPEndPoint at, string? transport = null) => Create(user, HostOf(at.Address), at.Port, transport);

    internal static string HostOf(IPAddress address)
    {
        IPAddress plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return plain.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{plain}]" : plain.ToString();
    }

    /// <summary>Parses text of the program itself. Text from outside goes through <see cref="TryParse(string, out SipUri)"/>.</summary>
    /// <exception cref="FormatException">The text is no URI.</exception>
    public static SipUri Parse(string text) =>
        TryParse(text, out SipUri? uri) ? uri : throw new FormatException($"'{text}' is no SIP URI.");

    public static bool TryParse(string text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out SipUri? uri) =>
        TryParse(Encoding.Latin1.GetBytes(WireText.FromText(text)), out uri);

    internal static bool TryParse(ReadOnlySpan<byte> bytes, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out SipUri? uri)
    {
        uri = null;
        int colon = bytes.IndexOf((byte)':');
        if (colon <= 0 || colon == bytes.Length - 1 || !IsScheme(bytes[..colon]) || HasForbiddenByte(bytes))
        {
            return false;
        }

        string scheme = WireText.Wire(bytes[..colon]).ToLowerInvariant();
        string text = WireText.Wire(bytes);
        ReadOnlySpan<byte> rest = bytes[(colon + 1)..];
        if (scheme is "sip" or "sips")
        {
            return TryParseSip(text, scheme, rest, out uri);
        }

        uri = new SipUri(text, scheme) { Opaque = WireText.Wire(rest) };
        return true;
    }

    public override string ToString() => text;

    private static bool TryParseSip(string text, string scheme, ReadOnlySpan<byte> rest, out SipUri? uri)
    {
        uri = null;
        string? user = null, password = null;
        int at = rest.IndexOf((byte)'@');
        if (at == 0)
        {
            return false;
        }

        if (at > 0)
        {
            // The user part may hold ; ? / and more, so it is cut off before anything else is looked for (25.1 user-unreserved).
            ReadOnlySpan<byte> userInfo = rest[..at];
            int secret = userInfo.IndexOf((byte)':');
            user = WireText.Wire(secret < 0 ? userInfo : userInfo[..secret]);
            password = secret < 0 ? null : WireText.Wire(userInfo[(secret + 1)..]);
            rest = rest[(at + 1)..];
        }

        int question = rest.IndexOf((byte)'?');
        string? headers = question < 0 ? null : WireText.Wire(rest[(question + 1)..]);
        rest = question < 0 ? rest : rest[..question];
        int semicolon = rest.IndexOf((byte)';');
        ReadOnlySpan<byte> hostPort = semicolon < 0 ? rest : rest[..semicolon];
        if (user?.Length == 0 || !TryHostPort(hostPort, out string host, out int port))
        {
            return false;
        }

        List<SipParameter>? parameters = semicolon < 0 ? [] : ReadParameters(rest[(semicolon + 1)..]);
        if (parameters is null)
        {
            return false;
        }

        uri = new SipUri(text, scheme) { User = user, Password = password, Host = host, Port = port, Parameters = parameters, Headers = headers };
        return true;
    }

    private static List<SipParameter>? ReadParameters(ReadOnlySpan<byte> text)
    {
        var parameters = new List<SipParameter>();
        foreach (Range range in text.Split((byte)';'))
        {
            ReadOnlySpan<byte> one = text[range];
            int equals = one.IndexOf((byte)'=');
            if (equals == 0 || parameters.Count >= SipLimits.ValuesPerHeader)
            {
                return null;
            }

            if (!one.IsEmpty)
            {
                parameters.Add(equals < 0
                    ? new SipParameter(WireText.Wire(one), null)
                    : new SipParameter(WireText.Wire(one[..equals]), WireText.Wire(one[(equals + 1)..])));
            }
        }

        return parameters;
    }

    internal static bool TryHostPort(ReadOnlySpan<byte> text, out string host, out int port)
    {
        host = "";
        port = 0;
        int end = text.IndexOf((byte)':');
        if (!text.IsEmpty && text[0] == '[')
        {
            end = text.IndexOf((byte)']') + 1;
            if (end == 0 || !IPAddress.TryParse(WireText.Wire(text[1..(end - 1)]), out _))
            {
                return false;
            }
        }
        else if (!IsHostName(end < 0 ? text : text[..end]))
        {
            return false;
        }

        host = WireText.Wire(end < 0 ? text : text[..end]);
        if (end < 0 || end == text.Length)
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

    private static bool IsHostName(ReadOnlySpan<byte> host)
    {
        foreach (byte b in host)
        {
            // The underscore is no host character of RFC 1123, yet real networks use it.
            if (!(char.IsAsciiLetterOrDigit((char)b) || b is (byte)'-' or (byte)'.' or (byte)'_'))
            {
                return false;
            }
        }

        return !host.IsEmpty;
    }

    private static bool IsScheme(ReadOnlySpan<byte> scheme)
    {
        foreach (byte b in scheme)
        {
            if (!(char.IsAsciiLetterOrDigit((char)b) || b is (byte)'+' or (byte)'-' or (byte)'.'))
            {
                return false;
            }
        }

        return char.IsAsciiLetter((char)scheme[0]);
    }

    private static bool HasForbiddenByte(ReadOnlySpan<byte> bytes)
    {
        foreach (byte b in bytes)
        {
            if (b is <= 0x20 or 0x7F or (byte)'<' or (byte)'>' or (byte)'"')
            {
                return true;
            }
        }

        return false;
    }

    internal static SipParameter? Find(IReadOnlyList<SipParameter> parameters, string name)
    {
        foreach (SipParameter parameter in parameters)
        {
            if (parameter.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return parameter;
            }
        }

        return null;
    }

    private string TelNumber()
    {
        int end = Opaque.AsSpan().IndexOf(';');
        return end < 0 ? Opaque : Opaque[..end];
    }

    internal static string Unescape(string wire)
    {
        if (wire.AsSpan().IndexOf('%') < 0)
        {
            return WireText.ToText(wire);
        }

        var bytes = new byte[wire.Length];
        int length = 0;
        for (int i = 0; i < wire.Length; i++)
        {
            if (wire[i] == '%' && i + 2 < wire.Length && char.IsAsciiHexDigit(wire[i + 1]) && char.IsAsciiHexDigit(wire[i + 2]))
            {
                bytes[length++] = Convert.FromHexString(wire.AsSpan(i + 1, 2))[0];
                i += 2;
            }
            else
            {
                bytes[length++] = (byte)wire[i];
            }
        }

        return Encoding.UTF8.GetString(bytes, 0, length);
    }

    private static string Escape(string user)
    {
        const string unescaped = "-_.!~*'()&=+$,;?/";
        var escaped = new StringBuilder(user.Length);
        foreach (byte b in Encoding.UTF8.GetBytes(user))
        {
            if (char.IsAsciiLetterOrDigit((char)b) || unescaped.AsSpan().IndexOf((char)b) >= 0)
            {
                escaped.Append((char)b);
            }
            else
            {
                escaped.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
            }
        }

        return escaped.ToString();
    }
}
