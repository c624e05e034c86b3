using System.Buffers;
using System.Text;

namespace Sentiric.Sip;

/// <summary>Where the parts of one Via value stand (RFC 3261 20.42, 25.1), found and checked without copying a byte of it.</summary>
internal readonly record struct ViaShape(WirePart Whole, WirePart Transport, WirePart Host, int Port, int SentByEnd)
{
    private static readonly SearchValues<byte> SentByStops = SearchValues.Create(";, \t"u8);

    /// <summary>Reads the next value of a list; the scanner stops at the comma or the end.</summary>
    public static bool TryRead(ref SipScanner scanner, out ViaShape shape)
    {
        shape = default;
        scanner.SkipSpace();
        int start = scanner.Position;
        if (!TryProtocol(ref scanner, out WirePart transport))
        {
            return false;
        }

        scanner.SkipSpace();
        int host = scanner.Position;
        ReadOnlySpan<byte> sentBy = scanner.Until(SentByStops);
        int sentByEnd = scanner.Position;
        if (!SipUriShape.TryHostPort(sentBy, out int hostLength, out int port) || !scanner.TrySkipParameters())
        {
            return false;
        }

        shape = new ViaShape(scanner.Trimmed(start), transport, new WirePart(host, host + hostLength), port, sentByEnd);
        return true;
    }

    /// <summary>All values of a line.</summary>
    public static bool IsList(ReadOnlySpan<byte> value)
    {
        var scanner = new SipScanner(value);
        int count = 0;
        do
        {
            if (count++ >= SipLimits.ValuesPerHeader || !TryRead(ref scanner, out _))
            {
                return false;
            }
        }
        while (scanner.TryTake((byte)','));
        return scanner.AtEnd;
    }

    /// <summary>Upper case; the usual ones without a new string.</summary>
    public static string TransportOf(ReadOnlySpan<byte> transport)
    {
        foreach (string known in (ReadOnlySpan<string>)["UDP", "TCP", "TLS", "WS", "WSS", "SCTP"])
        {
            if (Ascii.EqualsIgnoreCase(transport, known))
            {
                return known;
            }
        }

        return WireText.Wire(transport).ToUpperInvariant();
    }

    /// <summary>"SIP" SLASH "2.0" SLASH transport, white space allowed around each slash.</summary>
    private static bool TryProtocol(ref SipScanner scanner, out WirePart transport)
    {
        transport = default;
        ReadOnlySpan<byte> name = scanner.Token();
        scanner.SkipSpace();
        if (!Ascii.EqualsIgnoreCase(name, "SIP"u8) || !scanner.TryTake((byte)'/'))
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
        int start = scanner.Position;
        transport = new WirePart(start, start + scanner.Token().Length);
        return transport.Length > 0 && (scanner.AtEnd || SipScanner.IsSpace(scanner.Current));
    }
}
