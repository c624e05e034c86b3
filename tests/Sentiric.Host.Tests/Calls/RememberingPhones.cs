using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Sentiric.Dialogue;
using Sentiric.Host.Roles;
using Sentiric.Sip;
using Sentiric.Testing.Platform;

namespace Sentiric.Host.Tests.Calls;

/// <summary>Where registered phones are, kept in Redis.</summary>
public sealed class RememberingPhones(RedisServer redis) : IClassFixture<RedisServer>
{
    private readonly string _address = $"sip:{Guid.NewGuid():N}@sentiric";

    [RedisFact]
    public async Task What_one_process_was_told_another_knows()
    {
        using var first = Open();
        using var second = Open();
        var contact = Contact("sip:ayse@192.168.1.40:5066;transport=tcp", TimeSpan.FromMinutes(10)) with { Transport = SipTransportKind.Tcp };
        await first.UpdateAsync(_address, _ => [contact], default);
        var found = Assert.Single(await second.FindAsync(_address, default));
        Assert.Equal((contact.Contact.ToString(), contact.Flow, contact.CallId, contact.CSeq, contact.ExpiresAt), (found.Contact.ToString(), found.Flow, found.CallId, found.CSeq, found.ExpiresAt));
        await second.UpdateAsync(_address, known => [], default);
        Assert.Empty(await first.FindAsync(_address, default));
    }

    [RedisFact]
    public async Task Processes_that_write_at_once_lose_nothing()
    {
        using var first = Open();
        using var second = Open();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async i => await (i % 2 == 0 ? first : second).UpdateAsync(
            _address, known => [.. known, Contact($"sip:phone{i}@127.0.0.1", TimeSpan.FromMinutes(10))], default)));
        Assert.Equal(8, (await first.FindAsync(_address, default)).Count);
    }

    [Fact]
    public async Task Without_Redis_a_process_remembers_by_itself()
    {
        using var alone = new RedisLocations(new RedisLink("127.0.0.1:1"), TimeProvider.System, NullLogger<RedisLocations>.Instance);
        await alone.UpdateAsync(_address, _ => [Contact("sip:a@127.0.0.1", TimeSpan.FromMinutes(10))], default);
        Assert.Single(await alone.FindAsync(_address, default));
    }

    private static SipLocation Contact(string uri, TimeSpan lasts) =>
        new(SipUri.Parse(uri), "call", 7, TimeProvider.System.GetUtcNow() + lasts, new IPEndPoint(IPAddress.Loopback, 5066), SipTransportKind.Udp);

    private RedisLocations Open() => new(new RedisLink(redis.Address!), TimeProvider.System, NullLogger<RedisLocations>.Instance);
}

/// <summary>Skipped, and says so, where there is no Redis.</summary>
internal sealed class RedisFactAttribute : FactAttribute
{
    public RedisFactAttribute() => Skip = RedisServer.IsThere ? null : RedisServer.Absent;
}
