namespace Sentiric.Sip;

/// <summary>One Via value (RFC 3261 20.42).</summary>
public sealed class Via
{
    /// <summary>Branches that begin with it are unique across space and time (RFC 3261 8.1.1.7).</summary>
    public const string MagicCookie = "z9hG4bK";

    private readonly ViaShape shape;
    private string? host;
    private string? branch;
    private SipParameter[]? parameters;

    /// <summary>Places in the shape count from the start of <paramref name="value"/>.</summary>
    internal Via(ReadOnlySpan<byte> value, in ViaShape shape)
    {
        Wire = WireText.Wire(shape.Whole.Of(value));
        Transport = ViaShape.TransportOf(shape.Transport.Of(value));
        this.shape = shape.Cut();
    }

    /// <summary>UDP, TCP, TLS, … in upper case.</summary>
    public string Transport { get; }

    public string Host => host ??= shape.Host.Of(Wire).ToString();

    /// <summary>0 when sent-by names no port.</summary>
    public int Port => shape.Port;

    public IReadOnlyList<SipParameter> Parameters => parameters ??= ParameterText.ToArray();

    public string? Branch => branch ??= shape.Branch.IsPresent ? shape.Branch.Of(Wire).ToString() : null;

    /// <summary>True when rport was asked for (RFC 3581).</summary>
    public bool WantsRport => ParameterText.TryFind("rport", out _);

    /// <summary>The branch identifies the transaction; false for RFC 2543 elements and for the bare cookie (RFC 4475 3.2.1).</summary>
    public bool HasUniqueBranch => Branch is { } branch
        && branch.StartsWith(MagicCookie, StringComparison.Ordinal) && branch.Length > MagicCookie.Length;

    internal string Wire { get; }

    private SipParameterList ParameterText => new(Wire.AsSpan(shape.SentByEnd));

    public override string ToString() => WireText.ToText(Wire);

    /// <summary>All values of one header line; false when one of them is malformed.</summary>
    internal static bool TryParseList(ReadOnlySpan<byte> value, List<Via> into)
    {
        var scanner = new SipScanner(value);
        do
        {
            if (into.Count >= SipLimits.ValuesPerHeader || !ViaShape.TryRead(ref scanner, out ViaShape shape))
            {
                return false;
            }

            into.Add(new Via(value, shape));
        }
        while (scanner.TryTake((byte)','));
        return scanner.AtEnd;
    }
}
