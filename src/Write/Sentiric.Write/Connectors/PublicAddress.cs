using System.Net;
using System.Net.Sockets;

namespace Sentiric.Write.Connectors;

/// <summary>
/// Addresses of the public internet. What a tenant names must not lead into the network in which the platform runs
/// (IANA special-purpose registries of RFC 6890).
/// </summary>
public static class PublicAddress
{
    private static readonly IPNetwork[] NotPublic =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
            "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            // Inside global unicast: Teredo, documentation and 6to4 wrap or stand for other addresses.
            "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
        }.Select(IPNetwork.Parse),
    ];

    // Everything outside 2000::/3 (loopback, link-local, unique local, multicast, NAT64) is not global unicast.
    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");

    public static bool Is(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return (plain.AddressFamily == AddressFamily.InterNetwork || GlobalUnicast.Contains(plain)) && !Array.Exists(NotPublic, n => n.Contains(plain));
    }
}
