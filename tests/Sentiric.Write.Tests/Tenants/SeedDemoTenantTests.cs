using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Dialplans;
using Sentiric.Write.Tenants;
using Sentiric.Write.Tests.Kit;

namespace Sentiric.Write.Tests.Tenants;

public sealed class SeedDemoTenantTests
{
    private static readonly SeedDemoTenant Seed = new("ayse-parola");

    [Fact]
    public async Task Seeding_twice_changes_nothing()
    {
        using var world = await SeededAsync();
        var before = (await world.LogAsync()).Count;
        Assert.True((await Seed.RunAsync(world.Store, world.Runner, default)).Ok);
        Assert.Equal(before, (await world.LogAsync()).Count);
    }

    [Fact]
    public async Task A_seeding_that_was_cut_off_goes_on()
    {
        using var world = new World();
        foreach (var command in Seed.Commands().SkipLast(5))
        {
            await world.DoAsync(command);
        }

        Assert.True((await Seed.RunAsync(world.Store, world.Runner, default)).Ok);
        using var whole = await SeededAsync();
        Assert.Equal((await whole.LogAsync()).Select(e => e.EventType), (await world.LogAsync()).Select(e => e.EventType));
    }

    [Fact]
    public async Task What_somebody_changed_since_stays()
    {
        using var world = await SeededAsync();
        await world.DoAsync(new SwitchMaintenance(SeedDemoTenant.MaintenanceExtension, On: false));
        Assert.True((await Seed.RunAsync(world.Store, world.Runner, default)).Ok);
        Assert.Equal("normal", (await ResolveAsync(world, SeedDemoTenant.MaintenanceExtension)).Why);
    }

    [Theory]
    [InlineData(SeedDemoTenant.Number, DialplanAction.StartAiConversation, "normal", "tr")]
    [InlineData(SeedDemoTenant.AssistantExtension, DialplanAction.StartAiConversation, "normal", "tr")]
    [InlineData(SeedDemoTenant.EchoExtension, DialplanAction.EchoTest, "normal", "tr")]
    [InlineData(SeedDemoTenant.AnnouncementExtension, DialplanAction.PlayAnnouncement, "normal", "tr")]
    [InlineData(SeedDemoTenant.ClosedExtension, DialplanAction.PlayAnnouncement, "off_hours", "tr")]
    [InlineData(SeedDemoTenant.MaintenanceExtension, DialplanAction.PlayAnnouncement, "maintenance", "tr")]
    [InlineData(SeedDemoTenant.EnglishExtension, DialplanAction.StartAiConversation, "normal", "en")]
    public async Task Every_number_does_what_it_is_for(string number, DialplanAction action, string why, string language)
    {
        using var world = await SeededAsync();
        var resolution = await ResolveAsync(world, number);
        Assert.Equal((action, why, language), (resolution.Action, resolution.Why, resolution.Language));
        Assert.Equal(action == DialplanAction.PlayAnnouncement, resolution.AnnouncementText is not null);
        Assert.Equal(action == DialplanAction.StartAiConversation, resolution.Assistant is not null);
    }

    [Fact]
    public async Task The_known_caller_is_recognised_by_number_and_by_phone()
    {
        using var world = await SeededAsync();
        foreach (var from in new[] { "0532 111 22 33", "sip:ayse@sentiric" })
        {
            var caller = await world.Users.IdentifyAsync(new IdentifyCaller(SeedDemoTenant.Tenant, from, GuestPolicy.Reject, "tr", Guid.NewGuid()), default);
            Assert.Equal("Ayşe Yılmaz", caller.Value.Name);
        }

        var credential = await world.Users.FindCredentialAsync("sentiric", "ayse", default);
        Assert.Equal((SeedDemoTenant.Tenant, SeedDemoTenant.KnownCallerId), (credential.Value.Tenant, credential.Value.UserId));
    }

    private static async Task<World> SeededAsync()
    {
        var world = new World();
        var outcome = await Seed.RunAsync(world.Store, world.Runner, default);
        Assert.True(outcome.Ok, outcome.Refusal?.Why);
        return world;
    }

    private static async Task<DialplanResolution> ResolveAsync(World world, string number) =>
        await world.Dialplans.ResolveAsync(new ResolveDialplan(SeedDemoTenant.KnownCaller, number, world.Time.GetUtcNow(), Caller: null), default);
}
