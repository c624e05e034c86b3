using System.Net;
using System.Net.Sockets;
using Sentiric.Sip;
using Sentiric.Sip.Tests.Kit;
using Sentiric.Testing;

namespace Sentiric.Sip.Tests.Locating;

/// <summary>Real sockets on loopback against an own name server; the cache on virtual time.</summary>
public sealed class DnsClientTests
{
    [Fact]
    public async Task Answers_come_over_udp()
    {
        await using var server = new NameServer();
        server.Srv("_sip._udp.carrier.example", 1, 2, 5070, "a.carrier.example");
        DnsAnswer answer = await AskAsync(server.Client(), "_sip._udp.carrier.example", DnsRecordType.Srv);
        Assert.Equal(new DnsService("_sip._udp.carrier.example", TimeSpan.FromMinutes(1), 1, 2, 5070, "a.carrier.example"), Assert.Single(answer.Records));
        Assert.Equal(DnsOutcome.Nothing, (await AskAsync(server.Client(), "nobody.example", DnsRecordType.A)).Outcome);
    }

    [Fact]
    public async Task A_cut_answer_is_asked_for_again_over_tcp()
    {
        await using var server = new NameServer { Truncates = true };
        for (int i = 0; i < 40; i++)
        {
            server.Host("many.example", $"192.0.2.{i + 1}");
        }

        Assert.Equal(40, (await AskAsync(server.Client(), "many.example", DnsRecordType.A)).Records.Count);
        Assert.Equal(2, server.Asked.Count);
    }

    [Fact]
    public async Task Forged_answers_are_passed_over()
    {
        await using var server = new NameServer();
        server.Host("bank.example", "192.0.2.1");
        server.Strangers = answer =>
        {
            byte[] wrongId = [.. answer];
            wrongId[0] ^= 0xFF;
            byte[] wrongName = [.. answer];
            wrongName[14] ^= 0x01;
            wrongName[^1] = wrongId[^1] = 66;
            return [wrongId, wrongName, [], [1, 2, 3]];
        };
        DnsAnswer found = await AskAsync(server.Client(), "bank.example", DnsRecordType.A);
        Assert.Equal(IPAddress.Parse("192.0.2.1"), Assert.IsType<DnsAddress>(Assert.Single(found.Records)).Address);
    }

    [Fact]
    public async Task A_server_that_fails_or_listens_nowhere_is_followed_by_the_next()
    {
        await using var failing = new NameServer { Code = 2 };
        await using var good = new NameServer();
        good.Host("a.example", "192.0.2.7");
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var nowhere = (IPEndPoint)closed.LocalEndPoint!;
        closed.Dispose();
        var client = new DnsClient(new DnsClientOptions { Servers = [failing.Address, nowhere, good.Address] }, TimeProvider.System);
        Assert.Single((await AskAsync(client, "a.example", DnsRecordType.A)).Records);
        var nobody = new DnsClient(new DnsClientOptions { Servers = [failing.Address] }, TimeProvider.System);
        Assert.Equal(DnsOutcome.Failed, (await AskAsync(nobody, "a.example", DnsRecordType.A)).Outcome);
    }

    [Fact]
    public async Task An_answer_is_asked_for_once_while_it_lives()
    {
        var time = new ManualTime();
        var zone = new FakeZone();
        zone.Host("a.example", "192.0.2.1", TimeSpan.FromSeconds(60));
        var cache = new DnsCache(zone, time);
        for (int i = 0; i < 3; i++)
        {
            Assert.Single((await AskAsync(cache, "A.example.", DnsRecordType.A)).Records);
            Assert.Equal(DnsOutcome.Nothing, (await AskAsync(cache, "none.example", DnsRecordType.A)).Outcome);
        }

        Assert.Equal(["A a.example", "A none.example"], zone.Asked);
        time.Advance(TimeSpan.FromSeconds(61));
        await AskAsync(cache, "a.example", DnsRecordType.A);
        Assert.Equal(3, zone.Asked.Count);
    }

    [Fact]
    public async Task The_cache_has_a_bound_and_those_who_ask_at_once_share_one_question()
    {
        var zone = new FakeZone();
        var cache = new DnsCache(zone, new ManualTime(), capacity: 10);
        for (int i = 0; i < 100; i++)
        {
            await AskAsync(cache, $"n{i}.example", DnsRecordType.A);
        }

        Assert.Equal(10, cache.Count);
        zone.Hold = new TaskCompletionSource();
        Task<DnsAnswer>[] waiting = [.. Enumerable.Range(0, 5).Select(_ => cache.AskAsync("same.example", DnsRecordType.A, default))];
        zone.Hold.SetResult();
        await TestApplication.Within(Task.WhenAll(waiting), "the shared answer");
        Assert.Single(zone.Asked, "A same.example");
    }

    private static Task<DnsAnswer> AskAsync(IDnsLookup lookup, string name, DnsRecordType type) =>
        TestApplication.Within(lookup.AskAsync(name, type, CancellationToken.None), $"{type} of {name}");
}

/// <summary>A zone in memory.</summary>
internal sealed class FakeZone : IDnsLookup
{
    private readonly Dictionary<(string, DnsRecordType), List<DnsRecord>> records = [];

    public List<string> Asked { get; } = [];

    public TaskCompletionSource? Hold { get; set; }

    /// <summary>No server answers.</summary>
    public bool Fails { get; set; }

    public void Host(string name, string address, TimeSpan? life = null)
    {
        IPAddress parsed = IPAddress.Parse(address);
        Add(parsed.AddressFamily == AddressFamily.InterNetwork ? DnsRecordType.A : DnsRecordType.Aaaa, new DnsAddress(name, life ?? TimeSpan.FromMinutes(1), parsed));
    }

    public void Srv(string name, int priority, int weight, int port, string target) =>
        Add(DnsRecordType.Srv, new DnsService(name, TimeSpan.FromMinutes(1), priority, weight, port, target));

    public void Naptr(string name, int order, int preference, string service, string replacement, string flags = "s") =>
        Add(DnsRecordType.Naptr, new DnsNaming(name, TimeSpan.FromMinutes(1), order, preference, flags, service, replacement));

    public async Task<DnsAnswer> AskAsync(string name, DnsRecordType type, CancellationToken ct)
    {
        lock (Asked)
        {
            Asked.Add($"{type} {name}");
        }

        if (Hold is { } hold)
        {
            await hold.Task;
        }

        return Fails ? DnsAnswer.Failure : records.TryGetValue((name, type), out List<DnsRecord>? found)
            ? new DnsAnswer(DnsOutcome.Found, found, found.Min(one => one.TimeToLive))
            : new DnsAnswer(DnsOutcome.Nothing, [], TimeSpan.FromMinutes(1));
    }

    private void Add(DnsRecordType type, DnsRecord record)
    {
        if (!records.TryGetValue((record.Name, type), out List<DnsRecord>? list))
        {
            records[(record.Name, type)] = list = [];
        }

        list.Add(record);
    }
}
