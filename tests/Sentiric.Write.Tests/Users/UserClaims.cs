using System.Globalization;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Tests.Kit;
using Sentiric.Write.Users;

namespace Sentiric.Write.Tests.Users;

/// <summary>Who owns a contact and a SIP user name, over several users and tenants.</summary>
public sealed class UserClaims
{
    private static readonly Guid Ayse = Guid.CreateVersion7();
    private static readonly Guid Fatma = Guid.CreateVersion7();
    private const string Number = "+905321112233";

    [Fact]
    public async Task A_contact_belongs_to_one_user_of_a_tenant()
    {
        using var world = await World.WithTenantsAsync();
        await world.DoAsync(User(Ayse));
        var before = (await world.LogAsync()).Count;
        Assert.Equal("contact.taken", await world.RefusalOfAsync(User(Fatma)));
        Assert.Equal(before, (await world.LogAsync()).Count);
    }

    [Fact]
    public async Task The_same_phone_number_may_be_known_to_two_tenants()
    {
        using var world = await World.WithTenantsAsync();
        await world.DoAsync(User(Ayse), World.Demo);
        await world.DoAsync(User(Fatma) with { Name = "Fatma" }, World.Other);
        Assert.Equal("Ayşe", (await IdentifyAsync(world, World.Demo, Number)).Name);
        Assert.Equal("Fatma", (await IdentifyAsync(world, World.Other, Number)).Name);
    }

    [Fact]
    public async Task A_removed_contact_is_free_for_another_user()
    {
        using var world = await World.WithTenantsAsync();
        await world.DoAsync(User(Ayse));
        await world.DoAsync(new RemoveContact(Ayse, ContactType.Phone, "0532 111 22 33"));
        await world.DoAsync(User(Fatma));
        Assert.Equal(["contact_claimed", "contact_released", "contact_claimed"], await world.StreamAsync(Streams.Contact(ContactType.Phone, Number)));
    }

    [Fact]
    public async Task Repeating_every_command_adds_nothing()
    {
        using var world = await World.WithTenantsAsync();
        ICommand[] commands =
        [
            User(Ayse), new AddContact(Ayse, ContactType.Email, "Ayse@Example.org"), SetSipCredential.Of(Ayse, "sentiric", "ayse", "correct horse"),
        ];
        foreach (var command in commands)
        {
            await world.DoAsync(command);
            var before = (await world.LogAsync()).Count;
            await world.DoAsync(command);
            Assert.Equal(before, (await world.LogAsync()).Count);
        }
    }

    [Fact]
    public async Task A_sip_user_name_is_unique_in_its_realm_over_all_tenants()
    {
        using var world = await World.WithTenantsAsync();
        await world.DoAsync(User(Ayse));
        await world.DoAsync(User(Fatma), World.Other);
        await world.DoAsync(SetSipCredential.Of(Ayse, "sentiric", "phone1", "correct horse"));
        Assert.Equal("sip.username_taken", await world.RefusalOfAsync(SetSipCredential.Of(Fatma, "sentiric", "phone1", "other horse"), World.Other));
        await world.DoAsync(SetSipCredential.Of(Fatma, "elsewhere", "phone1", "other horse"), World.Other);
        Assert.Equal(World.Demo, (await world.Users.FindCredentialAsync("sentiric", "phone1", default)).Value.Tenant);
        Assert.Equal(World.Other, (await world.Users.FindCredentialAsync("elsewhere", "phone1", default)).Value.Tenant);
    }

    [Fact]
    public async Task A_removed_sip_user_name_is_unknown_and_free()
    {
        using var world = await World.WithTenantsAsync();
        await world.DoAsync(User(Ayse));
        await world.DoAsync(SetSipCredential.Of(Ayse, "sentiric", "ayse", "correct horse"));
        await world.DoAsync(new RemoveSipCredential(Ayse, "sentiric", "ayse"));
        Assert.Equal("credential.unknown", (await world.Users.FindCredentialAsync("sentiric", "ayse", default)).Refusal?.Code);
        Assert.Equal(["sip_username_claimed", "sip_username_released"], await world.StreamAsync(Streams.SipUser("sentiric", "ayse"), Streams.SystemTenant));
    }

    [Fact]
    public async Task No_password_is_in_any_event()
    {
        using var world = await World.WithTenantsAsync();
        await world.DoAsync(User(Ayse));
        await world.DoAsync(SetSipCredential.Of(Ayse, "sentiric", "ayse", "correct horse"));
        Assert.All(await world.LogAsync(), e => Assert.DoesNotContain("horse", System.Text.Encoding.UTF8.GetString(e.Json.Span), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Two_commands_at_once_leave_one_owner()
    {
        using var world = await World.WithTenantsAsync();
        var ids = Enumerable.Range(0, 8).Select(_ => Guid.CreateVersion7()).ToList();
        var outcomes = await Task.WhenAll(ids.Select(id => Task.Run(() => world.RefusalOfAsync(User(id)))));
        Assert.Equal(1, outcomes.Count(code => code is null));
        Assert.Equal(7, outcomes.Count(code => code == "contact.taken"));
    }

    [Fact]
    public async Task A_command_for_an_unknown_tenant_is_refused()
    {
        using var world = new World();
        Assert.Equal("tenant.unknown", await world.RefusalOfAsync(User(Ayse)));
    }

    // D34: however a number is written, and wherever the process runs, it is one caller.
    [Theory]
    [InlineData("en-US")]
    [InlineData("tr-TR")]
    public async Task However_a_number_is_written_it_is_the_same_caller(string culture)
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(culture);
            using var world = await World.WithTenantsAsync();
            await world.DoAsync(User(Ayse));
            var random = new Random(34);
            for (var i = 0; i < 300; i++)
            {
                var written = Written(random);
                var caller = await IdentifyAsync(world, World.Demo, written);
                Assert.True(caller.UserId == Ayse, $"'{written}' was taken for {caller.Contact}");
            }

            Assert.Equal("contact.taken", await world.RefusalOfAsync(User(Fatma) with { Contacts = [new(ContactType.Phone, Written(random))] }));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    private static string Written(Random random)
    {
        string[] prefixes = ["+90", "0090", "0", "90", ""];
        string[] separators = ["", " ", "-", ".", "/"];
        var separator = separators[random.Next(separators.Length)];
        var number = prefixes[random.Next(prefixes.Length)] + string.Join(separator, "532", "111", "22", "33");
        return random.Next(4) switch
        {
            0 => $"sip:{number}@example.org;user=phone",
            1 => $"\"Ayşe İ\" <sip:{number}@example.org>;tag=1",
            2 => $"tel:{number}",
            _ => $"  {number} ",
        };
    }

    private static CreateUser User(Guid id) => new(id, "Ayşe", UserType.Caller, "tr", [new(ContactType.Phone, Number, Primary: true)]);

    private static async Task<CallerIdentity> IdentifyAsync(World world, string tenant, string from) =>
        (await world.Users.IdentifyAsync(new IdentifyCaller(tenant, from, GuestPolicy.StayUnknown, "tr", Guid.NewGuid()), default)).Value;
}
