using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;
using Sentiric.Contracts.Services;
using Sentiric.Read.Dialplans;
using Sentiric.Read.Knowledge;
using Sentiric.Read.Tests.Kit;
using Sentiric.Read.Users;

namespace Sentiric.Read.Tests.Users;

public sealed class Directories : IAsyncLifetime
{
    private static readonly DateTimeOffset At = DemoCall.Begin;
    private static readonly Guid Ali = new("01930000-0000-7000-8000-0000000000bb");
    private readonly ReadWorld _world = new();

    public Task InitializeAsync() => _world.InitializeAsync();

    public Task DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_user_is_listed_with_contacts_and_phones_and_only_in_its_tenant()
    {
        await _world.TellAsync(
            "demo", Streams.User(Ali), new UserCreated(At, Ali, "Ali", UserType.Agent, "tr"), new ContactAdded(At, Ali, ContactType.Phone, "+905320000000", true),
            new SipCredentialSet(At, Ali, "sentiric", "ali", "x", "y"), new UserDisabled(At, Ali, "left"));

        var row = Assert.Single(await _world.GetAsync<UserRow[]>("demo", "/users"));
        Assert.Equal((Ali, "Ali", UserType.Agent, "tr", true), (row.UserId, row.Name, row.Type, row.Language, row.Disabled));
        Assert.Equal(new ContactRow(ContactType.Phone, "+905320000000", true), Assert.Single(row.Contacts));
        Assert.Equal("ali", Assert.Single(row.SipUsernames));
        Assert.Equal("Ali", (await _world.GetAsync<UserRow>("demo", $"/users/{Ali}")).Name);

        Assert.Empty(await _world.GetAsync<UserRow[]>("other", "/users"));
        Assert.Equal("user.unknown", await _world.RefusedAsync("other", $"/users/{Ali}"));
    }

    [Fact]
    public async Task Extensions_are_listed_by_name_in_pages_with_their_realm_and_only_of_their_tenant()
    {
        var veli = Guid.CreateVersion7(At);
        await _world.TellAsync(
            "demo", Streams.User(Ali), new UserCreated(At, Ali, "Ali", UserType.Agent, "tr"), new SipCredentialSet(At, Ali, "sentiric", "ali_1", "x", "y"),
            new SipCredentialSet(At, Ali, "elsewhere", "ali_1", "x", "y"), new SipCredentialSet(At, Ali, "sentiric", "gone", "x", "y"), new SipCredentialRemoved(At, Ali, "sentiric", "gone"));
        await _world.TellAsync(
            "demo", Streams.User(veli), new UserCreated(At, veli, "Veli", UserType.Agent, "tr"), new SipCredentialSet(At, veli, "sentiric", "Zil", "x", "y"),
            new SipCredentialSet(At, veli, "sentiric", "aliX1", "x", "y"), new UserDisabled(At, veli, "left"));
        var extensions = new Extensions(new Tables(_world.Source));
        async Task<IReadOnlyList<Extension>> AskAsync(string tenant, string? name = null, Extension? after = null, int limit = 100) =>
            await extensions.ListAsync(new(tenant, name, after?.Name, after?.Realm, limit), default);

        Extension[] all = [new("Zil", "sentiric", veli, "Veli", true), new("aliX1", "sentiric", veli, "Veli", true), new("ali_1", "elsewhere", Ali, "Ali", false), new("ali_1", "sentiric", Ali, "Ali", false)];
        Assert.Equal(all, await AskAsync("demo"));
        Assert.Equal(all[..2], await AskAsync("demo", limit: 2));
        Assert.Equal(all[2..], await AskAsync("demo", after: all[1]));
        Assert.Equal(all[3..], await AskAsync("demo", after: all[2]));
        Assert.Equal(all[2..], await AskAsync("demo", "ali_1"));
        Assert.Equal(all[1..], await AskAsync("demo", "ali*"));
        Assert.Empty(await AskAsync("demo", "al%"));
        Assert.Empty(await AskAsync("other"));
    }

    [Fact]
    public async Task No_answer_shows_the_secret_of_a_phone()
    {
        await _world.TellAsync(
            "demo", Streams.User(Ali), new UserCreated(At, Ali, "Ali", UserType.Agent, "tr"), new SipCredentialSet(At, Ali, "sentiric", "ali", "ha1-of-md5", "ha1-of-sha"));
        using var response = await _world.AskAsync("demo", $"/users/{Ali}");
        Assert.DoesNotContain("ha1-of", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Dialplans_routes_and_what_they_refer_to_are_listed_per_tenant()
    {
        var settings = new RouteSettings("ai", null, null, null, "week", "tr", false, GuestPolicy.CreateGuest);
        await _world.TellAsync("demo", Streams.Dialplan("ai"), new DialplanPublished(At, "ai", 2, "AI", DialplanAction.StartAiConversation, new("demo-agent")));
        await _world.TellAsync("demo", Streams.Route(DemoCall.To), new RouteCreated(At, DemoCall.To, settings), new MaintenanceSwitched(At, DemoCall.To, true));
        await _world.TellAsync("demo", Streams.Schedule("week"), new ScheduleDefined(At, "week", "Week", "Europe/Istanbul", [], []));
        await _world.TellAsync("demo", Streams.Connector("takvim"), new ConnectorRegistered(At, "takvim", ConnectorKind.Calendar, new Dictionary<string, string>()));

        Assert.Equal(("ai", 2, false), Assert.Single(await _world.GetAsync<DialplanRow[]>("demo", "/dialplans")) is var plan ? (plan.DialplanId, plan.Revision, plan.Retired) : default);
        var route = Assert.Single(await _world.GetAsync<RouteRow[]>("demo", "/routes"));
        Assert.Equal((settings, true), (route.Settings, route.Maintenance));
        var schedule = Assert.Single(await _world.GetAsync<DefinitionRow[]>("demo", "/schedules"));
        Assert.Equal(("week", "Europe/Istanbul"), (schedule.Id, schedule.Definition.GetProperty("time_zone").GetString()));
        Assert.Equal("takvim", Assert.Single(await _world.GetAsync<DefinitionRow[]>("demo", "/connectors")).Id);
        Assert.Empty(await _world.GetAsync<DefinitionRow[]>("demo", "/assistants"));

        foreach (var path in new[] { "/dialplans", "/routes", "/schedules", "/connectors" })
        {
            Assert.Empty(await _world.GetAsync<object[]>("other", path));
        }
    }

    [Fact]
    public async Task D41_articles_are_found_in_their_tenant_only()
    {
        await _world.TellAsync("demo", Streams.Article("hours"), new ArticlePublished(At, "hours", "Çalışma saatleri", ["kaçta açıksınız"], "Dokuzda.", "tr", []));
        Assert.Single(await _world.GetAsync<ArticleRow[]>("demo", "/knowledge/articles"));
        Assert.Empty(await _world.GetAsync<ArticleRow[]>("other", "/knowledge/articles"));
        var question = "/knowledge/search?q=" + Uri.EscapeDataString("kaçta açıksınız");
        Assert.Single(await _world.GetAsync<Contracts.Services.KnowledgeHit[]>("demo", question));
        Assert.Empty(await _world.GetAsync<Contracts.Services.KnowledgeHit[]>("other", question));
        Assert.Empty(await _world.GetAsync<Contracts.Services.KnowledgeHit[]>("demo", question + "&language=en"));
    }

    [Fact]
    public async Task A_withdrawn_article_is_found_no_more()
    {
        await _world.TellAsync(
            "demo", Streams.Article("hours"), new ArticlePublished(At, "hours", "Çalışma saatleri", ["kaçta açıksınız"], "Dokuzda.", "tr", []), new ArticleWithdrawn(At, "hours"));
        Assert.Empty(await _world.GetAsync<ArticleRow[]>("demo", "/knowledge/articles"));
    }
}
