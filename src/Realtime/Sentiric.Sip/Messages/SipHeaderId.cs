using System.Runtime.CompilerServices;
using System.Text;

namespace Sentiric.Sip;

/// <summary>Headers that the stack itself understands; all others are <see cref="Other"/> and kept by name.</summary>
public enum SipHeaderId
{
    Other,
    Via,
    From,
    To,
    CallId,
    CSeq,
    Contact,
    MaxForwards,
    Route,
    RecordRoute,
    ContentLength,
    ContentType,
    Expires,
    Require,
    Supported,
    Accept,
    Authorization,
    ProxyAuthorization,
    WwwAuthenticate,
    ProxyAuthenticate,
    Reason,
    UserAgent,
}

/// <summary>Canonical names and compact forms (RFC 3261 7.3.3 and 20).</summary>
public static class SipHeaderNames
{
    /// <summary>Bytes of the longest name, Proxy-Authorization.</summary>
    internal const int Longest = 19;

    /// <summary>In the order of <see cref="SipHeaderId"/>.</summary>
    private static readonly string[] Names =
    [
        "", "Via", "From", "To", "Call-ID", "CSeq", "Contact", "Max-Forwards", "Route", "Record-Route", "Content-Length", "Content-Type",
        "Expires", "Require", "Supported", "Accept", "Authorization", "Proxy-Authorization", "WWW-Authenticate", "Proxy-Authenticate",
        "Reason", "User-Agent",
    ];

    /// <summary>The canonical name of a known header.</summary>
    public static string Of(SipHeaderId id) =>
        id == SipHeaderId.Other ? throw new ArgumentOutOfRangeException(nameof(id), id, "This id stands for no single header.") : Names[(int)id];

    /// <summary>By length and one letter at most one name is left, so that only one is compared; a test asks for every name.</summary>
    internal static SipHeaderId Find(ReadOnlySpan<byte> name) => name.Length switch
    {
        1 => Compact((byte)(name[0] | 0x20)),
        2 => Same(name, "To"u8, SipHeaderId.To),
        3 => Same(name, "Via"u8, SipHeaderId.Via),
        4 => Letter(name, 0) == 'f' ? Same(name, "From"u8, SipHeaderId.From) : Same(name, "CSeq"u8, SipHeaderId.CSeq),
        5 => Same(name, "Route"u8, SipHeaderId.Route),
        6 => Letter(name, 0) == 'a' ? Same(name, "Accept"u8, SipHeaderId.Accept) : Same(name, "Reason"u8, SipHeaderId.Reason),
        7 => Letter(name, 2) switch
        {
            'l' => Same(name, "Call-ID"u8, SipHeaderId.CallId),
            'n' => Same(name, "Contact"u8, SipHeaderId.Contact),
            'p' => Same(name, "Expires"u8, SipHeaderId.Expires),
            _ => Same(name, "Require"u8, SipHeaderId.Require),
        },
        9 => Same(name, "Supported"u8, SipHeaderId.Supported),
        10 => Same(name, "User-Agent"u8, SipHeaderId.UserAgent),
        12 => Letter(name, 0) switch
        {
            'm' => Same(name, "Max-Forwards"u8, SipHeaderId.MaxForwards),
            'c' => Same(name, "Content-Type"u8, SipHeaderId.ContentType),
            _ => Same(name, "Record-Route"u8, SipHeaderId.RecordRoute),
        },
        13 => Same(name, "Authorization"u8, SipHeaderId.Authorization),
        14 => Same(name, "Content-Length"u8, SipHeaderId.ContentLength),
        16 => Same(name, "WWW-Authenticate"u8, SipHeaderId.WwwAuthenticate),
        18 => Same(name, "Proxy-Authenticate"u8, SipHeaderId.ProxyAuthenticate),
        19 => Same(name, "Proxy-Authorization"u8, SipHeaderId.ProxyAuthorization),
        _ => SipHeaderId.Other,
    };

    private static SipHeaderId Compact(byte letter) => letter switch
    {
        (byte)'v' => SipHeaderId.Via,
        (byte)'f' => SipHeaderId.From,
        (byte)'t' => SipHeaderId.To,
        (byte)'i' => SipHeaderId.CallId,
        (byte)'m' => SipHeaderId.Contact,
        (byte)'l' => SipHeaderId.ContentLength,
        (byte)'c' => SipHeaderId.ContentType,
        (byte)'k' => SipHeaderId.Supported,
        _ => SipHeaderId.Other,
    };

    private static int Letter(ReadOnlySpan<byte> name, int at) => name[at] | 0x20;

    /// <summary>Inlined, so that the length of the known name is known and the compare is a few instructions.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static SipHeaderId Same(ReadOnlySpan<byte> name, ReadOnlySpan<byte> known, SipHeaderId id) =>
        name.SequenceEqual(known) || IsSameInAnotherCase(name, known) ? id : SipHeaderId.Other;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool IsSameInAnotherCase(ReadOnlySpan<byte> name, ReadOnlySpan<byte> known) => Ascii.EqualsIgnoreCase(name, known);
}
