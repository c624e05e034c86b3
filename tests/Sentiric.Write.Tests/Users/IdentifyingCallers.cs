using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Tests.Kit;
using Sentiric.Write.Users;

namespace Sentiric.Write.Tests.Users;

public sealed class IdentifyingCallers
{
    private const string Stranger = "+905550000001";

    [Fact]
    public async Task An_unknown_caller_becomes_one_guest()
    {
        using var world = await World.WithTenantsAsync();
        var first = await IdentifyAsync(world, Stranger, GuestPolicy.CreateGuest);
        var second = await IdentifyAsync(world, "0555 000 00 01", GuestPolicy.CreateGuest);
        Assert.True(first.Value is { Created: true, Type: UserType.Guest, Name: "Misafir " + Stranger, Contact: Stranger });
        Assert.Equal(first.Value with { Created = false }, second.Value);
    }

    [Fact]
    public async Task Two_calls_of_one_stranger_at_once_make_one_guest()
    {
        using var world = await World.WithTenantsAsync();
        var callers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => IdentifyAsync(world, Stranger, GuestPolicy.CreateGuest).AsTask())));
        Assert.Single(callers.Select(c => c.Value.UserId).Distinct());
        Assert.Single(await world.LogAsync(), e => e.EventType == "user_created");
    }

    [Theory]
    [InlineData("anonymous")]
    [InlineData("sip:anonymous@anonymous.invalid")]
    [InlineData("")]
    [InlineData("\"Restricted\" <sip:Restricted!@host>")]
    public async Task An_anonymous_caller_never_becomes_a_guest(string from)
    {
        using var world = await World.WithTenantsAsync();
        var caller = await IdentifyAsync(world, from, GuestPolicy.CreateGuest);
        Assert.True(caller.Value is { UserId: null, Created: false, Contact: "anonymous" });
        Assert.DoesNotContain(await world.LogAsync(), e => e.EventType == "user_created");
    }

    [Fact]
    public async Task An_unknown_caller_stays_unknown_by_policy()
    {
        using var world = await World.WithTenantsAsync();
        var caller = await IdentifyAsync(world, Stranger, GuestPolicy.StayUnknown);
        Assert.Equal(new CallerIdentity(null, null, null, "tr", Stranger, Created: false), caller.Value);
    }

    [Theory]
    [InlineData(Stranger)]
    [InlineData("anonymous")]
    public async Task An_unknown_caller_is_refused_by_policy(string from)
    {
        using var world = await World.WithTenantsAsync();
        Assert.Equal("caller.unknown", (await IdentifyAsync(world, from, GuestPolicy.Reject)).Refusal?.Code);
    }

    [Theory]
    [InlineData(GuestPolicy.CreateGuest)]
    [InlineData(GuestPolicy.StayUnknown)]
    [InlineData(GuestPolicy.Reject)]
    public async Task A_disabled_user_is_refused_whatever_the_policy(GuestPolicy policy)
    {
        using var world = await World.WithTenantsAsync();
        var id = Guid.CreateVersion7();
        await world.DoAsync(new CreateUser(id, "Ali", UserType.Caller, "tr", [new(ContactType.Phone, Stranger)]));
        await world.DoAsync(new DisableUser(id, "left"));
        Assert.Equal("user.disabled", (await IdentifyAsync(world, Stranger, policy)).Refusal?.Code);
    }

    [Fact]
    public async Task A_disabled_user_s_phone_is_known_as_disabled()
    {
        using var world = await World.WithTenantsAsync();
        var id = Guid.CreateVersion7();
        await world.DoAsync(new CreateUser(id, "Ali", UserType.Agent, "tr", []));
        await world.DoAsync(SetSipCredential.Of(id, "sentiric", "ali", "correct horse"));
        await world.DoAsync(new DisableUser(id, "left"));
        Assert.True((await world.Users.FindCredentialAsync("sentiric", "ali", default)).Value.Disabled);
    }

    private static ValueTask<Result<CallerIdentity>> IdentifyAsync(World world, string from, GuestPolicy policy) =>
        world.Users.IdentifyAsync(new IdentifyCaller(World.Demo, from, policy, "tr", Guid.NewGuid()), default);
}
