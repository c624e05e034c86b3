using System.Net;

namespace Sentiric.Sip;

/// <summary>How a carrier wants to hear who calls (RFC 3325, and the draft before it that some still speak).</summary>
public enum TrunkIdentityHeader
{
    /// <summary>From alone.</summary>
    None,
    PAssertedIdentity,
    PPreferredIdentity,
    RemotePartyId,
}

/// <summary>What a carrier's equipment cannot bear or needs.</summary>
public sealed record TrunkProfile
{
    /// <summary>Names of codecs as in SDP, in order of preference; empty: all of ours.</summary>
    public IReadOnlyList<string> Codecs { get; init; } = [];

    /// <summary>RFC 4733 events may stand in SDP.</summary>
    public bool TelephoneEvent { get; init; } = true;

    /// <summary>Whether media is encrypted, in the words of whoever serves the media; absent: as it likes.</summary>
    public string? Srtp { get; init; }

    /// <summary>Record-Route goes back in responses (RFC 3261 12.1.1); some gear in front of a trunk chokes on it and finds its way without.</summary>
    public bool EchoesRecordRoute { get; init; } = true;

    public TrunkIdentityHeader Identity { get; init; } = TrunkIdentityHeader.PAssertedIdentity;
}

/// <summary>A carrier: whom we take calls from and give calls to.</summary>
public sealed record SipTrunk
{
    /// <summary>Unique; stands in logs and metrics.</summary>
    public required string Name { get; init; }

    /// <summary>Where its calls come from. Empty: it only takes calls.</summary>
    public IReadOnlyList<IPNetwork> Sources { get; init; } = [];

    /// <summary>Where our calls go: a domain or an address, its transport as in any URI. Null: it only sends calls.</summary>
    public SipUri? Target { get; init; }

    /// <summary>Answers the carrier's challenges, for calls and for the registration.</summary>
    public SipCredentials? Credentials { get; init; }

    /// <summary>The carrier must prove itself with this account before a call is taken.</summary>
    public SipAccount? Inbound { get; init; }

    /// <summary>It is within our trust domain (RFC 3325 4): who it says is calling is believed, and it hears who calls when the caller wants privacy.</summary>
    public bool IsTrusted { get; init; }

    /// <summary>We register there; null: the carrier knows our address.</summary>
    public RegistrationOptions? Registration { get; init; }

    /// <summary>Between two OPTIONS that ask whether it lives; null: nobody asks.</summary>
    public TimeSpan? OptionsEvery { get; init; }

    /// <summary>Lower ones get calls first.</summary>
    public int Priority { get; init; }

    /// <summary>Share of calls among trunks of one priority.</summary>
    public int Weight { get; init; } = 1;

    public TrunkProfile Profile { get; init; } = new();

    /// <summary>What calls over this trunk may cost, beside the rules for all of them; null: nothing more is asked.</summary>
    public TollRules? Toll { get; init; }

    /// <summary>The carrier transfers a call itself when it is asked by REFER; otherwise both legs stay here.</summary>
    public bool TakesRefer { get; init; }
}

/// <summary>All trunks, found by name and by where a message comes from.</summary>
public sealed class TrunkTable
{
    /// <summary>A source belongs to the trunk with the narrowest network; a look-up walks them all, so there are not many.</summary>
    public const int MaxNetworks = 1_024;

    private readonly (IPNetwork Network, SipTrunk Trunk)[] bySource;

    /// <exception cref="ArgumentException">Two trunks have one name or one network, or there are too many networks.</exception>
    public TrunkTable(IReadOnlyList<SipTrunk> trunks)
    {
        All = trunks;
        bySource = [.. trunks.SelectMany(trunk => trunk.Sources.Select(network => (network, trunk))).OrderByDescending(one => one.network.PrefixLength)];
        if (trunks.GroupBy(trunk => trunk.Name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new ArgumentException($"Two trunks have the name '{twice.Key}'.");
        }

        if (bySource.GroupBy(one => one.Network).FirstOrDefault(group => group.Count() > 1) is { } shared)
        {
            throw new ArgumentException($"{shared.Key} is a source of two trunks, {shared.First().Trunk.Name} and {shared.Last().Trunk.Name}.");
        }

        if (bySource.Length > MaxNetworks)
        {
            throw new ArgumentException($"There are more than {MaxNetworks} sources of trunks.");
        }
    }

    public static TrunkTable None { get; } = new([]);

    public IReadOnlyList<SipTrunk> All { get; }

    /// <summary>The trunk that sends from this address; null when none does.</summary>
    public SipTrunk? Find(IPAddress source)
    {
        IPAddress plain = source.IsIPv4MappedToIPv6 ? source.MapToIPv4() : source;
        foreach (var (network, trunk) in bySource)
        {
            if (network.Contains(plain))
            {
                return trunk;
            }
        }

        return null;
    }
}
