namespace Sentiric.Sip;

/// <summary>One Via value (RFC 3261 20.42).</summary>
public sealed class Via
{
    /// <summary>Branches that begin with it are unique across space and time (RFC 3261 8.1.1.7).</summary>
    public const string MagicCookie = "z9hG4bK";

    /// <summary>The value stands in it from <see cref="start"/> on: a message lends its own bytes.</summary>
    private readonly byte[] held;
    private readonly int start;
    private readonly ViaShape shape;
    private string? wire;
    private string? host;
    private string? branch;
    private SipParameter[]? parameters;

    /// <summary>Places in the shape count from <paramref name="valueStart"/>.</summary>
    internal Via(byte[] held, int valueStart, in ViaShape shape)
    {
        this.held = held;
        start = valueStart + shape.Whole.Start;
        this.shape = shape;
        this.shape.Cut();
    }

    /// <summary>UDP, TCP, TLS, … in upper case.</summary>
    public string Transport => ViaShape.TransportOf(shape.Transport.Of(Bytes));

    public string Host => host ??= WireText.Wire(shape.Host.Of(Bytes));

    /// <summary>0 when sent-by names no port.</summary>
    public int Port => shape.Port;

    public IReadOnlyList<SipParameter> Parameters => parameters ??= ParameterBytes.ToArray();

    public string? Branch => branch ??= shape.Branch.IsPresent ? WireText.Wire(shape.Branch.Of(Bytes)) : null;

    /// <summary>True when rport was asked for (RFC 3581).</summary>
    public bool WantsRport => ParameterBytes.TryFind("rport", out _);

    /// <summary>The branch identifies the transaction; false for RFC 2543 elements and for the bare cookie (RFC 4475 3.2.1).</summary>
    public bool HasUniqueBranch => Branch is { } branch
        && branch.StartsWith(MagicCookie, StringComparison.Ordinal) && branch.Length > MagicCookie.Length;

    internal string Wire => wire ??= WireText.Wire(Bytes);

    private ReadOnlySpan<byte> Bytes => held.AsSpan(start, shape.Whole.Length);

    private SipParameterList ParameterBytes => new(Bytes[shape.SentByEnd..]);

    public override string ToString() => WireText.ToText(Wire);

    /// <summary>
    /// All values of one header line at its place in bytes that stay as they are, but those before <paramref name="from"/>; false when one of them is
    /// malformed.
    /// </summary>
    internal static bool TryParseList(byte[] held, WirePart place, int from, List<Via> into)
    {
        var scanner = new SipScanner(held, place);
        scanner.MoveTo(from);
        do
        {
            if (into.Count >= SipLimits.ValuesPerHeader || !ViaShape.TryRead(ref scanner, out ViaShape shape))
            {
                return false;
            }

            into.Add(new Via(held, place.Start, shape));
        }
        while (scanner.TryTake((byte)','));
        return scanner.AtEnd;
    }
}
