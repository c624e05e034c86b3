using System.Buffers;
using System.Text;

namespace Sentiric.Sip;

/// <summary>Where the parts of one Via value stand (RFC 3261 20.42, 25.1), found and checked without copying a byte of it.</summary>
internal struct ViaShape
{
    public WirePart Whole;
    public WirePart Transport;
    public WirePart Host;
    public WirePart Branch;
    public ushort Port;
    public ushort SentByEnd;

    private static readonly string[] Transports = ["UDP", "TCP", "TLS", "WS", "WSS", "SCTP"];
    private static readonly SearchValues<byte> SentByStops = SearchValues.Create(";, \t"u8);

    /// <summary>The places as they are when the value before <see cref="Whole"/> is cut off.</summary>
    public void Cut()
    {
        int by = -Whole.Start;
        if (by != 0)
        {
            (Whole, Transport, Host, Branch) = (Whole.Moved(by), Transport.Moved(by), Host.Moved(by), Branch.Moved(by));
            SentByEnd = (ushort)(SentByEnd + by);
        }
    }

    /// <summary>Reads the next value of a list; the scanner stops at the comma or the end.</summary>
    public static bool TryRead(ref SipScanner scanner, out ViaShape shape)
    {
        shape = default;
        scanner.SkipSpace();
        int start = scanner.Position;
        if (!TryProtocol(ref scanner, out shape.Transport))
        {
            return false;
        }

        scanner.SkipSpace();
        int host = scanner.Position;
        if (!SipUriShape.TryReadUsualHostPort(ref scanner, out int hostEnd, out int port) && !TrySentBy(ref scanner, out hostEnd, out port))
        {
            return false;
        }

        (shape.Host, shape.Port, shape.SentByEnd) = (new WirePart(host, hostEnd), (ushort)port, (ushort)scanner.Position);
        if (!scanner.TrySkipParameters("branch"u8, out shape.Branch))
        {
            return false;
        }

        shape.Whole = scanner.Trimmed(start);
        return true;
    }

    private static bool TrySentBy(ref SipScanner scanner, out int hostEnd, out int port)
    {
        int start = scanner.Position;
        ReadOnlySpan<byte> sentBy = scanner.Until(SentByStops);
        bool isRead = SipUriShape.TryHostPort(sentBy, out int length, out port, out int end) && end == sentBy.Length;
        hostEnd = start + length;
        return isRead;
    }

    /// <summary>Exactly one value, nothing after it.</summary>
    public static bool IsSingle(ref SipScanner scanner, out ViaShape shape) => TryRead(ref scanner, out shape) && scanner.AtEnd;

    /// <summary>All values of a line, and the first of them.</summary>
    public static bool IsList(ref SipScanner scanner, out ViaShape first)
    {
        bool isRead = TryRead(ref scanner, out first);
        for (int count = 1; isRead && scanner.TryTake((byte)','); count++)
        {
            isRead = count < SipLimits.ValuesPerHeader && TryRead(ref scanner, out _);
        }

        return isRead && scanner.AtEnd;
    }

    /// <summary>True when there is a parameter of that name, with a value or without.</summary>
    public readonly bool Has(ReadOnlySpan<byte> value, ReadOnlySpan<byte> name)
    {
        var scanner = new SipScanner(value[SentByEnd..Whole.End]);
        while (scanner.TryParameter(out ReadOnlySpan<byte> found, out _))
        {
            if (Ascii.EqualsIgnoreCase(found, name))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>This one value as it stands, parameters of two names left out.</summary>
    public readonly void CopyWithout(ReadOnlySpan<byte> value, ReadOnlySpan<byte> one, ReadOnlySpan<byte> other, SipWriter writer)
    {
        writer.Write(value[Whole.Start..SentByEnd]);
        ReadOnlySpan<byte> text = value[SentByEnd..Whole.End];
        var scanner = new SipScanner(text);
        while (scanner.TryParameter(out ReadOnlySpan<byte> name, out WirePart whole))
        {
            if (!Ascii.EqualsIgnoreCase(name, one) && !Ascii.EqualsIgnoreCase(name, other))
            {
                writer.Write(";"u8).Write(whole.Of(text));
            }
        }
    }

    /// <summary>Upper case; the usual ones without a new string.</summary>
    public static string TransportOf(ReadOnlySpan<byte> transport)
    {
        foreach (string known in Transports)
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
        ReadOnlySpan<byte> usual = "SIP/2.0/"u8;
        if (scanner.Rest.StartsWith(usual))
        {
            scanner.MoveTo(scanner.Position + usual.Length);
        }
        else if (!TryProtocolName(ref scanner))
        {
            return false;
        }

        scanner.SkipSpace();
        int start = scanner.Position;
        transport = new WirePart(start, start + scanner.Token().Length);
        return transport.Length > 0 && (scanner.AtEnd || SipScanner.IsSpace(scanner.Current));
    }

    private static bool TryProtocolName(ref SipScanner scanner)
    {
        ReadOnlySpan<byte> name = scanner.Token();
        scanner.SkipSpace();
        if (!Ascii.EqualsIgnoreCase(name, "SIP"u8) || !scanner.TryTake((byte)'/'))
        {
            return false;
        }

        scanner.SkipSpace();
        ReadOnlySpan<byte> version = scanner.Token();
        scanner.SkipSpace();
        return version.SequenceEqual("2.0"u8) && scanner.TryTake((byte)'/');
    }
}
