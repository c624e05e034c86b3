using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Sentiric.Dialogue;
using Sentiric.Host.Roles;
using Sentiric.Sip;
using Sentiric.Testing.Platform;
using StackExchange.Redis;

namespace Sentiric.Host.Tests.Calls;

/// <summary>What every memory of registered phones keeps.</summary>
public abstract class LocationStoreContract : IDisposable
{
    private readonly string _user = Guid.NewGuid().ToString("N");
    private ILocationStore? _store;

    private protected string Address => $"sip:{_user}@sentiric";

    private ILocationStore Store => _store ??= Open();

    private protected abstract ILocationStore Open();

    public void Dispose() => (_store as IDisposable)?.Dispose();

    protected async Task Everything_that_is_known_of_a_contact_comes_back()
    {
        var at = new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);
        var contact = new SipLocation(SipUri.Parse("sip:ayse@192.168.1.40:5066;transport=tls"), "call@phone", 7, at.AddHours(1), new IPEndPoint(IPAddress.Parse("2001:db8::7"), 5061), SipTransportKind.Tls)
        {
            RegisteredAt = at, UserAgent = "Çağrı \"Telefonu\"/1.0", Q = 0.5,
        };
        await Store.UpdateAsync(Address, _ => [contact], default);
        var found = Assert.Single(await Store.FindAsync(Address, default));
        Assert.Equal(contact.Contact.ToString(), found.Contact.ToString());
        Assert.Equal(contact, found with { Contact = contact.Contact });
    }

    protected async Task What_a_phone_did_not_say_stays_unsaid()
    {
        await Store.UpdateAsync(Address, _ => [Contact("sip:a@127.0.0.1")], default);
        var found = Assert.Single(await Store.FindAsync(Address, default));
        Assert.Equal((null, null, null), (found.RegisteredAt, found.UserAgent, found.Q));
    }

    protected async Task Many_addresses_are_asked_for_at_once_and_answered_in_their_order()
    {
        var (there, absent, both) = (Address, $"sip:{_user}@nowhere", $"sip:{_user}@127.0.0.1");
        await Store.UpdateAsync(there, _ => [Contact("sip:a@127.0.0.1")], default);
        await Store.UpdateAsync(both, _ => [Contact("sip:b@127.0.0.1"), Contact("sip:c@127.0.0.1")], default);
        var found = await Store.FindAllAsync([both, absent, there], default);
        Assert.Equal(["sip:b@127.0.0.1 sip:c@127.0.0.1", "", "sip:a@127.0.0.1"], found.Select(of => string.Join(' ', of.Select(contact => contact.Contact))));
        Assert.Empty(await Store.FindAllAsync([], default));
    }

    protected async Task An_address_without_contacts_is_gone()
    {
        await Store.UpdateAsync(Address, _ => [Contact("sip:a@127.0.0.1"), Contact("sip:b@127.0.0.1")], default);
        await Store.UpdateAsync(Address, known => [.. known.Skip(1)], default);
        Assert.Equal("sip:b@127.0.0.1", Assert.Single(await Store.FindAsync(Address, default)).Contact.ToString());
        await Store.UpdateAsync(Address, _ => [], default);
        Assert.Empty(await Store.FindAsync(Address, default));
    }

    private protected static SipLocation Contact(string uri) =>
        new(SipUri.Parse(uri), "call", 7, TimeProvider.System.GetUtcNow().AddMinutes(10), new IPEndPoint(IPAddress.Loopback, 5066), SipTransportKind.Udp);
}

public sealed class LocationsInMemory : LocationStoreContract
{
    private protected override ILocationStore Open() => new MemoryLocationStore();

    [Fact]
    public Task A_contact_comes_back_whole() => Everything_that_is_known_of_a_contact_comes_back();

    [Fact]
    public Task Nothing_is_made_up() => What_a_phone_did_not_say_stays_unsaid();

    [Fact]
    public Task Addresses_are_answered_in_their_order() => Many_addresses_are_asked_for_at_once_and_answered_in_their_order();

    [Fact]
    public Task An_address_goes_with_its_last_contact() => An_address_without_contacts_is_gone();
}

/// <summary>Redis does not answer: the process goes on by itself.</summary>
public sealed class LocationsWithoutRedis : LocationStoreContract
{
    private protected override ILocationStore Open() => new RedisLocations(new RedisLink("127.0.0.1:1"), TimeProvider.System, NullLogger<RedisLocations>.Instance);

    [Fact]
    public Task A_contact_comes_back_whole() => Everything_that_is_known_of_a_contact_comes_back();

    [Fact]
    public Task Nothing_is_made_up() => What_a_phone_did_not_say_stays_unsaid();

    [Fact]
    public Task Addresses_are_answered_in_their_order() => Many_addresses_are_asked_for_at_once_and_answered_in_their_order();

    [Fact]
    public Task An_address_goes_with_its_last_contact() => An_address_without_contacts_is_gone();
}

public sealed class LocationsInRedis(RedisServer redis) : LocationStoreContract, IClassFixture<RedisServer>
{
    private protected override ILocationStore Open() => new RedisLocations(new RedisLink(redis.Address!), TimeProvider.System, NullLogger<RedisLocations>.Instance);

    [RedisFact]
    public Task A_contact_comes_back_whole() => Everything_that_is_known_of_a_contact_comes_back();

    [RedisFact]
    public Task Nothing_is_made_up() => What_a_phone_did_not_say_stays_unsaid();

    [RedisFact]
    public Task Addresses_are_answered_in_their_order() => Many_addresses_are_asked_for_at_once_and_answered_in_their_order();

    [RedisFact]
    public Task An_address_goes_with_its_last_contact() => An_address_without_contacts_is_gone();

    [RedisFact]
    public async Task What_an_older_process_wrote_is_read()
    {
        using (var link = await ConnectionMultiplexer.ConnectAsync(redis.Address!))
        {
            await link.GetDatabase().StringSetAsync("sentiric:phone:" + Address, """
                [{"Contact":"sip:ayse@192.168.1.40:5066","CallId":"c","CSeq":3,"ExpiresAt":"2030-01-02T03:04:05+00:00","Source":"192.168.1.40:5066","Transport":1}]
                """);
        }

        using var store = (RedisLocations)Open();
        var found = Assert.Single(await store.FindAsync(Address, default));
        Assert.Equal(("sip:ayse@192.168.1.40:5066", "c", 3u, "192.168.1.40:5066", SipTransportKind.Tcp), (found.Contact.ToString(), found.CallId, found.CSeq, found.Source.ToString(), found.Transport));
        Assert.Equal((null, null, null), (found.RegisteredAt, found.UserAgent, found.Q));
    }
}
