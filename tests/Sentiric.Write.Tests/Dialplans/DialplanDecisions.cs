using Sentiric.Contracts.Events;
using Sentiric.Write.Dialplans;
using Sentiric.Write.Tests.Kit;

namespace Sentiric.Write.Tests.Dialplans;

public sealed class DialplanDecisions
{
    private static readonly PlanReferences AllKnown = new(Assistant: true, Announcement: true);
    private static readonly PlanReferences NothingKnown = new(Assistant: false, Announcement: false);
    private static readonly PublishDialplan Publish = new("welcome", "Welcome", DialplanAction.StartAiConversation, new(AssistantId: "clinic"));
    private static readonly DialplanPublished Published = new(Given.Now, "welcome", 1, "Welcome", DialplanAction.StartAiConversation, new(AssistantId: "clinic"));
    private static readonly RouteSettings Settings = new("welcome", null, null, null, null, "tr", false, GuestPolicy.CreateGuest);
    private static readonly RouteCreated Created = new(Given.Earlier, "1001", Settings);
    private static readonly Dictionary<string, string> Words = new() { ["tr"] = "Kapalıyız.", ["en"] = "We are closed." };

    private static Dialplan NoPlan => Given.Nothing<Dialplan>();

    private static Dialplan Welcome => Given.Facts<Dialplan>(Published with { At = Given.Earlier });

    private static Route Route1001 => Given.Facts<Route>(Created);

    [Fact]
    public void A_plan_is_published() => Publish.Decide(NoPlan, AllKnown, Given.Now).Says(Published);

    [Fact]
    public void Publishing_the_same_plan_is_quiet() => Publish.Decide(Welcome, AllKnown, Given.Now).IsQuiet();

    [Fact]
    public void A_change_is_a_new_revision() =>
        (Publish with { Name = "Hello" }).Decide(Welcome, AllKnown, Given.Now).Says(Published with { Name = "Hello", Revision = 2 });

    [Fact]
    public void A_retired_plan_comes_back_with_a_new_revision() =>
        Publish.Decide(Given.Facts<Dialplan>(Published, new DialplanRetired(Given.Earlier, "welcome")), AllKnown, Given.Now).Says(Published with { Revision = 2 });

    public static TheoryData<DialplanAction, int?, string> Incomplete => new()
    {
        { DialplanAction.StartAiConversation, null, "dialplan.assistant_unknown" },
        { DialplanAction.ProcessGuestCall, null, "dialplan.assistant_unknown" },
        { DialplanAction.PlayAnnouncement, null, "dialplan.announcement_unknown" },
        { DialplanAction.Reject, null, "dialplan.bad_sip_status" },
        { DialplanAction.Reject, 200, "dialplan.bad_sip_status" },
        { DialplanAction.Reject, 700, "dialplan.bad_sip_status" },
        { DialplanAction.BridgeCall, null, "dialplan.bad_target" },
        { DialplanAction.EnqueueCall, null, "dialplan.action_not_available" },
    };

    [Theory]
    [MemberData(nameof(Incomplete))]
    public void An_action_without_its_data_is_refused(DialplanAction action, int? status, string code) =>
        (Publish with { Action = action, Data = new(SipStatus: status) }).Decide(NoPlan, NothingKnown, Given.Now).Refuses(code);

    [Theory]
    [InlineData("+902129998877")]
    [InlineData("101")]
    [InlineData("resepsiyon")]
    public void A_plan_connects_with_a_number_an_extension_or_a_telephone(string target)
    {
        var data = new DialplanActionData(Target: target);
        (Publish with { Action = DialplanAction.BridgeCall, Data = data }).Decide(NoPlan, NothingKnown, Given.Now)
            .Says(Published with { Action = DialplanAction.BridgeCall, Data = data });
    }

    [Theory]
    [InlineData(DialplanAction.EchoTest, null)]
    [InlineData(DialplanAction.Reject, 486)]
    [InlineData(DialplanAction.Reject, 603)]
    public void An_action_that_needs_no_more_is_published(DialplanAction action, int? status)
    {
        var data = new DialplanActionData(SipStatus: status);
        (Publish with { Action = action, Data = data }).Decide(NoPlan, NothingKnown, Given.Now).Says(Published with { Action = action, Data = data });
    }

    [Fact]
    public void A_plan_is_retired() => new RetireDialplan("welcome").Decide(Welcome, Given.Now).Says(new DialplanRetired(Given.Now, "welcome"));

    [Fact]
    public void A_retired_plan_stays_retired() =>
        new RetireDialplan("welcome").Decide(Given.Facts<Dialplan>(Published, new DialplanRetired(Given.Earlier, "welcome")), Given.Now).IsQuiet();

    [Fact]
    public void An_unknown_plan_is_not_retired() => new RetireDialplan("welcome").Decide(NoPlan, Given.Now).Refuses("dialplan.unknown");

    [Fact]
    public void A_route_is_created() =>
        new CreateRoute("1001", Settings).Decide(Given.Nothing<Route>(), RouteReferences.Complete, Given.Now).Says(Created with { At = Given.Now });

    [Fact]
    public void Creating_the_same_route_is_quiet() => new CreateRoute("1001", Settings).Decide(Route1001, RouteReferences.Complete, Given.Now).IsQuiet();

    [Fact]
    public void A_route_that_is_there_is_not_created_otherwise() =>
        new CreateRoute("1001", Settings with { BlockAnonymous = true }).Decide(Route1001, RouteReferences.Complete, Given.Now).Refuses("route.exists");

    [Theory]
    [InlineData("anonymous")]
    [InlineData("ayse")]
    [InlineData("")]
    public void A_route_needs_a_number_that_can_be_called(string number) =>
        CreateRoute.Of(number, Settings).Decide(Given.Nothing<Route>(), RouteReferences.Complete, Given.Now).Refuses("route.bad_number");

    [Theory]
    [InlineData("nowhere", null, "route.dialplan_unknown")]
    [InlineData(null, "never", "route.schedule_unknown")]
    public void A_route_leads_somewhere(string? plan, string? schedule, string code)
    {
        var known = new RouteReferences(plan, schedule);
        new CreateRoute("1001", Settings).Decide(Given.Nothing<Route>(), known, Given.Now).Refuses(code);
        new ChangeRoute("1001", Settings with { BlockAnonymous = true }).Decide(Route1001, known, Given.Now).Refuses(code);
    }

    [Fact]
    public void A_route_is_changed()
    {
        var other = Settings with { BlockAnonymous = true };
        new ChangeRoute("1001", other).Decide(Route1001, RouteReferences.Complete, Given.Now).Says(new RouteChanged(Given.Now, "1001", other));
    }

    [Fact]
    public void Changing_nothing_is_quiet() => new ChangeRoute("1001", Settings).Decide(Route1001, RouteReferences.Complete, Given.Now).IsQuiet();

    [Fact]
    public void An_unknown_route_is_not_changed() =>
        new ChangeRoute("1001", Settings).Decide(Given.Nothing<Route>(), RouteReferences.Complete, Given.Now).Refuses("route.unknown");

    [Fact]
    public void A_route_is_removed() => new RemoveRoute("1001").Decide(Route1001, Given.Now).Says(new RouteRemoved(Given.Now, "1001"));

    [Fact]
    public void Removing_a_route_again_is_quiet() =>
        new RemoveRoute("1001").Decide(Given.Facts<Route>(Created, new RouteRemoved(Given.Earlier, "1001")), Given.Now).IsQuiet();

    [Fact]
    public void An_unknown_route_is_not_removed() => new RemoveRoute("1001").Decide(Given.Nothing<Route>(), Given.Now).Refuses("route.unknown");

    [Fact]
    public void Maintenance_is_switched() =>
        new SwitchMaintenance("1001", On: true).Decide(Route1001, Given.Now).Says(new MaintenanceSwitched(Given.Now, "1001", On: true));

    [Fact]
    public void Switching_again_is_quiet() => new SwitchMaintenance("1001", On: false).Decide(Route1001, Given.Now).IsQuiet();

    [Fact]
    public void An_unknown_route_has_no_maintenance() =>
        new SwitchMaintenance("1001", On: true).Decide(Given.Nothing<Route>(), Given.Now).Refuses("route.unknown");

    [Fact]
    public void An_announcement_is_defined() =>
        new DefineAnnouncement("after_hours", Words).Decide(Given.Nothing<Announcement>(), Given.Now).Says(new AnnouncementDefined(Given.Now, "after_hours", Words));

    [Fact]
    public void Defining_it_again_is_quiet() => new DefineAnnouncement("after_hours", new Dictionary<string, string>(Words))
        .Decide(Given.Facts<Announcement>(new AnnouncementDefined(Given.Earlier, "after_hours", Words)), Given.Now).IsQuiet();

    [Theory]
    [InlineData("After Hours", "tr", "x")]
    [InlineData("x", "de", "x")]
    [InlineData("x", "tr", "")]
    public void An_announcement_has_an_id_and_words(string id, string language, string words) =>
        new DefineAnnouncement(id, new Dictionary<string, string> { [language] = words }).Decide(Given.Nothing<Announcement>(), Given.Now).Refuses("announcement.invalid");

    [Fact]
    public async Task A_number_belongs_to_one_tenant_until_its_route_is_removed()
    {
        using var world = await World.WithTenantsAsync();
        var echo = new PublishDialplan("welcome", "Echo", DialplanAction.EchoTest, new());
        await world.DoAsync(echo);
        await world.DoAsync(echo, World.Other);
        await world.DoAsync(CreateRoute.Of("0212 123 45 67", Settings));
        Assert.Equal("number.taken", await world.RefusalOfAsync(CreateRoute.Of("+902121234567", Settings), World.Other));
        await world.DoAsync(new RemoveRoute("+902121234567"));
        await world.DoAsync(CreateRoute.Of("+902121234567", Settings), World.Other);
        Assert.Equal(["number_claimed", "number_released", "number_claimed"], await world.StreamAsync(Streams.Number("+902121234567"), Streams.SystemTenant));
    }

    [Fact]
    public async Task A_plan_needs_an_assistant_of_its_own_tenant()
    {
        using var world = await World.WithTenantsAsync();
        await world.DoAsync(new DefineAssistant("clinic", Assistants.WithoutTasks), World.Other);
        Assert.Equal("dialplan.assistant_unknown", await world.RefusalOfAsync(Publish));
        await world.DoAsync(Publish, World.Other);
    }

    [Fact]
    public async Task A_plan_may_play_a_built_in_announcement()
    {
        using var world = await World.WithTenantsAsync();
        await world.DoAsync(new PublishDialplan("closed", "Closed", DialplanAction.PlayAnnouncement, new(AnnouncementId: "after_hours")));
        Assert.Equal("dialplan.announcement_unknown",
            await world.RefusalOfAsync(new PublishDialplan("other", "Other", DialplanAction.PlayAnnouncement, new(AnnouncementId: "never_defined"))));
    }
}
