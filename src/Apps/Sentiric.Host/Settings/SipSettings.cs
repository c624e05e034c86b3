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
    }

    /// <summary>Sip:NameServers, comma separated addresses, with a port where it is not 53; empty: those of /etc/resolv.conf.</summary>
    public IReadOnlyList<IPEndPoint> NameServers { get; }

    private string[] List(string key) => (_configuration[key] ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static SettingsException Wrong(string key, string text, string needed) =>
        new($"{key.Replace(":", "__", StringComparison.Ordinal)} has '{text}': {needed}.");
}
