using System.Net;
using System.Net.Sockets;

namespace Sentiric.Sip;

/// <summary>Next hops and own addresses. Owned by the shard's queue.</summary>
internal sealed class SipRouting(SipShard shard)
{
    public const int DefaultPort = 5060;
    public const int DefaultTlsPort = 5061;
    private const int MaxRememberedRoutes = 256;

    /// <summary>For all questions of one name together.</summary>
    private static readonly TimeSpan ResolveTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Own address towards a remote, for listeners bound to all addresses.</summary>
    private readonly Dictionary<IPAddress, IPAddress> ownAddresses = [];

    private readonly SipLocator locator = shard.Options.Locator ?? SipLocator.OfThisMachine(shard.Options.TimeProvider);

    /// <summary>Where nobody answered a short while ago.</summary>
    public RestingTargets Resting { get; } = new(shard.Options.TimeProvider);

    /// <summary>
    /// Finds where a request to this URI goes and continues on the shard's queue: at once for an address, later for a name,
    /// with null when it is unreachable from here (unknown scheme or name, transport not bound).
    /// </summary>
    /// <param name="flow">The way the dialog came; taken for the transport when the URI names none, and for a live connection.</param>
    public void Resolve(SipUri uri, SipTransportKind? wanted, SipTarget? flow, Action<SipTarget?> then)
    {
        if (TryDirect(uri, ref wanted, flow, out string host, out SipTarget? direct))
        {
            then(direct);
        }
        else
        {
            ResolveName(host, uri, wanted, flow, then);
        }
    }

    /// <summary>The same with the other places to try, in order, when the first one fails (RFC 3263 4.3).</summary>
    public void ResolveAll(SipUri uri, SipTransportKind? wanted, SipTarget? flow, Action<SipTarget?, IReadOnlyList<SipTarget>> then)
    {
        if (TryDirect(uri, ref wanted, flow, out string host, out SipTarget? direct))
        {
            then(direct, []);
        }
        else
        {
            _ = LocateAsync(new SipLookup(host, uri.Port, uri.Scheme == "sips", wanted, Ways()), flow, then);
        }
    }

    /// <summary>The address that peers shall use for us on this way.</summary>
    public IPEndPoint AdvertisedAddress(SipTarget target)
    {
        IPEndPoint bound = target.Transport.LocalEndPoint;
        if (shard.Options.PublicAddress is { } configured && configured.AddressFamily == bound.AddressFamily)
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
            // RFC 7118 5.2.4 and 7: the parameter is ws for both; Via alone tells them apart.
            SipTransportKind.Ws or SipTransportKind.Wss => ";transport=ws",
        };
        string scheme = secure ? "sips" : "sip";
        return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"<{scheme}:{at}{SipUri.HostOf(own.Address)}:{own.Port}{transport}>");
    }

    public static int PortOf(SipTransportKind transport) => transport switch
    {
        SipTransportKind.Udp or SipTransportKind.Tcp => DefaultPort,
        SipTransportKind.Tls => DefaultTlsPort,
        SipTransportKind.Ws => 80,
        SipTransportKind.Wss => 443,
    };

    /// <summary>The live way that a flow names; null when it is gone.</summary>
    public SipTarget? TargetOf(SipFlow flow)
    {
        foreach (ISipTransport transport in shard.Transports)
        {
            if (transport.Kind == flow.Transport && transport.LocalEndPoint.AddressFamily == flow.Remote.AddressFamily && transport.IsConnected(flow.Remote))
            {
                return new SipTarget(transport, flow.Remote);
            }
        }

        return null;
    }

    /// <summary>TCP to the same address and port, for what no datagram should carry (RFC 3261 18.1.1); null when none is open here or it was refused lately.</summary>
    public SipTarget? StreamInsteadOf(SipTarget datagram)
    {
        ISipTransport? tcp = Bound(SipTransportKind.Tcp, datagram.Remote.AddressFamily, null);
        SipTarget? stream = tcp is null ? null : new SipTarget(tcp, datagram.Remote, datagram.Host);
        return stream is { } target && !Resting.Rests(target) ? stream : null;
    }

    /// <summary>True when no name has to be asked for: <paramref name="direct"/> is the address, or null when it cannot be reached from here.</summary>
    /// <param name="wanted">Becomes the transport that the URI names, or in a dialog that of its way.</param>
    private bool TryDirect(SipUri uri, ref SipTransportKind? wanted, SipTarget? flow, out string host, out SipTarget? direct)
    {
        host = "";
        direct = null;
        if (!uri.IsSip)
        {
            return true;
        }

        if (flow is { Transport.Kind: SipTransportKind.Ws or SipTransportKind.Wss } socket && IsOnFlow(uri))
        {
            bool isSafe = uri.Scheme != "sips" || socket.Transport.Kind == SipTransportKind.Wss;
            direct = isSafe && socket.Transport.IsConnected(socket.Remote) ? socket : null;
            return true;
        }

        if (!TryTransport(uri, ref wanted))
        {
            return true;
        }

        host = uri.Parameter("maddr") ?? uri.Host;
        wanted ??= uri.Scheme == "sips" ? null : flow?.Transport.Kind;
        if (!IPAddress.TryParse(host.AsSpan().Trim("[]"), out IPAddress? address))
        {
            return false;
        }

        if (flow is { } open && PrivateNetworks.Hide(address, open.Remote.Address) && (uri.Scheme != "sips" || open.Transport.Kind is SipTransportKind.Tls or SipTransportKind.Wss))
        {
            direct = open.Transport.IsConnected(open.Remote) ? open : null;
            return true;
        }

        SipTransportKind? kind = uri.Scheme == "sips" ? SipTransportKind.Tls : wanted;
        if (Bound(kind, address.AddressFamily, flow) is { } transport)
        {
            direct = WithFlow(transport, new IPEndPoint(address, uri.Port == 0 ? PortOf(transport.Kind) : uri.Port), host, flow);
        }

        return true;
    }

    /// <summary>A browser has no address (RFC 7118 5.2.3): what names no transport of its own goes back the way it came.</summary>
    private static bool IsOnFlow(SipUri uri) =>
        uri.Parameter("transport") is not { } transport || transport.Equals("ws", StringComparison.OrdinalIgnoreCase) || transport.Equals("wss", StringComparison.OrdinalIgnoreCase)
        || uri.Host.EndsWith(".invalid", StringComparison.OrdinalIgnoreCase);

    /// <summary>What sips asks for is never sent in clear (RFC 3261 26.2.2); what sip asks for may be. False: a transport that we do not have.</summary>
    private bool TryTransport(SipUri uri, ref SipTransportKind? wanted)
    {
        if (uri.Scheme == "sips")
        {
            // transport=tcp of a sips URI is TLS over it (RFC 3261 19.1.4, 26.2.2).
            wanted = wanted is not null || uri.HasParameter("transport") ? SipTransportKind.Tls : null;
            return IsBound(SipTransportKind.Tls);
        }

        if (uri.Parameter("transport") is { } parameter)
        {
            wanted = parameter.ToLowerInvariant() switch
            {
                "udp" => SipTransportKind.Udp,
                "tcp" => SipTransportKind.Tcp,
                "tls" => SipTransportKind.Tls,
                _ => null,
            };
            return wanted is { } named && IsBound(named);
        }

        return wanted is null || IsBound(wanted.Value);
    }

    private bool IsBound(SipTransportKind kind)
    {
        foreach (ISipTransport transport in shard.Transports)
        {
            if (transport.Kind == kind)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The open transport of this kind that reaches this family of addresses: that of the flow, else the first. No kind: UDP, or whatever there is.</summary>
    private ISipTransport? Bound(SipTransportKind? kind, AddressFamily family, SipTarget? flow)
    {
        if (flow is { } way && (kind is null || way.Transport.Kind == kind) && way.Transport.LocalEndPoint.AddressFamily == family)
        {
            return way.Transport;
        }

        ISipTransport? first = null;
        foreach (ISipTransport transport in shard.Transports)
        {
            if (transport.LocalEndPoint.AddressFamily == family && transport.Kind == (kind ?? SipTransportKind.Udp))
            {
                return transport;
            }

            first ??= transport.LocalEndPoint.AddressFamily == family ? transport : null;
        }

        return kind is null ? first : null;
    }

    private void ResolveName(string host, SipUri uri, SipTransportKind? wanted, SipTarget? flow, Action<SipTarget?> then) =>
        _ = LocateAsync(new SipLookup(host, uri.Port, uri.Scheme == "sips", wanted, Ways()), flow, (first, _) => then(first));

    private List<SipWay> Ways() => shard.Transports.Select(transport => new SipWay(transport.Kind, transport.LocalEndPoint.AddressFamily)).Distinct().ToList();

    /// <summary>A live connection to the same host serves in place of a new one (RFC 3261 18.1.1, RFC 5923 in spirit): the peer of the dialog is at its end.</summary>
    private static SipTarget WithFlow(ISipTransport transport, IPEndPoint remote, string host, SipTarget? flow)
    {
        bool reuse = flow is { } known && known.Transport.Kind != SipTransportKind.Udp && transport == known.Transport
            && known.Remote.Address.Equals(remote.Address) && transport.IsConnected(known.Remote)
            && (known.Remote.Equals(remote) || !transport.IsConnected(remote));
        return reuse ? new SipTarget(transport, flow!.Value.Remote) : new SipTarget(transport, remote, host);
    }

    private async Task LocateAsync(SipLookup lookup, SipTarget? flow, Action<SipTarget?, IReadOnlyList<SipTarget>> then)
    {
        IReadOnlyList<SipHop> hops = [];
        try
        {
            using var deadline = new CancellationTokenSource(ResolveTimeout, shard.Options.TimeProvider);
            hops = await locator.LocateAsync(lookup, deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            SipLog.NameNotResolved(shard.Options.Logger, lookup.Host, "No answer in time.");
        }
        catch (Exception fault)
        {
            // Whatever a locator of the application does, the request must get its end.
            SipLog.NameNotResolved(shard.Options.Logger, lookup.Host, fault.Message);
        }

        shard.Queue.Post(() => Continue(lookup, hops, flow, then));
    }

    private void Continue(SipLookup lookup, IReadOnlyList<SipHop> hops, SipTarget? flow, Action<SipTarget?, IReadOnlyList<SipTarget>> then)
    {
        var targets = new List<SipTarget>(hops.Count);
        foreach (SipHop hop in hops)
        {
            if (Bound(hop.Transport, hop.Address.AddressFamily, flow) is { } transport)
            {
                targets.Add(WithFlow(transport, hop.Address, lookup.Host, flow));
            }
        }

        targets = targets.Count > 1 ? Resting.Order(targets) : targets;
        then(targets.Count > 0 ? targets[0] : null, targets.Count > 1 ? targets[1..] : []);
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
