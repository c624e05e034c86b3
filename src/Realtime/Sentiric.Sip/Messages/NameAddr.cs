using System.Text;

namespace Sentiric.Sip;

/// <summary>A From, To, Contact, Route or Record-Route value: display name, URI and header parameters (RFC 3261 20.10, 25.1).</summary>
public sealed class NameAddr
{
    internal NameAddr(string wire, string? displayWire, SipUri uri, IReadOnlyList<SipParameter> parameters)
    {
        Wire = wire;
        Display = displayWire is null ? null : WireText.ToText(displayWire);
        Uri = uri;
        Parameters = parameters;
    }

    /// <summary>The display name as text, quotes and escapes resolved; null when there is none.</summary>
    public string? Display { get; }

    public SipUri Uri { get; }

    /// <summary>Header parameters, those after the angle brackets.</summary>
    public IReadOnlyList<SipParameter> Parameters { get; }

    public string? Tag => Parameter("tag");

    /// <summary>The value byte for byte, one byte per char.</summary>
    internal string Wire { get; }

    public string? Parameter(string name) => SipUri.Find(Parameters, name)?.Value;

    public override string ToString() => WireText.ToText(Wire);

    /// <summary>Writes a name-addr of our own; the URI always in brackets, so that its parameters stay its own (20.10).</summary>
    /// <exception cref="ArgumentException">The display name or the tag holds CR, LF or NUL.</exception>
    public static NameAddr Create(string? display, SipUri uri, string? tag = null)
    {
        if (WireText.IsUnsafe(display) || WireText.IsUnsafe(tag))
        {
            throw new ArgumentException("A name for the wire holds CR, LF or NUL.");
        }

        string quoted = string.IsNullOrEmpty(display) ? "" : Quote(display) + " ";
        string tagText = tag is null ? "" : ";tag=" + tag;
        IReadOnlyList<SipParameter> parameters = tag is null ? [] : [new SipParameter("tag", tag)];
        return new NameAddr($"{quoted}<{uri}>{tagText}", string.IsNullOrEmpty(display) ? null : WireText.FromText(display), uri, parameters);
    }

    /// <summary>Exactly one value, nothing after it.</summary>
    internal static bool TryParse(ReadOnlySpan<byte> value, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out NameAddr? address)
    {
        var scanner = new SipScanner(value);
        return TryRead(ref scanner, out address) && scanner.AtEnd;
    }

    /// <summary>A comma-separated list with at least one value.</summary>
    internal static bool TryParseList(ReadOnlySpan<byte> value, List<NameAddr> into)
    {
        var scanner = new SipScanner(value);
        do
        {
            if (into.Count >= SipLimits.ValuesPerHeader || !TryRead(ref scanner, out NameAddr? address))
            {
                return false;
            }

            into.Add(address);
        }
        while (scanner.TryTake((byte)','));
        return scanner.AtEnd;
    }

    private static bool TryRead(ref SipScanner scanner, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out NameAddr? address)
    {
        address = null;
        scanner.SkipSpace();
        int start = scanner.Position;
        if (!TryDisplay(ref scanner, out string? display, out bool bracketed)
            || !TryUri(ref scanner, bracketed, out SipUri? uri))
        {
            return false;
        }

        var parameters = new List<SipParameter>();
        if (!scanner.TryParameters(parameters))
        {
            return false;
        }

        string wire = WireText.Wire(SipScanner.Trim(scanner.Slice(start, scanner.Position)));
        address = new NameAddr(wire, display, uri, parameters);
        return true;
    }

    private static bool TryDisplay(ref SipScanner scanner, out string? display, out bool bracketed)
    {
        display = null;
        bracketed = false;
        if (scanner.Current == '"')
        {
            if (!scanner.TryQuoted(out ReadOnlySpan<byte> quoted))
            {
                return false;
            }

            display = Unquote(quoted);
            scanner.SkipSpace();
            return bracketed = scanner.TryTake((byte)'<');
        }

        // Unquoted: tokens up to "<". Phones also put spaces, brackets and UTF-8 there; a separator ends the attempt.
        int start = scanner.Position;
        ReadOnlySpan<byte> rest = scanner.Rest;
        int stop = rest.IndexOfAny("<,;:\"@"u8);
        if (stop >= 0 && rest[stop] == '<')
        {
            string name = WireText.Wire(SipScanner.Trim(rest[..stop]));
            display = name.Length == 0 ? null : name;
            scanner.MoveTo(start + stop + 1);
            bracketed = true;
        }

        return true;
    }

    private static bool TryUri(ref SipScanner scanner, bool bracketed, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out SipUri? uri)
    {
        // Without brackets a comma, question mark or semicolon does not belong to the URI (20.10), so "?" is an error there.
        ReadOnlySpan<byte> text = bracketed ? scanner.Until(">"u8) : scanner.Until(",;?<>\""u8);
        if (!SipUri.TryParse(text, out uri))
        {
            return false;
        }

        return bracketed ? scanner.TryTake((byte)'>') : scanner.Current != '?';
    }

    private static string Unquote(ReadOnlySpan<byte> quoted)
    {
        ReadOnlySpan<byte> inner = quoted[1..^1];
        if (inner.IndexOf((byte)'\\') < 0)
        {
            return WireText.Wire(inner);
        }

        var bytes = new byte[inner.Length];
        int length = 0;
        for (int i = 0; i < inner.Length; i++)
        {
            if (inner[i] == '\\' && i + 1 < inner.Length)
            {
                i++;
            }

            bytes[length++] = inner[i];
        }

        return WireText.Wire(bytes.AsSpan(0, length));
    }

    private static string Quote(string display)
    {
        var quoted = new StringBuilder(display.Length + 2).Append('"');
        foreach (char c in WireText.FromText(display))
        {
            if (c is '"' or '\\')
            {
                quoted.Append('\\');
            }

            quoted.Append(c);
        }

        return quoted.Append('"').ToString();
    }
}
