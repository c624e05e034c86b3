using System.Text;

namespace Sentiric.Sip;

/// <summary>Method names. Methods are case-sensitive tokens (RFC 3261 7.1); an unknown one stays as it came.</summary>
public static class SipMethod
{
    public const string Invite = "INVITE";
    public const string Ack = "ACK";
    public const string Bye = "BYE";
    public const string Cancel = "CANCEL";
    public const string Options = "OPTIONS";
    public const string Register = "REGISTER";
    public const string Prack = "PRACK";
    public const string Update = "UPDATE";
    public const string Info = "INFO";
    public const string Refer = "REFER";
    public const string Notify = "NOTIFY";

    private static readonly string[] Standard =
    [
        Invite, Ack, Bye, Cancel, Options, Register,
        Prack, Update, Info, Refer, Notify, "SUBSCRIBE", "PUBLISH", "MESSAGE",
    ];

    /// <summary>True for methods of RFC 3261 and its extensions: refused with 405; all others with 501 (8.2.1, 21.5.2).</summary>
    public static bool IsStandard(string method) => Array.IndexOf(Standard, method) >= 0;

    /// <summary>The constant for a standard method, null for any other; the standard ones are tokens.</summary>
    internal static string? Known(ReadOnlySpan<byte> method)
    {
        foreach (string known in Standard)
        {
            if (known.Length == method.Length && known[0] == method[0] && Ascii.Equals(method, known))
            {
                return known;
            }
        }

        return null;
    }

    /// <summary>The constant for a standard method; any other token as it came; false for what is none.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> method, out string name)
    {
        string? known = Known(method);
        name = known ?? WireText.Wire(method);
        return known is not null || SipScanner.IsToken(method);
    }
}
