using System.Text;

namespace Sentiric.Sip;

/// <summary>What a caller keeps private (RFC 3323 4.2, RFC 3325 9.3).</summary>
[Flags]
public enum SipPrivacy
{
    None = 0,
    Header = 1,
    Session = 2,
    User = 4,
    Id = 8,
    Critical = 16,
}

/// <summary>One station that a call was diverted from (RFC 5806), the last one first.</summary>
public sealed record SipDiversion(SipUri From, string Reason, int Counter);

/// <summary>
/// Who calls, as far as it can be believed. From within a trust domain: what the network asserts (RFC 3325). From outside: From alone, and whatever else such
/// a request says about its caller is not even read, for anybody can write it.
/// </summary>
public sealed record SipIdentity
{
    private static readonly string[] IdentityHeaders = ["P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID", "Privacy", "Diversion"];

    /// <summary>Asserted by a network that we trust; empty when none is. At most one SIP and one tel URI (RFC 3325 9.1).</summary>
    public IReadOnlyList<NameAddr> Asserted { get; init; } = [];

    public SipPrivacy Privacy { get; init; }

    public IReadOnlyList<SipDiversion> Diversions { get; init; } = [];

    /// <summary>What From says.</summary>
    public required NameAddr From { get; init; }

    /// <summary>Whom to take for the caller: the asserted SIP identity, else tel, else From.</summary>
    public NameAddr Caller => Asserted.FirstOrDefault(one => one.Uri.IsSip) ?? Asserted.FirstOrDefault() ?? From;

    /// <summary>The caller may be known to us, but nobody else may be told (RFC 3325 7).</summary>
    public bool IsWithheld => (Privacy & (SipPrivacy.Id | SipPrivacy.User | SipPrivacy.Header)) != 0;

    /// <summary>Reads what the source may say.</summary>
    public static SipIdentity Of(SipRequest request, bool trusted)
    {
        if (!trusted)
        {
            return new SipIdentity { From = request.From };
        }

        return new SipIdentity
        {
            From = request.From,
            Asserted = Identities(request),
            Privacy = PrivacyOf(request),
            Diversions = Addresses(request, "Diversion").Select(one => new SipDiversion(
                one.Uri, one.Parameter("reason")?.Trim('"') ?? "unknown", int.TryParse(one.Parameter("counter"), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int counter) ? counter : 1)).ToList(),
        };
    }

    /// <summary>True for headers that must not travel on to whom we do not trust (RFC 3325 5 and 6).</summary>
    public static bool IsIdentityHeader(string name) => IdentityHeaders.Contains(name, StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// From and headers of a call to a trunk: the identity in the header that it wants, From anonymous when the caller wants it. A trunk outside of our trust domain
    /// is not told an identity that is withheld (RFC 3325 7).
    /// </summary>
    public static (NameAddr From, IReadOnlyList<KeyValuePair<string, string>> Headers) Present(NameAddr caller, bool withheld, SipTrunk trunk)
    {
        NameAddr from = withheld ? NameAddr.Create("Anonymous", SipUri.Parse("sip:anonymous@anonymous.invalid")) : caller;
        string identity = NameAddr.Create(caller.Display, caller.Uri).ToString();
        var headers = new List<KeyValuePair<string, string>>();
        if (!withheld || trunk.IsTrusted)
        {
            switch (trunk.Profile.Identity)
            {
                case TrunkIdentityHeader.None:
                    break;
                case TrunkIdentityHeader.PAssertedIdentity:
                    headers.Add(new("P-Asserted-Identity", identity));
                    break;
                case TrunkIdentityHeader.PPreferredIdentity:
                    headers.Add(new("P-Preferred-Identity", identity));
                    break;
                case TrunkIdentityHeader.RemotePartyId:
                    headers.Add(new("Remote-Party-ID", $"{identity};party=calling;screen=yes;privacy={(withheld ? "full" : "off")}"));
                    break;
            }
        }

        if (withheld)
        {
            headers.Add(new("Privacy", "id"));
        }

        return (from, headers);
    }

    /// <summary>RFC 3325 9.1: one value, or two of which one is SIP and one is tel; anything else asserts nothing.</summary>
    private static List<NameAddr> Identities(SipRequest request)
    {
        List<NameAddr> all = Addresses(request, "P-Asserted-Identity");
        bool lawful = all.Count <= 2 && all.Count(one => one.Uri.IsSip) <= 1 && all.Count(one => one.Uri.Scheme == "tel") <= 1 && all.TrueForAll(one => one.Uri.IsSip || one.Uri.Scheme == "tel");
        return lawful ? all : [];
    }

    /// <summary>Malformed lines say nothing.</summary>
    private static List<NameAddr> Addresses(SipRequest request, string name)
    {
        var all = new List<NameAddr>();
        foreach (string line in request.Headers(name))
        {
            var values = new List<NameAddr>();
            byte[] wire = Encoding.Latin1.GetBytes(WireText.FromText(line));
            if (NameAddr.TryParseList(wire, new WirePart(0, wire.Length), values))
            {
                all.AddRange(values);
            }
        }

        return all;
    }

    private static SipPrivacy PrivacyOf(SipRequest request)
    {
        SipPrivacy privacy = SipPrivacy.None;
        foreach (string value in request.Headers("Privacy").SelectMany(line => line.Split((char[])[';', ','], StringSplitOptions.TrimEntries)))
        {
            privacy |= value.ToLowerInvariant() switch
            {
                "header" => SipPrivacy.Header,
                "session" => SipPrivacy.Session,
                "user" => SipPrivacy.User,
                "id" => SipPrivacy.Id,
                "critical" => SipPrivacy.Critical,
                _ => SipPrivacy.None,
            };
        }

        return privacy;
    }
}
