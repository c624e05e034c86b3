using System.Net;
using System.Net.Sockets;
using Sentiric.Sip;
using Sentiric.Sip.Tests.Kit;

namespace Sentiric.Sip.Tests.Locating;

/// <summary>RFC 3263 4, rule by rule.</summary>
public sealed class LocatorTests
{
    private static readonly SipWay[] All =
    [
        new(SipTransportKind.Udp, AddressFamily.InterNetwork), new(SipTransportKind.Tcp, AddressFamily.InterNetwork), new(SipTransportKind.Tls, AddressFamily.InterNetwork),
    ];

    private readonly FakeZone zone = new();

    [Fact]
    public async Task Naptr_chooses_the_transport_and_srv_the_servers()
    {
        // The example of RFC 3263 4.1 and 4.2.
        zone.Naptr("example.com", 50, 50, "SIPS+D2T", "_sips._tcp.example.com");
        zone.Naptr("example.com", 90, 50, "SIP+D2T", "_sip._tcp.example.com");
        zone.Naptr("example.com", 100, 50, "SIP+D2U", "_sip._udp.example.com");
        zone.Srv("_sip._tcp.example.com", 0, 1, 5060, "server1.example.com");
        zone.Srv("_sip._tcp.example.com", 1, 2, 5080, "server2.example.com");
        zone.Host("server1.example.com", "192.0.2.1");
        zone.Host("server2.example.com", "192.0.2.2");
        Assert.Equal(["Tcp 192.0.2.1:5060", "Tcp 192.0.2.2:5080"], await LocateAsync(new("example.com", 0, false, null, All[..2])));
    }

    [Fact]
    public async Task Sips_takes_only_what_is_secure()
    {
        zone.Naptr("example.com", 10, 50, "SIP+D2U", "_sip._udp.example.com");
        zone.Naptr("example.com", 20, 50, "SIPS+D2T", "_sips._tcp.example.com");
        zone.Srv("_sip._udp.example.com", 0, 0, 5060, "a.example.com");
        zone.Srv("_sips._tcp.example.com", 0, 0, 5061, "a.example.com");
        zone.Host("a.example.com", "192.0.2.1");
        Assert.Equal(["Tls 192.0.2.1:5061"], await LocateAsync(new("example.com", 0, true, null, All)));
        Assert.Equal(["Udp 192.0.2.1:5060", "Tls 192.0.2.1:5061"], await LocateAsync(new("example.com", 0, false, null, All)));
    }

    [Fact]
    public async Task Without_naptr_the_services_of_our_transports_are_asked_for_in_turn()
    {
        zone.Srv("_sip._tcp.example.com", 0, 0, 5066, "a.example.com");
        zone.Host("a.example.com", "192.0.2.1");
        Assert.Equal(["Tcp 192.0.2.1:5066"], await LocateAsync(new("example.com", 0, false, null, All)));
        Assert.Equal(["Naptr example.com", "Srv _sip._udp.example.com", "Srv _sip._tcp.example.com", "A a.example.com"], zone.Asked);
    }

    [Fact]
    public async Task Without_services_the_host_itself_is_asked_on_the_usual_port()
    {
        zone.Host("example.com", "192.0.2.9");
        Assert.Equal(["Udp 192.0.2.9:5060"], await LocateAsync(new("example.com", 0, false, null, All)));
        Assert.Equal(["Tls 192.0.2.9:5061"], await LocateAsync(new("example.com", 0, true, null, All)));
        Assert.Equal(["Tcp 192.0.2.9:5060"], await LocateAsync(new("example.com", 0, false, SipTransportKind.Tcp, All)));
    }

    [Fact]
    public async Task A_port_or_a_transport_in_the_uri_leaves_fewer_questions()
    {
        zone.Host("example.com", "192.0.2.9");
        Assert.Equal(["Udp 192.0.2.9:5080"], await LocateAsync(new("example.com", 5080, false, null, All)));
        Assert.Equal(["A example.com"], zone.Asked);
        zone.Asked.Clear();
        zone.Srv("_sip._tcp.example.com", 0, 0, 5066, "example.com");
        Assert.Equal(["Tcp 192.0.2.9:5066"], await LocateAsync(new("example.com", 0, false, SipTransportKind.Tcp, All)));
        Assert.DoesNotContain(zone.Asked, asked => asked.StartsWith("Naptr", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_service_that_is_not_offered_leads_nowhere()
    {
        zone.Srv("_sip._udp.example.com", 0, 0, 0, "");
        zone.Host("example.com", "192.0.2.9");
        Assert.Empty(await LocateAsync(new("example.com", 0, false, SipTransportKind.Udp, All)));
    }

    [Fact]
    public async Task Foreign_flags_and_services_are_passed_over()
    {
        zone.Naptr("example.com", 1, 1, "E2U+sip", "", flags: "u");
        zone.Naptr("example.com", 2, 1, "SIP+D2S", "_sip._sctp.example.com");
        zone.Naptr("example.com", 3, 1, "SIP+D2U", "elsewhere.example.com", flags: "a");
        zone.Host("example.com", "192.0.2.9");
        Assert.Equal(["Udp 192.0.2.9:5060"], await LocateAsync(new("example.com", 0, false, null, All)));
    }

    [Fact]
    public async Task Both_families_are_asked_for_where_both_are_open_and_ipv6_comes_first()
    {
        zone.Host("example.com", "192.0.2.9");
        zone.Host("example.com", "2001:db8::9");
        SipWay[] both = [new(SipTransportKind.Udp, AddressFamily.InterNetwork), new(SipTransportKind.Udp, AddressFamily.InterNetworkV6)];
        Assert.Equal(["Udp [2001:db8::9]:5060", "Udp 192.0.2.9:5060"], await LocateAsync(new("example.com", 5060, false, null, both)));
        Assert.Equal(["Udp 192.0.2.9:5060"], await LocateAsync(new("example.com", 5060, false, null, All)));
    }

    [Fact]
    public async Task Names_without_a_dot_and_those_of_the_hosts_file_need_no_name_server()
    {
        ILookup<string, IPAddress> hosts = DnsServers.ParseHosts(["10.0.0.5 trunk.example"]);
        var locator = new SipLocator(zone, null, hosts, (name, _) => Task.FromResult<IReadOnlyList<IPAddress>>(name == "kamailio" ? [IPAddress.Parse("10.0.0.6")] : []));
        Assert.Equal(["Udp 10.0.0.6:5060"], Show(await locator.LocateAsync(new("kamailio", 0, false, null, All), default)));
        Assert.Empty(zone.Asked);
        Assert.Equal(["Udp 10.0.0.5:5070"], Show(await locator.LocateAsync(new("trunk.example", 5070, false, null, All), default)));
        Assert.Empty(zone.Asked);
    }

    [Fact]
    public async Task When_no_name_server_answers_the_machine_is_asked_for_the_host()
    {
        zone.Fails = true;
        var locator = new SipLocator(zone, system: (_, _) => Task.FromResult<IReadOnlyList<IPAddress>>([IPAddress.Parse("10.0.0.6")]));
        Assert.Equal(["Udp 10.0.0.6:5060"], Show(await locator.LocateAsync(new("trunk.example", 0, false, null, All), default)));
    }

    [Fact]
    public void Servers_of_one_priority_come_by_weight_and_the_same_dice_give_the_same_order()
    {
        DnsService[] records = [Service("a", 1, 60), Service("b", 1, 30), Service("c", 1, 10), Service("zero", 1, 0), Service("last", 2, 100)];
        var first = new Dictionary<string, int>();
        var dice = new Random(1);
        for (int i = 0; i < 10_000; i++)
        {
            List<DnsService> order = ServiceOrder.Of(records, dice);
            Assert.Equal("last", order[^1].Target);
            Assert.Equal(5, order.Count);
            first[order[0].Target] = first.GetValueOrDefault(order[0].Target) + 1;
        }

        // 101 numbers are drawn, one of them is for the weight of zero.
        Assert.InRange(first["a"], 5_600, 6_300);
        Assert.InRange(first["b"], 2_700, 3_250);
        Assert.InRange(first["c"], 800, 1_200);
        Assert.InRange(first["zero"], 40, 200);
        Assert.Equal(ServiceOrder.Of(records, new Random(5)), ServiceOrder.Of(records, new Random(5)));
    }

    [Fact]
    public async Task The_whole_way_through_real_name_servers()
    {
        await using var server = new NameServer();
        server.Naptr("carrier.example", 10, 10, "SIP+D2U", "_sip._udp.carrier.example");
        server.Srv("_sip._udp.carrier.example", 20, 0, 5062, "b.carrier.example");
        server.Srv("_sip._udp.carrier.example", 10, 0, 5061, "a.carrier.example");
        server.Host("a.carrier.example", "192.0.2.1");
        server.Host("b.carrier.example", "192.0.2.2");
        var locator = new SipLocator(server.Client());
        Task<IReadOnlyList<SipHop>> hops = locator.LocateAsync(new("carrier.example", 0, false, null, All), default);
        Assert.Equal(["Udp 192.0.2.1:5061", "Udp 192.0.2.2:5062"], Show(await TestApplication.Within(hops, "the servers")));
    }

    private static DnsService Service(string target, int priority, int weight) => new("s", TimeSpan.Zero, priority, weight, 5060, target);

    private async Task<IEnumerable<string>> LocateAsync(SipLookup lookup) => Show(await new SipLocator(zone, new Random(1)).LocateAsync(lookup, default));

    private static IEnumerable<string> Show(IReadOnlyList<SipHop> hops) => hops.Select(hop => $"{hop.Transport} {hop.Address}").ToList();
}
