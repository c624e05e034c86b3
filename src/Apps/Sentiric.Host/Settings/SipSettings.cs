using System.Net;
using Microsoft.Extensions.Configuration;
using Sentiric.Sip;

namespace Sentiric.Host.Settings;

/// <summary>What the sip role is told beside its listeners. A wrong value stops the start and names the setting.</summary>
public sealed class SipSettings
{
    private readonly IConfiguration _configuration;

    public SipSettings(IConfiguration configuration)
    {
        _configuration = configuration;
        NameServers = [.. List("Sip:NameServers").Select(text => DnsServers.TryParseServer(text, out var server)
            ? server : throw Wrong("Sip:NameServers", text, "addresses of name servers are needed, e.g. 10.0.0.2 or 10.0.0.2:5353"))];
        Trunks = Table();
        WebSocket = new SipWebSocketOptions { AllowedOrigins = [.. List("Sip:WebSocketOrigins").Select(Origin)] };
    }

    /// <summary>Sip:NameServers, comma separated addresses, with a port where it is not 53; empty: those of /etc/resolv.conf.</summary>
    public IReadOnlyList<IPEndPoint> NameServers { get; }

    /// <summary>
    /// Sip:Trunks:0:Name, :Sources (comma separated addresses or CIDR blocks), :Target (sip:carrier.example), :User and :Password (for its challenges), :Realm (of those),
    /// :Register (true: with :AddressOfRecord, default sip:User@host of the target, and :ExpiresSeconds 60..86400), :InboundUser and :InboundPassword (it must prove itself),
    /// :Trusted, :Priority, :Weight, :OptionsSeconds (0: nobody asks), :Codecs, :TelephoneEvent, :RecordRoute, :Identity (none, pai, ppi, rpid).
    /// </summary>
    public TrunkTable Trunks { get; }

    /// <summary>Sip:WebSocketOrigins, comma separated pages whose scripts may open a WebSocket ("https://phone.example"), or "*"; empty: no page may.</summary>
    public SipWebSocketOptions WebSocket { get; }

    private static string Origin(string text) =>
        text == SipWebSocketOptions.AnyOrigin || (Uri.TryCreate(text, UriKind.Absolute, out var page) && page.Scheme is "http" or "https" && page.GetLeftPart(UriPartial.Authority) == text)
            ? text : throw Wrong("Sip:WebSocketOrigins", text, "origins as a browser sends them are needed, e.g. https://phone.example, or *");

    private TrunkTable Table()
    {
        try
        {
            return new([.. _configuration.GetSection("Sip:Trunks").GetChildren().Select(section => new TrunkSettings(section).Trunk)]);
        }
        catch (ArgumentException e)
        {
            throw new SettingsException($"Sip__Trunks: {e.Message}");
        }
    }

    private string[] List(string key) => (_configuration[key] ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static SettingsException Wrong(string key, string text, string needed) =>
        new($"{key.Replace(":", "__", StringComparison.Ordinal)} has '{text}': {needed}.");
}
