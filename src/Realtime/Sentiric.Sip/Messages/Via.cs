using System.Globalization;
using System.Net;

namespace Sentiric.Sip;

/// <summary>One Via value (RFC 3261 20.42).</summary>
public sealed class Via
{
    /// <summary>Branches that begin with it are unique across space and time (RFC 3261 8.1.1.7).</summary>
    public const string MagicCookie = "z9hG4bK";

    private readonly string head;

    private Via(string wire, string head, string transport, string host, int port, List<SipParameter> parameters)
    {
        Wire = wire;
        this.head = head;
        Transport = transport;
        Host = host;
        Port = port;
        Parameters = parameters;
    }

    /// <summary>UDP, TCP, TLS, … in upper case.</summary>
    public string Transport { get; }

    public string Host { get; }

    /// <summary>0 when sent-by names no port.</summary>
    public int Port { get; }

    public IReadOnlyList<SipParameter> Parameters { get; }

    public string? Branch => SipUri.Find(Parameters, "branch")?.Value;

    /// <summary>True when rport was asked for (RFC 3581).</summary>
    public bool WantsRport => SipUri.Find(Parameters, "rport") is not null;

    /// <summary>The branch identifies the transaction; false for RFC 2543 elements and for the bare cookie (RFC 4475 3.2.1).</summary>
    public bool HasUniqueBranch => Branch is { } branch
        && branch.StartsWith(MagicCookie, StringComparison.Ordinal) && branch.Length > MagicCookie.Length;

    internal string Wire { get; }

    public override string ToString() => WireText.ToText(Wire);

    /// <summary>The value to mirror in responses: received and rport filled in as seen from here (RFC 3261 18.2.1, RFC 3581 4).</summary>
    internal string WithSource(IPEndPoint source)
    {
        string received = SipUri.HostOf(source.Address).Trim('[', ']');
        bool sameHost = Host.Trim('[', ']').Equals(received, StringComparison.OrdinalIgnoreCase);
        if (sameHost && !WantsRport)
        {
            return Wire;
        }

        var text = new System.Text.StringBuilder(head);
        foreach (SipParameter parameter in Parameters)
        {
            bool ours = parameter.Name.Equals("rport", StringComparison.OrdinalIgnoreCase)
                || parameter.Name.Equals("received", StringComparison.OrdinalIgnoreCase);
            if (!ours)
            {
                text.Append(';').Append(parameter.Name).Append(parameter.Value is null ? "" : "=" + parameter.Value);
            }
        }

        text.Append(";received=").Append(received);
        if (WantsRport)
        {
            text.Append(CultureInfo.InvariantCulture, $";rport={source.Port}");
        }

        return text.ToString();
    }

    internal static bool TryParseList(ReadOnlySpan<byte> value, List<Via> into)
    {
        var scanner = new SipScanner(value);
        do
        {
            if (into.Count >= SipLimits.ValuesPerHeader || !TryRead(ref scanner, out Via? via))
            {
                return false;
            }

            into.Add(via);
        }
        while (scanner.TryTake((byte)','));
        return scanner.AtEnd;
    }

    private static bool TryRead(ref SipScanner scanner, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Via? via)
    {
        via = null;
        scanner.SkipSpace();
        int start = scanner.Position;
        if (!TryProtocol(ref scanner, out string transport))
        {
            return false;
        }

        scanner.SkipSpace();
        ReadOnlySpan<byte> sentBy = scanner.Until(";,"u8);
        int headEnd = scanner.Position;
        var parameters = new List<SipParameter>();
        if (!SipUri.TryHostPort(sentBy, out string host, out int port) || !scanner.TryParameters(parameters))
        {
            return false;
        }

        via = new Via(
            WireText.Wire(SipScanner.Trim(scanner.Slice(start, scanner.Position))),
            WireText.Wire(scanner.Slice(start, headEnd)),
            transport, host, port, parameters);
        return true;
    }

    /// <summary>"SIP" SLASH "2.0" SLASH transport, white space allowed around each slash.</summary>
    private static bool TryProtocol(ref SipScanner scanner, out string transport)
    {
        transport = "";
        ReadOnlySpan<byte> name = scanner.Token();
        scanner.SkipSpace();
        if (!System.Text.Ascii.EqualsIgnoreCase(name, "SIP"u8) || !scanner.TryTake((byte)'/'))
        {
            return false;
        }

        scanner.SkipSpace();
        ReadOnlySpan<byte> version = scanner.Token();
        scanner.SkipSpace();
        if (!version.SequenceEqual("2.0"u8) || !scanner.TryTake((byte)'/'))
        {
            return false;
        }

        scanner.SkipSpace();
        transport = WireText.Wire(scanner.Token()).ToUpperInvariant();
        return transport.Length > 0 && (scanner.AtEnd || SipScanner.IsSpace(scanner.Current));
    }
}
