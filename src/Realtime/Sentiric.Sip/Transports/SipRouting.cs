using System.Net;
using System.Net.Sockets;

namespace Sentiric.Sip;

/// <summary>Next hops and own addresses. Names are resolved with A and AAAA records only.</summary>
internal sealed class SipRouting(SipShard shard)
{
    public const int DefaultPort = 5060;
    public const int DefaultTlsPort = 5061;
    private const int MaxRememberedRoutes = 256;
    private static readonly TimeSpan ResolveTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Own address towards a remote, for listeners bound to all addresses. Owned by the shard's queue.</summary>
    private readonly Dictionary<IPAddress, IPAddress> ownAddresses = [];

    /// <summary>
    /// Finds where a request to this URI goes and continues on the shard's queue: at once for an address, later for a name,
    /// with null when it is unreachable from here (unknown scheme or name, transport not bound).
    /// </summary>
    /// <param name="flow">The way the dialog came; taken for the transport when the URI names none, and for a live connection.</param>
    public void Resolve(SipUri uri, SipTransportKind? wanted, SipTarget? flow, Action<SipTarget?> then)
    {
        ISipTransport? transport = uri.Scheme is "sip" or "sips" ? PickTransport(uri, wanted, flow) : null;
        if (transport is null)
        {
            then(null);
            return;
        }

        string host = uri.Parameter("maddr") ?? uri.Host;
        int port = uri.Port == 0 ? PortOf(transport.Kind) : uri.Port;
        if (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address))
        {
            then(WithFlow(transport, new IPEndPoint(address, port), host, flow));
            return;
        }

        _ = ResolveNameAsync(host, transport, port, flow, then);
    }

    /// <summary>The address that peers shall use for us on this way.</summary>
    public IPEndPoint AdvertisedAddress(SipTarget target)
    {
        IPEndPoint bound = target.Transport.LocalEndPoint;
        if (shard.Options.PublicAddress is { } configured)
        {
            return new IPEndPoint(configured, bound.Port);
        }

        bool any = bound.Address.Equals(IPAddress.Any) || bound.Address.Equals(IPAddress.IPv6Any);
        return any ? new IPEndPoint(OwnAddressTowards(target.Remote.Address, bound.Address), bound.Port) : bound;
    }

    /// <param name="secure">The other side was asked for by a sips URI, so ours is one (RFC 3261 8.1.1.8, 12.1.1).</param>
    public string ContactFor(SipTarget target, string? user, bool secure = false)
    {
        IPEndPoint own = AdvertisedAddress(target);
        string at = string.IsNullOrEmpty(user) ? "" : SipUri.Escape(user) + "@";
        string transport = target.Transport.Kind switch
        {
            SipTransportKind.Udp => "",
            SipTransportKind.Tcp => ";transport=tcp",
            SipTransportKind.Tls => secure ? "" : ";transport=tls",
        };
        string scheme = secure ? "sips" : "sip";
        return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"<{scheme}:{at}{SipUri.HostOf(own.Address)}:{own.Port}{transport}>");
    }

    public static int PortOf(SipTransportKind transport) => transport == SipTransportKind.Tls ? DefaultTlsPort : DefaultPort;

    /// <summary>What sips asks for is never sent in clear (RFC 3261 26.2.2); what sip asks for may be.</summary>
    private ISipTransport? PickTransport(SipUri uri, SipTransportKind? wanted, SipTarget? flow)
    {
        if (uri.Scheme == "sips")
        {
            return Bound(SipTransportKind.Tls);
        }

        if (uri.Parameter("transport") is { } named)
        {
            return named.ToLowerInvariant() switch
            {
                "udp" => Bound(SipTransportKind.Udp),
                "tcp" => Bound(SipTransportKind.Tcp),
                "tls" => Bound(SipTransportKind.Tls),
                _ => null,
            };
        }

        return wanted is { } chosen ? Bound(chosen) : flow?.Transport ?? Bound(SipTransportKind.Udp) ?? shard.Transports.FirstOrDefault();
    }

    private ISipTransport? Bound(SipTransportKind kind) => shard.Transports.Find(transport => transport.Kind == kind);

    /// <summary>A live connection to the same host serves in place of a new one (RFC 3261 18.1.1, RFC 5923 in spirit): the peer of the dialog is at its end.</summary>
    private static SipTarget WithFlow(ISipTransport transport, IPEndPoint remote, string host, SipTarget? flow)
    {
        bool reuse = flow is { } known && known.Transport.Kind != SipTransportKind.Udp && transport == known.Transport
            && known.Remote.Address.Equals(remote.Address) && transport.IsConnected(known.Remote)
            && (known.Remote.Equals(remote) || !transport.IsConnected(remote));
        return reuse ? new SipTarget(transport, flow!.Value.Remote) : new SipTarget(transport, remote, host);
    }

    private async Task ResolveNameAsync(string host, ISipTransport transport, int port, SipTarget? flow, Action<SipTarget?> then)
    {
        SipTarget? target = null;
        try
        {
            using var deadline = new CancellationTokenSource(ResolveTimeout, shard.Options.TimeProvider);
            IPAddress[] addresses = await Dns.GetHostAddressesAsync(host, transport.LocalEndPoint.AddressFamily, deadline.Token).ConfigureAwait(false);
            target = addresses.Length == 0 ? null : WithFlow(transport, new IPEndPoint(addresses[0], port), host, flow);
        }
        catch (Exception fault) when (fault is SocketException or OperationCanceledException or ArgumentException)
        {
            shard.Noticed(transport, transport.LocalEndPoint, $"A host name could not be resolved: {fault.Message}");
        }

        shard.Queue.Post(() => then(target));
    }

    private IPAddress OwnAddressTowards(IPAddress remote, IPAddress bound)
    {
        if (ownAddresses.TryGetValue(remote, out IPAddress? known))
        {
            return known;
        }

        if (ownAddresses.Count >= MaxRememberedRoutes)
        {
            ownAddresses.Clear();
        }

        return ownAddresses[remote] = AskKernel(remote) ?? bound;
    }

    /// <summary>Connecting a UDP socket sends nothing; it makes the kernel choose the source address.</summary>
    private static IPAddress? AskKernel(IPAddress remote)
    {
        try
        {
            using var probe = new Socket(remote.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            probe.Connect(remote, DefaultPort);
            return (probe.LocalEndPoint as IPEndPoint)?.Address;
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
