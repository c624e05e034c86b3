using System.Buffers;
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
    private static readonly SearchValues<char> UserChars =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()&=+$,;?/");

    /// <summary>The URI stands in it from <see cref="start"/> on: a message lends its own bytes, and each part is made into text when it is asked for.</summary>
    private readonly byte[] held;
    private readonly int start;
    private readonly int length;
    private readonly SipUriShape shape;
    private string? text;
    private string? user;
    private string? host;
    private SipParameter[]? parameters;

    /// <summary>Places in the shape count from <paramref name="start"/>.</summary>
    internal SipUri(byte[] held, int start, int length, in SipUriShape shape)
    {
        this.held = held;
        this.start = start;
        this.length = length;
        this.shape = shape;
    }

    /// <summary>Lower-case scheme: sip, sips, tel, …</summary>
    public string Scheme => IsSip ? (shape.SchemeEnd == 3 ? "sip" : "sips") : SchemeOf(Bytes[..shape.SchemeEnd]);

    /// <summary>The user part as written, escapes included; null when there is none.</summary>
    public string? User => user ??= Cut(shape.User);

    public string? Password => Cut(shape.Password);

    /// <summary>Host name, IPv4 address or bracketed IPv6 address; empty for schemes without one.</summary>
    public string Host => host ??= Cut(shape.Host) ?? "";

    /// <summary>0 when the URI names no port.</summary>
    public int Port => shape.Port;

    public IReadOnlyList<SipParameter> Parameters => parameters ??= ParameterBytes.ToArray();

    /// <summary>What follows "?" (RFC 3261 19.1.1), without it; null when there is nothing.</summary>
    public string? Headers => Cut(shape.Headers);

    /// <summary>Everything after the colon, for schemes that this stack does not take apart.</summary>
    public string Opaque => IsSip ? "" : WireText.Wire(Bytes[(shape.SchemeEnd + 1)..]);

    private SipParameterList ParameterBytes => new(shape.Parameters.IsPresent ? shape.Parameters.Of(Bytes) : default);

    private ReadOnlySpan<byte> Bytes => held.AsSpan(start, length);

    public bool IsSip => shape.IsSip;

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

    public string? Parameter(string name) => ParameterBytes.Value(name);

    public bool HasParameter(string name) => ParameterBytes.TryFind(name, out _);

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

    /// <summary>False also for text longer than <see cref="SipLimits.HeaderBytes"/>: it would not fit into any message.</summary>
    public static bool TryParse(string text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out SipUri? uri) =>
        TryParse(Encoding.UTF8.GetBytes(text), out uri);

    /// <summary>Takes the bytes over.</summary>
    private static bool TryParse(byte[] bytes, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out SipUri? uri)
    {
        uri = SipUriShape.TryRead(bytes, out SipUriShape shape) ? new SipUri(bytes, 0, bytes.Length, shape) : null;
        return uri is not null;
    }

    public override string ToString() => text ??= WireText.Wire(Bytes);

    private string? Cut(WirePart part) => part.IsPresent ? WireText.Wire(part.Of(Bytes)) : null;

    private static string SchemeOf(ReadOnlySpan<byte> scheme) => Ascii.EqualsIgnoreCase(scheme, "tel"u8) ? "tel" : WireText.Wire(scheme).ToLowerInvariant();

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

        return WireText.Text(bytes.AsSpan(0, length));
    }

    /// <summary>Everything outside of user-unreserved becomes %-escapes of its UTF-8 bytes (RFC 3261 25.1).</summary>
    internal static string Escape(string user)
    {
        if (!user.AsSpan().ContainsAnyExcept(UserChars))
        {
            return user;
        }

        var escaped = new StringBuilder(user.Length);
        foreach (byte b in Encoding.UTF8.GetBytes(user))
        {
            if (UserChars.Contains((char)b))
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
