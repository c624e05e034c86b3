using System.Buffers;

namespace Sentiric.Sip;

/// <summary>
/// Where the parts of a name-addr or addr-spec stand (RFC 3261 20.10, 25.1), found and checked without copying a byte of it.
/// A quoted display name keeps its quotes; places within the URI count from the URI.
/// </summary>
internal struct NameAddrShape
{
    public WirePart Whole;
    public WirePart Display;
    public WirePart Uri;
    public SipUriShape UriShape;
    public WirePart Tag;
    public ushort ParametersStart;

    private static readonly SearchValues<byte> DisplayStops = SearchValues.Create("<,;:\"@"u8);

    // Without brackets a comma, question mark or semicolon does not belong to the URI (20.10), so "?" is an error there.
    private static readonly SearchValues<byte> BareStops = SearchValues.Create(",;?<>\" \t"u8);

    /// <summary>The places as they are when the value before <see cref="Whole"/> is cut off.</summary>
    public void Cut()
    {
        int by = -Whole.Start;
        if (by != 0)
        {
            (Whole, Display, Uri, Tag) = (Whole.Moved(by), Display.Moved(by), Uri.Moved(by), Tag.Moved(by));
            ParametersStart = (ushort)(ParametersStart + by);
        }
    }

    /// <summary>Reads the next value of a list; the scanner stops at the comma or the end.</summary>
    public static bool TryRead(ref SipScanner scanner, out NameAddrShape shape)
    {
        shape = default;
        scanner.SkipSpace();
        int start = scanner.Position;
        if (!TryDisplay(ref scanner, out shape.Display, out bool bracketed) || !TryUri(ref scanner, bracketed, out shape.Uri, out shape.UriShape))
        {
            return false;
        }

        int parameters = scanner.Position;
        if (!scanner.TrySkipParameters("tag"u8, out shape.Tag))
        {
            return false;
        }

        shape.Whole = scanner.Trimmed(start);
        shape.ParametersStart = (ushort)Math.Min(parameters, shape.Whole.End);
        return true;
    }

    /// <summary>Exactly one value, nothing after it.</summary>
    public static bool TryReadSingle(ref SipScanner scanner, out NameAddrShape shape) => TryRead(ref scanner, out shape) && scanner.AtEnd;

    /// <summary>All values of a line.</summary>
    public static bool IsList(ref SipScanner scanner)
    {
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
        bracketed = scanner.TryTake((byte)'<');
        if (bracketed)
        {
            return true;
        }

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

    private static bool TryUri(ref SipScanner scanner, bool bracketed, out WirePart uri, out SipUriShape shape)
    {
        int start = scanner.Position;
        if (SipUriShape.TryReadUsual(ref scanner, bracketed ? UriEnd.Bracket : UriEnd.Bare, out shape))
        {
            uri = new WirePart(start, scanner.Position);
            return !bracketed || scanner.TryTake((byte)'>');
        }

        scanner.MoveTo(start);
        // White space inside the brackets is no part of any URI, so the URI itself refuses it.
        ReadOnlySpan<byte> text = bracketed ? scanner.Until((byte)'>') : scanner.Until(BareStops);
        uri = new WirePart(start, start + text.Length);
        if (!SipUriShape.TryRead(text, out shape))
        {
            return false;
        }

        return bracketed ? scanner.TryTake((byte)'>') : scanner.Current != '?';
    }
}
