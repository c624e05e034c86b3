using System.Net;
using System.Net.Sockets;

namespace Sentiric.Sip;

/// <summary>One place that a request may be sent to.</summary>
public sealed record SipHop(SipTransportKind Transport, IPEndPoint Address);

/// <summary>A kind of transport that is open here, for one family of addresses.</summary>
public readonly record struct SipWay(SipTransportKind Transport, AddressFamily Family);

/// <summary>What is looked for.</summary>
/// <param name="Host">A domain name, not an address.</param>
/// <param name="Port">0: none is named, so the name's services are asked for.</param>
/// <param name="Secure">Asked for by a sips URI.</param>
/// <param name="Transport">Named by the URI or chosen by the caller; null: the domain says.</param>
/// <param name="Ways">What is open here, the preferred first.</param>
public sealed record SipLookup(string Host, int Port, bool Secure, SipTransportKind? Transport, IReadOnlyList<SipWay> Ways);

/// <summary>
/// Finds the servers of a domain (RFC 3263 4): NAPTR says which transports it wants, SRV which hosts and ports, A and AAAA where they are. The list is in
/// the order in which they shall be tried. Thread-safe.
/// </summary>
/// <param name="dice">For the weights of SRV; a seeded one makes the order repeatable. Locked while it is used.</param>
/// <param name="hosts">Names that are known without asking, lower case.</param>
/// <param name="system">Asked for the addresses of names without a dot, and of those that the DNS does not know: search lists and other sources are the machine's affair. Null: nobody.</param>
public sealed class SipLocator(IDnsLookup dns, Random? dice = null, ILookup<string, IPAddress>? hosts = null, SystemNames? system = null)
{
    /// <summary>A request that failed at so many servers has failed.</summary>
    public const int MaxHops = 16;

    private static readonly (string Service, SipTransportKind Transport)[] NamingServices =
        [("SIP+D2U", SipTransportKind.Udp), ("SIP+D2T", SipTransportKind.Tcp), ("SIPS+D2T", SipTransportKind.Tls)];

    private readonly Random dice = dice ?? new Random();

    /// <summary>With the name servers, hosts file and resolver of this machine.</summary>
    /// <param name="servers">In place of the machine's.</param>
    public static SipLocator OfThisMachine(TimeProvider time, IReadOnlyList<IPEndPoint>? servers = null)
    {
        var client = new DnsClient(new DnsClientOptions { Servers = servers is { Count: > 0 } ? servers : DnsServers.OfThisMachine() }, time);
        return new SipLocator(new DnsCache(client, time), null, DnsServers.HostsOfThisMachine(), SystemAddressesAsync);
    }

    /// <summary>Empty when the name leads nowhere that can be reached from here.</summary>
    public async Task<IReadOnlyList<SipHop>> LocateAsync(SipLookup lookup, CancellationToken ct)
    {
        if (lookup.Port != 0 || !lookup.Host.Contains('.', StringComparison.Ordinal))
        {
            SipTransportKind transport = lookup.Transport ?? Default(lookup);
            return await AddressesAsync(lookup, lookup.Host, transport, lookup.Port == 0 ? SipRouting.PortOf(transport) : lookup.Port, ct).ConfigureAwait(false);
        }

        var (asked, services) = await ServicesAsync(lookup, ct).ConfigureAwait(false);
        if (asked)
        {
            return await ServersAsync(lookup, services, ct).ConfigureAwait(false);
        }

        SipTransportKind chosen = lookup.Transport ?? Default(lookup);
        return await AddressesAsync(lookup, lookup.Host, chosen, SipRouting.PortOf(chosen), ct).ConfigureAwait(false);
    }

    /// <summary>4.1: UDP for sip and TLS for sips, when nothing else is said.</summary>
    private static SipTransportKind Default(SipLookup lookup) => lookup.Secure ? SipTransportKind.Tls
        : Speaks(lookup, SipTransportKind.Udp) || lookup.Ways.Count == 0 ? SipTransportKind.Udp : lookup.Ways[0].Transport;

    private static bool Speaks(SipLookup lookup, SipTransportKind transport) =>
        lookup.Ways.Any(way => way.Transport == transport) && (!lookup.Secure || transport == SipTransportKind.Tls);

    /// <summary>The SRV records of the first transport that the domain offers and we have; false when it says nothing about services.</summary>
    private async Task<(bool Asked, List<(SipTransportKind Transport, IReadOnlyList<DnsService> Records)> Services)> ServicesAsync(SipLookup lookup, CancellationToken ct)
    {
        var found = new List<(SipTransportKind, IReadOnlyList<DnsService>)>();
        if (lookup.Transport is null)
        {
            DnsAnswer naming = await dns.AskAsync(lookup.Host, DnsRecordType.Naptr, ct).ConfigureAwait(false);
            if (naming.Outcome == DnsOutcome.Failed)
            {
                // A server that does not answer this will not answer the rest; the machine may know the host otherwise.
                return (false, found);
            }

            foreach (var (transport, name) in Offered(lookup, naming))
            {
                await AddServiceAsync(name, transport).ConfigureAwait(false);
            }

            if (found.Count > 0)
            {
                return (true, found);
            }
        }

        foreach (var (transport, name) in Usual(lookup))
        {
            if (await AddServiceAsync(name, transport).ConfigureAwait(false))
            {
                return (true, found);
            }
        }

        return (false, found);

        async Task<bool> AddServiceAsync(string name, SipTransportKind transport)
        {
            DnsAnswer answer = await dns.AskAsync(name, DnsRecordType.Srv, ct).ConfigureAwait(false);
            if (answer.Outcome == DnsOutcome.Found)
            {
                found.Add((transport, answer.Records.OfType<DnsService>().ToList()));
            }

            return answer.Outcome == DnsOutcome.Found;
        }
    }

    /// <summary>4.1: NAPTR by order and preference, those services that we speak; only flag "s" leads to SRV.</summary>
    private static IEnumerable<(SipTransportKind Transport, string Name)> Offered(SipLookup lookup, DnsAnswer naming) =>
        from record in naming.Records.OfType<DnsNaming>().OrderBy(one => one.Order).ThenBy(one => one.Preference)
        where record.Flags.Equals("s", StringComparison.OrdinalIgnoreCase) && record.Replacement.Length > 0
        from service in NamingServices
        where service.Service.Equals(record.Service, StringComparison.OrdinalIgnoreCase) && Speaks(lookup, service.Transport)
        select (service.Transport, record.Replacement);

    private static IEnumerable<(SipTransportKind Transport, string Name)> Usual(SipLookup lookup)
    {
        SipTransportKind[] wanted = lookup.Transport is { } one ? [one] : [SipTransportKind.Udp, SipTransportKind.Tcp, SipTransportKind.Tls];
        return wanted.Where(transport => lookup.Transport is not null || Speaks(lookup, transport)).Select(transport => (transport, transport switch
        {
            SipTransportKind.Udp => "_sip._udp." + lookup.Host,
            SipTransportKind.Tcp => "_sip._tcp." + lookup.Host,
            SipTransportKind.Tls => "_sips._tcp." + lookup.Host,
            SipTransportKind.Ws => "_sip._ws." + lookup.Host,
            SipTransportKind.Wss => "_sips._ws." + lookup.Host,
        }));
    }

    private async Task<IReadOnlyList<SipHop>> ServersAsync(
        SipLookup lookup, List<(SipTransportKind Transport, IReadOnlyList<DnsService> Records)> services, CancellationToken ct)
    {
        var hops = new List<SipHop>();
        foreach (var (transport, records) in services)
        {
            foreach (DnsService server in InOrder(records).Where(one => one.Target.Length > 0))
            {
                hops.AddRange(await AddressesAsync(lookup, server.Target, transport, server.Port, ct).ConfigureAwait(false));
                if (hops.Count >= MaxHops)
                {
                    return hops[..MaxHops];
                }
            }
        }

        return hops;
    }

    private List<DnsService> InOrder(IReadOnlyList<DnsService> records)
    {
        lock (dice)
        {
            return ServiceOrder.Of(records, dice);
        }
    }

    /// <summary>IPv6 first where it is open here (RFC 6724, RFC 7984 4): the next address is tried when it leads nowhere.</summary>
    private async Task<List<SipHop>> AddressesAsync(SipLookup lookup, string name, SipTransportKind transport, int port, CancellationToken ct)
    {
        var families = lookup.Ways.Where(way => way.Transport == transport).Select(way => way.Family).Distinct().OrderByDescending(family => family == AddressFamily.InterNetworkV6).ToList();
        if (families.Count == 0)
        {
            return [];
        }

        var addresses = hosts?[name.ToLowerInvariant()].ToList() ?? [];
        if (addresses.Count == 0 && name.Contains('.', StringComparison.Ordinal))
        {
            foreach (AddressFamily family in families)
            {
                DnsAnswer answer = await dns.AskAsync(name, family == AddressFamily.InterNetwork ? DnsRecordType.A : DnsRecordType.Aaaa, ct).ConfigureAwait(false);
                addresses.AddRange(answer.Records.OfType<DnsAddress>().Select(one => one.Address));
            }
        }

        if (addresses.Count == 0 && system is not null)
        {
            addresses.AddRange(await system(name, ct).ConfigureAwait(false));
        }

        return addresses.Where(address => families.Contains(address.AddressFamily)).OrderBy(address => families.IndexOf(address.AddressFamily))
            .Take(MaxHops).Select(address => new SipHop(transport, new IPEndPoint(address, port))).ToList();
    }

    private static async Task<IReadOnlyList<IPAddress>> SystemAddressesAsync(string name, CancellationToken ct)
    {
        try
        {
            return await Dns.GetHostAddressesAsync(name, ct).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is SocketException or ArgumentException)
        {
            // Unknown to the machine as well, or no host name at all: no address.
            return [];
        }
    }
}

/// <summary>The machine's own way from a name to addresses; empty when it knows none.</summary>
public delegate Task<IReadOnlyList<IPAddress>> SystemNames(string name, CancellationToken ct);
