using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Contracts.Text;
using Sentiric.Write.Dialplans;
using Sentiric.Write.Tests.Kit;
using Sentiric.Write.Users;

namespace Sentiric.Write.Tests.Dialplans;

/// <summary>D24, D36 and the order of the questions, over the store. It is Tuesday, 10:00 in Istanbul.</summary>
public sealed class ResolvingCalls
{
    private const string Number = "+902121234567";
    private const string Known = "+905321112233";
    private const string Stranger = "+905550000001";
    private static readonly RouteSettings Plain = new("welcome", null, null, null, null, "tr", BlockAnonymous: false, GuestPolicy.StayUnknown);
    private static readonly RouteSettings Full = Plain with { OffHoursDialplan = "closed", FailSafeDialplan = "sorry", GuestDialplan = "guests", ScheduleId = "office" };

    /// <param name="Broken">Plans that are retired after the route was made.</param>
    public sealed record Case(
        string Name, RouteSettings Settings, string From, DialplanAction Action, string Plan, string Why, string? Words = null,
        bool Maintenance = false, bool AtNight = false, string[]? Broken = null, int? SipStatus = null);

    private static readonly Case[] All =
    [
        new("a known caller in office hours", Full, Known, DialplanAction.StartAiConversation, "welcome", "normal"),
        new("a stranger gets the plan for guests", Full, Stranger, DialplanAction.ProcessGuestCall, "guests", "unknown_caller"),
        new("a stranger without a plan for guests", Plain, Stranger, DialplanAction.StartAiConversation, "welcome", "normal"),
        new("a stranger is rejected by policy", Plain with { GuestPolicy = GuestPolicy.Reject }, Stranger, DialplanAction.Reject, "built-in", "unknown_caller",
            BuiltInAnnouncements.Error, SipStatus: 403),
        new("an anonymous caller is allowed", Plain, "anonymous", DialplanAction.StartAiConversation, "welcome", "normal"),
        new("an anonymous caller is blocked", Plain with { BlockAnonymous = true }, "anonymous", DialplanAction.Reject, "built-in", "anonymous_blocked",
            BuiltInAnnouncements.AnonymousBlocked, SipStatus: 433),
        new("blocking the anonymous blocks nobody else", Plain with { BlockAnonymous = true }, Known, DialplanAction.StartAiConversation, "welcome", "normal"),
        new("maintenance", Full, Known, DialplanAction.PlayAnnouncement, "built-in", "maintenance", BuiltInAnnouncements.Maintenance, Maintenance: true),
        new("maintenance comes before the schedule", Full, Known, DialplanAction.PlayAnnouncement, "built-in", "maintenance", BuiltInAnnouncements.Maintenance,
            Maintenance: true, AtNight: true),
        new("anonymous comes before maintenance", Full with { BlockAnonymous = true }, "anonymous", DialplanAction.Reject, "built-in", "anonymous_blocked",
            BuiltInAnnouncements.AnonymousBlocked, Maintenance: true, SipStatus: 433),
        new("off hours with a plan", Full, Known, DialplanAction.PlayAnnouncement, "closed", "off_hours", BuiltInAnnouncements.AfterHours, AtNight: true),
        new("off hours without a plan", Full with { OffHoursDialplan = null }, Known, DialplanAction.PlayAnnouncement, "built-in", "off_hours",
            BuiltInAnnouncements.AfterHours, AtNight: true),
        new("off hours come before the caller", Full, Stranger, DialplanAction.PlayAnnouncement, "closed", "off_hours", BuiltInAnnouncements.AfterHours, AtNight: true),
        new("the off-hours plan is gone", Full, Known, DialplanAction.PlayAnnouncement, "sorry", "fail_safe", BuiltInAnnouncements.Error, AtNight: true, Broken: ["closed"]),
        new("the active plan is gone", Full, Known, DialplanAction.PlayAnnouncement, "sorry", "fail_safe", BuiltInAnnouncements.Error, Broken: ["welcome"]),
        new("the plan for guests is gone", Full, Stranger, DialplanAction.PlayAnnouncement, "sorry", "fail_safe", BuiltInAnnouncements.Error, Broken: ["guests"]),
        new("the fail-safe plan is gone too", Full, Known, DialplanAction.PlayAnnouncement, "built-in", "fail_safe", BuiltInAnnouncements.Error, Broken: ["welcome", "sorry"]),
        new("no fail-safe plan", Plain, Known, DialplanAction.PlayAnnouncement, "built-in", "fail_safe", BuiltInAnnouncements.Error, Broken: ["welcome"]),
    ];

    public static TheoryData<string> Names => [.. All.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_call_is_answered_by_the_right_plan(string name)
    {
        var expected = All.Single(c => c.Name == name);
        using var world = await WithRouteAsync(expected.Settings);
        foreach (var plan in expected.Broken ?? [])
        {
            await world.DoAsync(new RetireDialplan(plan));
        }

        await world.DoAsync(new SwitchMaintenance(Number, expected.Maintenance));
        var got = await ResolveAsync(world, expected.From, expected.AtNight);
        Assert.Equal((expected.Action, expected.Plan, expected.Why, expected.SipStatus), (got.Action, got.DialplanId, got.Why, got.Data.SipStatus));
        Assert.Equal(expected.Words is { } id ? BuiltInAnnouncements.Text(id, "tr") : null, got.AnnouncementText);
        Assert.Equal(expected.Action is DialplanAction.StartAiConversation or DialplanAction.ProcessGuestCall, got.Assistant is not null);
        Assert.Equal((World.Demo, Number), (got.Tenant, got.MatchedRoute));
    }

    [Fact]
    public async Task A_plan_that_connects_says_with_whom()
    {
        using var world = await WithRouteAsync(Plain);
        await world.DoAsync(new PublishDialplan("welcome", "Office", DialplanAction.BridgeCall, new(Target: "101")));
        var got = await ResolveAsync(world, Known);
        Assert.Equal((DialplanAction.BridgeCall, "101", "normal", null, null), (got.Action, got.Data.Target, got.Why, got.Assistant, got.AnnouncementText));
    }

    [Fact]
    public async Task An_unknown_number_has_no_route()
    {
        using var world = await WithRouteAsync(Plain);
        Assert.Equal("route.unknown", (await world.Dialplans.FindRouteAsync(new FindRoute(Known, "+902120000000", world.Time.GetUtcNow()), default)).Refusal?.Code);
        var got = await world.Dialplans.ResolveAsync(new ResolveDialplan(Known, "+902120000000", world.Time.GetUtcNow(), null), default);
        Assert.Equal((DialplanAction.Reject, 404, "unknown_number", (string?)null), (got.Action, got.Data.SipStatus, got.Why, got.MatchedRoute));
    }

    // D36: nothing remembers how it was before.
    [Fact]
    public async Task A_maintenance_switch_works_on_the_next_call()
    {
        using var world = await WithRouteAsync(Plain);
        Assert.Equal("normal", (await ResolveAsync(world, Known)).Why);
        await world.DoAsync(new SwitchMaintenance(Number, On: true));
        Assert.Equal("maintenance", (await ResolveAsync(world, Known)).Why);
        await world.DoAsync(new SwitchMaintenance(Number, On: false));
        Assert.Equal("normal", (await ResolveAsync(world, Known)).Why);
    }

    [Fact]
    public async Task The_trace_tells_every_question_in_order()
    {
        using var world = await WithRouteAsync(Full);
        var caller = (await world.Users.IdentifyAsync(new IdentifyCaller(World.Demo, Known, GuestPolicy.Reject, "tr", Guid.NewGuid()), default)).Value;
        var got = await world.Dialplans.ResolveAsync(new ResolveDialplan("0532 111 22 33", "0212 123 45 67", world.Time.GetUtcNow(), caller), default);
        Assert.Equal(
        [
            "called number '0212 123 45 67' is +902121234567, calling number is +905321112233",
            "route +902121234567 found in tenant demo",
            "the caller shows a number",
            "maintenance is off",
            "schedule 'office' (Europe/Istanbul) is open: Tuesday 10:00 lies in 09:00-18:00",
            "the caller is the user Ayşe",
            "the active plan is 'welcome'",
            "plan 'welcome' revision 1 answers the call",
        ], got.Trace);
        Assert.Equal(caller.UserId, got.MatchedUser);
    }

    [Fact]
    public async Task A_dry_run_changes_nothing()
    {
        using var world = await WithRouteAsync(Plain with { GuestPolicy = GuestPolicy.CreateGuest });
        var before = (await world.LogAsync()).Count;
        await ResolveAsync(world, Stranger);
        await ResolveAsync(world, Known, atNight: true);
        Assert.Equal(before, (await world.LogAsync()).Count);
    }

    [Theory]
    [InlineData(Known, false, false, true)]
    [InlineData("anonymous", false, false, false)]
    [InlineData(Known, true, false, false)]
    [InlineData(Known, false, true, false)]
    public async Task The_caller_is_identified_only_where_it_matters(string from, bool maintenance, bool atNight, bool identify)
    {
        using var world = await WithRouteAsync(Full);
        await world.DoAsync(new SwitchMaintenance(Number, maintenance));
        var found = await world.Dialplans.FindRouteAsync(new FindRoute(from, Number, At(world, atNight)), default);
        Assert.Equal(new RouteDecision(World.Demo, Number, "tr", GuestPolicy.StayUnknown, identify), found.Value);
    }

    [Fact]
    public async Task A_tenant_s_own_words_come_before_the_built_in_ones()
    {
        using var world = await WithRouteAsync(Plain);
        await world.DoAsync(new DefineAnnouncement("maintenance", new Dictionary<string, string> { ["tr"] = "Hemen döneceğiz." }));
        await world.DoAsync(new SwitchMaintenance(Number, On: true));
        Assert.Equal("Hemen döneceğiz.", (await ResolveAsync(world, Known)).AnnouncementText);
    }

    [Fact]
    public async Task A_known_caller_hears_announcements_in_the_caller_s_language()
    {
        using var world = await WithRouteAsync(Plain);
        await world.DoAsync(new PublishDialplan("welcome", "Closed", DialplanAction.PlayAnnouncement, new(AnnouncementId: "after_hours")));
        await world.DoAsync(new ChangeLanguage(AyseId, "en"));
        var got = await ResolveAsync(world, Known);
        Assert.Equal(("en", BuiltInAnnouncements.Text("after_hours", "en")), (got.Language, got.AnnouncementText));
    }

    [Fact]
    public async Task An_assistant_speaks_its_own_language_to_everybody()
    {
        using var world = await WithRouteAsync(Plain);
        await world.DoAsync(new ChangeLanguage(AyseId, "en"));
        Assert.Equal("tr", (await ResolveAsync(world, Known)).Language);
    }

    [Fact]
    public void Every_built_in_announcement_is_there_in_both_languages() => Assert.All(BuiltInAnnouncements.Ids, id =>
    {
        var (tr, en) = (BuiltInAnnouncements.Text(id, "tr"), BuiltInAnnouncements.Text(id, "en"));
        Assert.True(!string.IsNullOrWhiteSpace(tr) && !string.IsNullOrWhiteSpace(en) && tr != en && Valid.Id(id), id);
    });

    private static readonly Guid AyseId = Guid.Parse("01980000-0000-7000-8000-0000000000aa");

    private static DateTimeOffset At(World world, bool atNight) => world.Time.GetUtcNow().AddHours(atNight ? 12 : 0);

    private static async Task<DialplanResolution> ResolveAsync(World world, string from, bool atNight = false) =>
        await world.Dialplans.ResolveAsync(new ResolveDialplan(from, Number, At(world, atNight), Caller: null), default);

    private static async Task<World> WithRouteAsync(RouteSettings settings)
    {
        var world = await World.WithTenantsAsync();
        ICommand[] commands =
        [
            new CreateUser(AyseId, "Ayşe", UserType.Caller, "tr", [new(ContactType.Phone, Known)]),
            new DefineSchedule("office", "Office", "Europe/Istanbul", [new(DayOfWeek.Tuesday, 540, 1080)], []),
            new DefineAssistant("clinic", Assistants.WithoutTasks),
            new PublishDialplan("welcome", "Welcome", DialplanAction.StartAiConversation, new(AssistantId: "clinic")),
            new PublishDialplan("guests", "Guests", DialplanAction.ProcessGuestCall, new(AssistantId: "clinic")),
            new PublishDialplan("closed", "Closed", DialplanAction.PlayAnnouncement, new(AnnouncementId: BuiltInAnnouncements.AfterHours)),
            new PublishDialplan("sorry", "Sorry", DialplanAction.PlayAnnouncement, new(AnnouncementId: BuiltInAnnouncements.Error)),
            CreateRoute.Of(Number, settings),
        ];
        foreach (var command in commands)
        {
            await world.DoAsync(command);
        }

        return world;
    }
}
