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
        "OptionsSeconds", "Codecs", "TelephoneEvent", "Srtp", "RecordRoute", "Identity", "Refer", "Toll",
    ];

    private readonly SettingsReader _read;

    public TrunkSettings(IConfigurationSection section)
    {
        _read = new(section);
        if (section.GetChildren().FirstOrDefault(one => !Known.Contains(one.Key, StringComparer.OrdinalIgnoreCase)) is { } unknown)
        {
            throw new SettingsException($"{_read.Name(unknown.Key)} is no setting of a trunk: {string.Join(", ", Known)} are.");
        }

        var target = _read.Text("Target") is null ? null : Uri("Target");
        var credentials = Credentials();
        Trunk = new SipTrunk
        {
            Name = _read.Text("Name") is { Length: <= MaxName } name ? name : throw _read.Wrong("Name", "a name of 1 to 40 characters is needed"),
            Sources = _read.Networks("Sources"),
            Target = target,
            Credentials = credentials,
            Inbound = Inbound(),
            IsTrusted = _read.Switch("Trusted", false),
            Registration = _read.Switch("Register", false) ? Registration(target, credentials) : null,
            OptionsEvery = _read.Number("OptionsSeconds", 0, 0, 3600) is var seconds and > 0 ? TimeSpan.FromSeconds(seconds) : null,
            Priority = _read.Number("Priority", 0, 0, 65_535),
            Weight = _read.Number("Weight", 1, 0, 65_535),
            Profile = new TrunkProfile
            {
                Codecs = [.. _read.Codecs("Codecs").Select(codec => codec.EncodingName())],
                TelephoneEvent = _read.Switch("TelephoneEvent", true),
                Srtp = _read.Text("Srtp") is not { } srtp || SrtpPolicies.Parse(srtp) is not null ? _read.Text("Srtp") : throw _read.Wrong("Srtp", "never, offered or required is needed"),
                EchoesRecordRoute = _read.Switch("RecordRoute", true),
                Identity = Identity(),
            },
            Toll = TollSettings.OfTrunk(section.GetSection("Toll")),
            TakesRefer = _read.Switch("Refer"),
        };
    }

    public SipTrunk Trunk { get; }

    private SipCredentials? Credentials() => _read.Text("User") is not { } user
        ? null
        : new SipCredentials(user, _read.Text("Password") ?? throw _read.Wrong("Password", "the user needs a password"), _read.Text("Realm"));

    private SipAccount? Inbound() => _read.Text("InboundUser") is not { } user
        ? null
        : SipAccount.Create(TrunkRealm.Name, user, _read.Text("InboundPassword") ?? throw _read.Wrong("InboundPassword", "the user needs a password"));

    private RegistrationOptions Registration(SipUri? target, SipCredentials? credentials)
    {
        if (target is null || credentials is null)
        {
            throw _read.Wrong("Register", "a registration needs Target, User and Password");
        }

        return new()
        {
            AddressOfRecord = _read.Text("AddressOfRecord") is null ? SipUri.Create(credentials.UserName, target.Host) : Uri("AddressOfRecord"),
            Registrars = [target],
            Credentials = credentials,
            Expires = TimeSpan.FromSeconds(_read.Number("ExpiresSeconds", 3600, 60, 86_400)),
        };
    }

    private TrunkIdentityHeader Identity() => (_read.Text("Identity") ?? "pai").ToLowerInvariant() switch
    {
        "none" => TrunkIdentityHeader.None,
        "pai" => TrunkIdentityHeader.PAssertedIdentity,
        "ppi" => TrunkIdentityHeader.PPreferredIdentity,
        "rpid" => TrunkIdentityHeader.RemotePartyId,
        _ => throw _read.Wrong("Identity", "none, pai, ppi or rpid is needed"),
    };

    private SipUri Uri(string key) => SipUri.TryParse(_read.Text(key) ?? "", out var uri) && uri.IsSip && uri.Host.Length > 0 ? uri : throw _read.Wrong(key, "a SIP URI is needed, e.g. sip:carrier.example");
}
