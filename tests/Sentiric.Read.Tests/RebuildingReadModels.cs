using Sentiric.Contracts.Events;
using Sentiric.EventStore;
using Sentiric.Read.Ops;
using Sentiric.Read.Tests.Kit;

namespace Sentiric.Read.Tests;

public sealed class RebuildingReadModels : IAsyncLifetime
{
    private readonly ReadWorld _world = new();

    public async Task InitializeAsync()
    {
        await _world.InitializeAsync();
        await TellEverythingAsync("demo");
        await TellEverythingAsync("other");
    }

    public Task DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [InlineData("rebuilding", ProjectionState.Running, "running")]
    [InlineData("paused", ProjectionState.Running, "paused")]
    [InlineData("running", ProjectionState.Stopped, "running")]
    public void A_rebuild_that_is_done_is_not_told_as_under_way(string written, ProjectionState own, string told) =>
        Assert.Equal(told, ProjectionRebuilds.Switched(new Contracts.Queries.ProjectionStatus("CallRecords", 7, 7, 0, written, null), own).State);

    [Fact]
    public async Task D38_read_models_rebuilt_from_events_equal_the_live_ones()
    {
        foreach (var projection in ReadSide.Projections)
        {
            var live = await _world.RowsAsync(projection);
            Assert.NotEmpty(live);
            await _world.Daemon.RebuildAsync(projection.Name);
            Assert.Equal(live, await _world.RowsAsync(projection));
        }
    }

    [Fact]
    public async Task D38_replaying_twice_gives_the_same_rows()
    {
        var projection = ReadSide.Projections[0];
        await _world.Daemon.RebuildAsync(projection.Name);
        var once = await _world.RowsAsync(projection);
        await _world.Daemon.RebuildAsync(projection.Name);
        Assert.Equal(once, await _world.RowsAsync(projection));
    }

    [Fact]
    public async Task A_rebuilt_read_model_goes_on_with_what_comes()
    {
        var projection = ReadSide.Projections[0];
        await _world.Daemon.RebuildAsync(projection.Name);
        var id = Guid.CreateVersion7(DemoCall.Begin.AddHours(1));
        await _world.TellAsync("demo", Streams.Call(id), DemoCall.GivenUp(DemoCall.Begin.AddHours(1)));
        Assert.Contains(id.ToString(), await _world.RowsAsync(projection));
    }

    [Fact]
    public async Task The_projections_tell_where_they_stand()
    {
        var rows = await _world.GetAsync<Contracts.Queries.ProjectionStatus[]>("demo", "/projections");
        Assert.Equal(ReadSide.Projections.Select(p => p.Name), rows.Select(r => r.Name));
        Assert.All(rows, r => Assert.Equal((0L, null), (r.Lag, r.LastError)));
    }

    // Every event that a projection looks at, in an order that can happen.
    private async Task TellEverythingAsync(string tenant)
    {
        var at = DemoCall.Begin;
        var user = Guid.CreateVersion7(at);
        await _world.TellAsync(
            tenant, Streams.User(user),
            new UserCreated(at, user, "Ali", UserType.Caller, "tr"), new UserRenamed(at, user, "Ali Veli"), new UserLanguageChanged(at, user, "en"),
            new ContactAdded(at, user, ContactType.Phone, DemoCall.From, true), new ContactAdded(at, user, ContactType.Email, "a@b.c", false),
            new ContactRemoved(at, user, ContactType.Email, "a@b.c"), new SipCredentialSet(at, user, "sentiric", "ali", "x", "y"),
            new SipCredentialSet(at, user, "sentiric", "veli", "x", "y"), new SipCredentialRemoved(at, user, "sentiric", "veli"),
            new UserDisabled(at, user, "test"), new UserEnabled(at, user), new UserDisabled(at, user, "test"));
        await _world.TellAsync(
            tenant, Streams.Dialplan("ai"), new DialplanPublished(at, "ai", 1, "AI", DialplanAction.StartAiConversation, new("demo-agent")),
            new DialplanPublished(at, "ai", 2, "AI", DialplanAction.EchoTest, new()), new DialplanRetired(at, "ai"));
        var settings = new RouteSettings("ai", null, null, null, null, "tr", false, GuestPolicy.CreateGuest);
        await _world.TellAsync(
            tenant, Streams.Route(DemoCall.To), new RouteCreated(at, DemoCall.To, settings), new RouteChanged(at, DemoCall.To, settings with { Language = "en" }),
            new MaintenanceSwitched(at, DemoCall.To, true));
        await _world.TellAsync(tenant, Streams.Route("1001"), new RouteCreated(at, "1001", settings), new RouteRemoved(at, "1001"));
        await _world.TellAsync(tenant, Streams.Schedule("week"), new ScheduleDefined(at, "week", "Week", "Europe/Istanbul", [new(DayOfWeek.Monday, 540, 1080)], [new(2026, 10, 29)]));
        await _world.TellAsync(tenant, Streams.Announcement("bye"), new AnnouncementDefined(at, "bye", new Dictionary<string, string> { ["tr"] = "Güle güle" }));
        await _world.TellAsync(tenant, Streams.Assistant("demo-agent"), new AssistantDefined(at, "demo-agent", new("Demo", "tr", "Merhaba", "", [], true, [])));
        await _world.TellAsync(tenant, Streams.Connector("takvim"), new ConnectorRegistered(at, "takvim", ConnectorKind.Calendar, new Dictionary<string, string> { ["open_from"] = "09:00" }));
        await _world.TellAsync(tenant, Streams.Connector("gone"), new ConnectorRegistered(at, "gone", ConnectorKind.Calendar, new Dictionary<string, string>()), new ConnectorRemoved(at, "gone"));
        await _world.TellAsync(
            tenant, Streams.Article("hours"), new ArticlePublished(at, "hours", "Saatler", ["kaçta açıksınız"], "Dokuzda.", "tr", []),
            new ArticleRevised(at, "hours", "Saatler", ["kaçta açıksınız", "kaça kadar açıksınız"], "Dokuzdan altıya.", "tr", ["saat"]));
        await _world.TellAsync(tenant, Streams.Article("old"), new ArticlePublished(at, "old", "Eski", ["eski"], "Eski.", "tr", []), new ArticleWithdrawn(at, "old"));

        var whole = tenant == "demo" ? DemoCall.Id : Guid.CreateVersion7(at);
        await _world.TellAsync(tenant, Streams.Call(whole), [.. DemoCall.Running(), .. DemoCall.Ending()]);
        await _world.TellAsync(tenant, Streams.Call(Guid.CreateVersion7(at.AddSeconds(9))), DemoCall.Running());
        await _world.TellAsync(tenant, Streams.Call(Guid.CreateVersion7(at.AddMinutes(2))), DemoCall.GivenUp(at.AddMinutes(2)));
    }
}
