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
    private static readonly (SipHeaderId Id, string Name, string? Compact)[] Known =
    [
        (SipHeaderId.Via, "Via", "v"),
        (SipHeaderId.From, "From", "f"),
        (SipHeaderId.To, "To", "t"),
        (SipHeaderId.CallId, "Call-ID", "i"),
        (SipHeaderId.CSeq, "CSeq", null),
        (SipHeaderId.Contact, "Contact", "m"),
        (SipHeaderId.MaxForwards, "Max-Forwards", null),
        (SipHeaderId.Route, "Route", null),
        (SipHeaderId.RecordRoute, "Record-Route", null),
        (SipHeaderId.ContentLength, "Content-Length", "l"),
        (SipHeaderId.ContentType, "Content-Type", "c"),
        (SipHeaderId.Expires, "Expires", null),
        (SipHeaderId.Require, "Require", null),
        (SipHeaderId.Supported, "Supported", "k"),
        (SipHeaderId.Accept, "Accept", null),
        (SipHeaderId.Authorization, "Authorization", null),
        (SipHeaderId.ProxyAuthorization, "Proxy-Authorization", null),
        (SipHeaderId.WwwAuthenticate, "WWW-Authenticate", null),
        (SipHeaderId.ProxyAuthenticate, "Proxy-Authenticate", null),
        (SipHeaderId.Reason, "Reason", null),
        (SipHeaderId.UserAgent, "User-Agent", null),
    ];

    private static readonly (SipHeaderId Id, byte[] Name)[][] ByLength = IndexByLength();

    /// <summary>The canonical name of a known header.</summary>
    public static string Of(SipHeaderId id)
    {
        foreach (var known in Known)
        {
            if (known.Id == id)
            {
                return known.Name;
            }
        }

        throw new ArgumentOutOfRangeException(nameof(id), id, "This id stands for no single header.");
    }

    internal static SipHeaderId Find(ReadOnlySpan<byte> name)
    {
        if (name.Length >= ByLength.Length)
        {
            return SipHeaderId.Other;
        }

        foreach (var candidate in ByLength[name.Length])
        {
            if (Ascii.EqualsIgnoreCase(candidate.Name, name))
            {
                return candidate.Id;
            }
        }

        return SipHeaderId.Other;
    }

    private static (SipHeaderId, byte[])[][] IndexByLength()
    {
        int longest = Known.Max(known => known.Name.Length);
        var index = new (SipHeaderId, byte[])[longest + 1][];
        for (int length = 0; length <= longest; length++)
        {
            index[length] = Known
                .SelectMany(known => new[] { (known.Id, known.Name), (known.Id, Name: known.Compact ?? "") })
                .Where(entry => entry.Name.Length == length && length > 0)
                .Select(entry => (entry.Id, Encoding.ASCII.GetBytes(entry.Name)))
                .ToArray();
        }

        return index;
    }
}
