using Sentiric.Contracts.Events;
using Sentiric.Write.Tenants;
using Sentiric.Write.Tests.Kit;

namespace Sentiric.Write.Tests.Tenants;

public sealed class CreateTenantTests
{
    private static readonly CreateTenant Command = new("acme-dental", "Acme", "en", GuestPolicy.StayUnknown);
    private static readonly TenantCreated Created = new(Given.Now, "acme-dental", "Acme", "en", GuestPolicy.StayUnknown);

    [Fact]
    public void A_tenant_is_created() => Command.Decide(Given.Nothing<Tenant>(), Given.Now).Says(Created);

    [Fact]
    public void Creating_it_again_is_quiet() => Command.Decide(Given.Facts<Tenant>(Created with { At = Given.Earlier }), Given.Now).IsQuiet();

    [Fact]
    public void Another_tenant_under_the_same_id_is_refused() =>
        (Command with { Name = "Somebody else" }).Decide(Given.Facts<Tenant>(Created), Given.Now).Refuses("tenant.exists");

    [Theory]
    [InlineData("")]
    [InlineData("Acme")]
    [InlineData("a_b")]
    [InlineData("a--b")]
    [InlineData("*DEFAULT*")]
    [InlineData("işletme")]
    public void An_id_that_cannot_be_a_name_of_streams_is_refused(string id) =>
        (Command with { Tenant = id }).Decide(Given.Nothing<Tenant>(), Given.Now).Refuses("tenant.bad_id");

    [Fact]
    public void A_name_with_a_control_character_is_refused() =>
        (Command with { Name = "a\0b" }).Decide(Given.Nothing<Tenant>(), Given.Now).Refuses("tenant.invalid");

    [Fact]
    public async Task A_tenant_cannot_create_another_one()
    {
        using var world = await World.WithTenantsAsync();
        Assert.Equal("tenant.forbidden", await world.RefusalOfAsync(new CreateTenant("third", "Third"), World.Demo));
        Assert.Null(await world.RefusalOfAsync(new CreateTenant("third", "Third"), Streams.SystemTenant));
    }
}
