using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.Extensions.Configuration;
using Sentiric.Sip;

namespace Sentiric.Host.Settings;

/// <summary>What the sip role is told beside its listeners. A wrong value stops the start and names the setting.</summary>
public sealed class SipSettings
{
    private readonly SettingsReader _read;

    public SipSettings(IConfiguration configuration)
    {
        _read = new(configuration);
        NameServers = [.. _read.List("Sip:NameServers").Select(text => DnsServers.TryParseServer(text, out var server)
            ? server : throw _read.Wrong("Sip:NameServers", text, "addresses of name servers are needed, e.g. 10.0.0.2 or 10.0.0.2:5353"))];
        Trunks = Table(configuration.GetSection("Sip:Trunks"));
        Toll = TollSettings.Overall(configuration.GetSection("Sip:Toll"));
        KeepsMessages = _read.Switch("Sip:KeepMessages");
        Hep = Mirror();
        WebSocket = new SipWebSocketOptions { AllowedOrigins = [.. _read.List("Sip:WebSocketOrigins").Select(Origin)] };
    }

    /// <summary>Sip:NameServers, comma separated addresses, with a port where it is not 53; empty: those of /etc/resolv.conf.</summary>
    public IReadOnlyList<IPEndPoint> NameServers { get; }

    /// <summary>
    /// Sip:Trunks:0:Name, :Sources (comma separated addresses or CIDR blocks), :Target (sip:carrier.example), :User and :Password (for its challenges), :Realm (of those),
    /// :Register (true: with :AddressOfRecord, default sip:User@host of the target, and :ExpiresSeconds 60..86400), :InboundUser and :InboundPassword (it must prove itself),
    /// :Trusted, :Priority, :Weight, :OptionsSeconds (0: nobody asks), :Codecs, :TelephoneEvent, :RecordRoute, :Identity (none, pai, ppi, rpid),
    /// :Refer (true: the carrier transfers calls itself when it is asked), :Toll (rules of its own, named as in Sip:Toll).
    /// </summary>
    public TrunkTable Trunks { get; }

    /// <summary>Sip:Toll:Allow, :Deny, :MaxConcurrent, :MinutesPerDay, :MinutesPerCall, :TimeZone: what outgoing calls may cost together; without :Allow there are none.</summary>
    public TollRules Toll { get; }

    /// <summary>Sip:WebSocketOrigins, comma separated pages whose scripts may open a WebSocket ("https://phone.example"), or "*"; empty: no page may.</summary>
    public SipWebSocketOptions WebSocket { get; }

    /// <summary>Sip:KeepMessages "true": the SIP messages of a call are stored with it, masked, and can be exported as pcap; absent: only the first line of each.</summary>
    public bool KeepsMessages { get; }

    /// <summary>
    /// Sip:HepServer "host:port" of a capture server that gets every SIP message as it is, unmasked, over UDP in clear (HEPv3); absent: none. With Sip:HepCaptureId
    /// 0..4294967295 (0) that names this process there, and Sip:HepPassword that some servers ask for.
    /// </summary>
    public HepOptions? Hep { get; }

    private HepOptions? Mirror()
    {
        var (id, password) = (_read.Text("Sip:HepCaptureId") ?? "", _read.Text("Sip:HepPassword") ?? "");
        if (_read.Text("Sip:HepServer") is not { } server)
        {
            return id.Length + password.Length == 0 ? null : throw new SettingsException("Sip__HepServer is not set, but Sip__HepCaptureId or Sip__HepPassword is: 'host:port' of the capture server is needed.");
        }

        var colon = server.LastIndexOf(':');
        var host = colon < 0 ? "" : server[..colon];
        if (!ushort.TryParse(server.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0
            || Uri.CheckHostName(host) == UriHostNameType.Unknown || (host.Contains(':', StringComparison.Ordinal) && !host.StartsWith('[')))
        {
            throw _read.Wrong("Sip:HepServer", server, "'host:port' of the capture server is needed, e.g. 10.0.0.9:9060 or [2001:db8::9]:9060");
        }

        if (Encoding.UTF8.GetByteCount(password) > HepOptions.MaxPasswordBytes)
        {
            throw new SettingsException($"Sip__HepPassword is longer than {HepOptions.MaxPasswordBytes} bytes.");
        }

        return new(host.Trim('[', ']'), port)
        {
            CaptureId = id.Length == 0 ? 0 : uint.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? number : throw _read.Wrong("Sip:HepCaptureId", id, "a whole number from 0 to 4294967295 is needed"),
            Password = password.Length == 0 ? null : password,
        };
    }

    private string Origin(string text) =>
        text == SipWebSocketOptions.AnyOrigin || (Uri.TryCreate(text, UriKind.Absolute, out var page) && page.Scheme is "http" or "https" && page.GetLeftPart(UriPartial.Authority) == text)
            ? text : throw _read.Wrong("Sip:WebSocketOrigins", text, "origins as a browser sends them are needed, e.g. https://phone.example, or *");

    private static TrunkTable Table(IConfigurationSection trunks)
    {
        try
        {
            return new([.. trunks.GetChildren().Select(section => new TrunkSettings(section).Trunk)]);
        }
        catch (ArgumentException e)
        {
            throw new SettingsException($"Sip__Trunks: {e.Message}");
        }
    }
}
