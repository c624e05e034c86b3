using System.Globalization;
using System.Net;
using Microsoft.Extensions.Configuration;
using Sentiric.Media;
using Sentiric.Sip;

namespace Sentiric.Host.Settings;

/// <summary>One section Sip:Trunks:n as the stack wants it.</summary>
internal sealed class TrunkSettings
{
    private const int MaxName = 40;
    private static readonly string[] Known =
    [
        "Name", "Sources", "Target", "User", "Password", "Realm", "Register", "AddressOfRecord", "ExpiresSeconds", "InboundUser", "InboundPassword", "Trusted", "Priority", "Weight",
        "OptionsSeconds", "Codecs", "TelephoneEvent", "RecordRoute", "Identity",
    ];

    private readonly IConfigurationSection _section;

    public TrunkSettings(IConfigurationSection section)
    {
        _section = section;
        if (section.GetChildren().FirstOrDefault(one => !Known.Contains(one.Key, StringComparer.OrdinalIgnoreCase)) is { } unknown)
        {
            throw new SettingsException($"{Name(unknown.Key)} is no setting of a trunk: {string.Join(", ", Known)} are.");
        }

        var target = Text("Target") is null ? null : Uri("Target");
        var credentials = Credentials();
        Trunk = new SipTrunk
        {
            Name = Text("Name") is { Length: <= MaxName } name ? name : throw Wrong("Name", "a name of 1 to 40 characters is needed"),
            Sources = [.. List("Sources").Select(Network)],
            Target = target,
            Credentials = credentials,
            Inbound = Inbound(),
            IsTrusted = Switch("Trusted", false),
            Registration = Switch("Register", false) ? Registration(target, credentials) : null,
            OptionsEvery = Number("OptionsSeconds", 0, 0, 3600) is var seconds and > 0 ? TimeSpan.FromSeconds(seconds) : null,
            Priority = Number("Priority", 0, 0, 65_535),
            Weight = Number("Weight", 1, 0, 65_535),
            Profile = new TrunkProfile
            {
                Codecs = [.. List("Codecs").Select(Codec)],
                TelephoneEvent = Switch("TelephoneEvent", true),
                EchoesRecordRoute = Switch("RecordRoute", true),
                Identity = Identity(),
            },
        };
    }

    public SipTrunk Trunk { get; }

    private SipCredentials? Credentials() => Text("User") is not { } user
        ? null
        : new SipCredentials(user, Text("Password") ?? throw Wrong("Password", "the user needs a password"), Text("Realm"));

    private SipAccount? Inbound() => Text("InboundUser") is not { } user
        ? null
        : SipAccount.Create(TrunkRealm.Name, user, Text("InboundPassword") ?? throw Wrong("InboundPassword", "the user needs a password"));

    private RegistrationOptions Registration(SipUri? target, SipCredentials? credentials)
    {
        if (target is null || credentials is null)
        {
            throw Wrong("Register", "a registration needs Target, User and Password");
        }

        return new()
        {
            AddressOfRecord = Text("AddressOfRecord") is null ? SipUri.Create(credentials.UserName, target.Host) : Uri("AddressOfRecord"),
            Registrars = [target],
            Credentials = credentials,
            Expires = TimeSpan.FromSeconds(Number("ExpiresSeconds", 3600, 60, 86_400)),
        };
    }

    private TrunkIdentityHeader Identity() => (Text("Identity") ?? "pai").ToLowerInvariant() switch
    {
        "none" => TrunkIdentityHeader.None,
        "pai" => TrunkIdentityHeader.PAssertedIdentity,
        "ppi" => TrunkIdentityHeader.PPreferredIdentity,
        "rpid" => TrunkIdentityHeader.RemotePartyId,
        _ => throw Wrong("Identity", "none, pai, ppi or rpid is needed"),
    };

    private SipUri Uri(string key) => SipUri.TryParse(Text(key) ?? "", out var uri) && uri.IsSip && uri.Host.Length > 0 ? uri : throw Wrong(key, "a SIP URI is needed, e.g. sip:carrier.example");

    private string Codec(string name) => Enum.GetValues<AudioCodec>().Select(codec => codec.EncodingName()).FirstOrDefault(known => known.Equals(name, StringComparison.OrdinalIgnoreCase))
        ?? throw Wrong("Codecs", $"only {string.Join(", ", Enum.GetValues<AudioCodec>().Select(codec => codec.EncodingName()))} are spoken here");

    private IPNetwork Network(string text) =>
        IPNetwork.TryParse(text, out var network) ? network
        : IPAddress.TryParse(text, out var address) ? new IPNetwork(address, address.GetAddressBytes().Length * 8)
        : throw Wrong("Sources", "addresses or CIDR blocks are needed, e.g. 203.0.113.0/24");

    private int Number(string key, int fallback, int from, int to) => Text(key) is not { } text ? fallback
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= from && number <= to ? number
        : throw Wrong(key, $"a whole number from {from} to {to} is needed");

    private bool Switch(string key, bool fallback) => Text(key) is not { } text ? fallback : bool.TryParse(text, out var on) ? on : throw Wrong(key, "true or false is needed");

    private string[] List(string key) => (Text(key) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private string? Text(string key) => _section[key] is { Length: > 0 } text ? text : null;

    private string Name(string key) => $"{_section.Path.Replace(":", "__", StringComparison.Ordinal)}__{key}";

    // A password is not repeated.
    private SettingsException Wrong(string key, string needed) =>
        new(key.EndsWith("Password", StringComparison.Ordinal) ? $"{Name(key)}: {needed}." : $"{Name(key)} is '{Text(key)}': {needed}.");
}
