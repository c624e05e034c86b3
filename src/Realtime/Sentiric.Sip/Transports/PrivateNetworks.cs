using System.Net;
using System.Net.Sockets;

namespace Sentiric.Sip;

/// <summary>Addresses that mean something in their own network only (RFC 1918, 3927, 4193, 6598).</summary>
internal static class PrivateNetworks
{
    private static readonly IPNetwork[] Own =
    [
        IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("172.16.0.0/12"), IPNetwork.Parse("192.168.0.0/16"), IPNetwork.Parse("100.64.0.0/10"), IPNetwork.Parse("169.254.0.0/16"),
        IPNetwork.Parse("fc00::/7"), IPNetwork.Parse("fe80::/10"),
    ];

    /// <summary>
    /// True when somebody names an address of a network that we are not in, though we heard it from outside of such networks: a phone behind a NAT that does not know how it
    /// is seen. Only the way that it came leads back to it.
    /// </summary>
    /// <param name="named">Its contact.</param>
    /// <param name="heard">Where its messages came from.</param>
    public static bool Hide(IPAddress named, IPAddress heard) => Is(named) && !Is(heard);

    private static bool Is(IPAddress address)
    {
        IPAddress plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return plain.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6 && Own.Any(network => network.Contains(plain));
    }
}
