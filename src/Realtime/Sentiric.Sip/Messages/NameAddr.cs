using System.Text;

namespace Sentiric.Sip;

/// <summary>A From, To, Contact, Route or Record-Route value: display name, URI and header parameters (RFC 3261 20.10, 25.1).</summary>
public sealed class NameAddr
{
    /// <summary>The value stands in it from <see cref="start"/> on: a message lends its own bytes, and each part is made into text when it is asked for.</summary>
    private readonly byte[] held;
    private readonly int start;
    private readonly NameAddrShape shape;
    private string? wire;
    private SipUri? uri;
    private SipParameter[]? parameters;
    private string? tag;

    /// <summary>Places in the shape count from <paramref name="valueStart"/>.</summary>
    internal NameAddr(byte[] held, int valueStart, in NameAddrShape shape)
    {
        this.held = held;
        start = valueStart + shape.Whole.Start;
        this.shape = shape;
        this.shape.Cut();
    }

    /// <summary>The display name as text, quotes and escapes resolved; null when there is none.</summary>
    public string? Display => shape.Display.IsPresent ? WireText.ToText(Unquote(WireText.Wire(shape.Display.Of(Bytes)))) : null;

    public SipUri Uri => uri ??= new SipUri(held, start + shape.Uri.Start, shape.Uri.Length, shape.UriShape);

    /// <summary>Header parameters, those after the angle brackets.</summary>
    public IReadOnlyList<SipParameter> Parameters => parameters ??= ParameterBytes.ToArray();

    public string? Tag => tag ??= shape.Tag.IsPresent ? WireText.Wire(shape.Tag.Of(Bytes)) : null;

    /// <summary>The value byte for byte, one byte per char.</summary>
    internal string Wire => wire ??= WireText.Wire(Bytes);

    private ReadOnlySpan<byte> Bytes => held.AsSpan(start, shape.Whole.Length);

    private SipParameterList ParameterBytes => new(Bytes[shape.ParametersStart..]);

    public string? Parameter(string name) => ParameterBytes.Value(name);

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
        byte[] wire = Encoding.Latin1.GetBytes($"{quoted}<{uri}>{tagText}");
        return TryParse(wire, out NameAddr? address) ? address : throw new ArgumentException("These parts make no address.");
    }

    /// <summary>Exactly one value, nothing after it. Takes the bytes over.</summary>
    internal static bool TryParse(byte[] value, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out NameAddr? address)
    {
        var scanner = new SipScanner(value);
        address = NameAddrShape.TryReadSingle(ref scanner, out NameAddrShape shape) ? new NameAddr(value, 0, shape) : null;
        return address is not null;
    }

    /// <summary>A comma-separated list with at least one value, at its place in bytes that stay as they are.</summary>
    internal static bool TryParseList(byte[] held, WirePart place, List<NameAddr> into)
    {
        var scanner = new SipScanner(held, place);
        do
        {
            if (into.Count >= SipLimits.ValuesPerHeader || !NameAddrShape.TryRead(ref scanner, out NameAddrShape shape))
            {
                return false;
            }

            into.Add(new NameAddr(held, place.Start, shape));
        }
        while (scanner.TryTake((byte)','));
        return scanner.AtEnd;
    }

    private static string Unquote(ReadOnlySpan<char> display)
    {
        if (display[0] != '"')
        {
            return display.ToString();
        }

        ReadOnlySpan<char> inner = display[1..^1];
        if (!inner.Contains('\\'))
        {
            return inner.ToString();
        }

        var plain = new StringBuilder(inner.Length);
        for (int i = 0; i < inner.Length; i++)
        {
            if (inner[i] == '\\' && i + 1 < inner.Length)
            {
                i++;
            }

            plain.Append(inner[i]);
        }

        return plain.ToString();
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
