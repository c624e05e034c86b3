using System.Buffers;

namespace Sentiric.Sip;

/// <summary>
/// Where the parts of a name-addr or addr-spec stand (RFC 3261 20.10, 25.1), found and checked without copying a byte of it.
/// A quoted display name keeps its quotes.
/// </summary>
internal readonly record struct NameAddrShape(WirePart Whole, WirePart Display, WirePart Uri, int ParametersStart)
{
    private static readonly SearchValues<byte> DisplayStops = SearchValues.Create("<,;:\"@"u8);
    private static readonly SearchValues<byte> BracketedStops = SearchValues.Create("> \t"u8);

    // Without brackets a comma, question mark or semicolon does not belong to the URI (20.10), so "?" is an error there.
    private static readonly SearchValues<byte> BareStops = SearchValues.Create(",;?<>\" \t"u8);

    public NameAddrShape Shifted(int by) => new(Moved(Whole, by), Moved(Display, by), Moved(Uri, by), ParametersStart + by);

    /// <summary>Reads the next value of a list; the scanner stops at the comma or the end.</summary>
    public static bool TryRead(ref SipScanner scanner, out NameAddrShape shape)
    {
        shape = default;
        scanner.SkipSpace();
        int start = scanner.Position;
        if (!TryDisplay(ref scanner, out WirePart display, out bool bracketed) || !TryUri(ref scanner, bracketed, out WirePart uri))
        {
            return false;
        }

        int parameters = scanner.Position;
        if (!scanner.TrySkipParameters())
        {
            return false;
        }

        shape = new NameAddrShape(scanner.Trimmed(start), display, uri, Math.Min(parameters, scanner.Trimmed(start).End));
        return true;
    }

    /// <summary>Exactly one value, nothing after it.</summary>
    public static bool TryReadSingle(ReadOnlySpan<byte> value, out NameAddrShape shape)
    {
        var scanner = new SipScanner(value);
        return TryRead(ref scanner, out shape) && scanner.AtEnd;
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

    private static bool TryDisplay(ref SipScanner scanner, out WirePart display, out bool bracketed)
    {
        display = WirePart.Absent;
        bracketed = false;
        int start = scanner.Position;
        if (scanner.Current == '"')
        {
            if (!scanner.TryQuoted(out ReadOnlySpan<byte> quoted))
            {
                return false;
            }

            display = new WirePart(start, start + quoted.Length);
            scanner.SkipSpace();
            return bracketed = scanner.TryTake((byte)'<');
        }

        // Unquoted: tokens up to "<". Phones also put spaces, brackets and UTF-8 there; a separator ends the attempt.
        ReadOnlySpan<byte> rest = scanner.Rest;
        int stop = rest.IndexOfAny(DisplayStops);
        if (stop >= 0 && rest[stop] == '<')
        {
            int length = SipScanner.Trim(rest[..stop]).Length;
            display = length == 0 ? WirePart.Absent : new WirePart(start, start + length);
            scanner.MoveTo(start + stop + 1);
            bracketed = true;
        }

        return true;
    }

    private static bool TryUri(ref SipScanner scanner, bool bracketed, out WirePart uri)
    {
        int start = scanner.Position;
        ReadOnlySpan<byte> text = scanner.Until(bracketed ? BracketedStops : BareStops);
        uri = new WirePart(start, start + text.Length);
        if (!SipUriShape.TryRead(text, out _))
        {
            return false;
        }

        return bracketed ? scanner.TryTake((byte)'>') : scanner.Current != '?';
    }

    private static WirePart Moved(WirePart part, int by) => part.IsPresent ? new WirePart(part.Start + by, part.End + by) : part;
}
