using System.Text.Json;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Host.Ports;
using Sentiric.Host.Tests.Kit;
using Sentiric.Testing;
using Sentiric.Testing.Loopback;

namespace Sentiric.Host.Tests.Ports;

/// <summary>What the ports of the write, read and agent roles keep, called directly or over HTTP.</summary>
public abstract class DataPortsContract : IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly DateTimeOffset At = new(2026, 11, 17, 10, 30, 0, 125, TimeSpan.FromHours(3));
    private readonly Fakes _behind = new();
    private Front _front = null!;

    public static TheoryData<string> StoredNames => [.. EventCatalog.All.Select(k => k.StoredName)];

    public async Task InitializeAsync() => _front = await ConnectAsync(_behind);

    public virtual Task DisposeAsync() => Task.CompletedTask;

    private protected abstract Task<Front> ConnectAsync(Fakes behind);

    private protected sealed record Front(IUsers Users, IDialplans Dialplans, ICallJournal Journal, IKnowledge Knowledge, IConnectors Connectors, IAssistants Assistants, IChats Chats);

    [Fact]
    public async Task A_caller_is_identified_and_a_refusal_travels_as_a_value()
    {
        var question = new IdentifyCaller("demo", "+905321112233", GuestPolicy.CreateGuest, "tr", Guid.CreateVersion7());
        var known = (await _front.Users.IdentifyAsync(question, None)).Value;
        Assert.Equal(new CallerIdentity(question.CallId, "Ayşe Yılmaz", UserType.Guest, "tr", "+905321112233", true), known);
        Assert.Equal(question, Assert.Single(_behind.Asked));
        Assert.Equal(new Refusal("caller.unknown", "Bilinmiyor: \"x\"."), (await _front.Users.IdentifyAsync(question with { Policy = GuestPolicy.Reject }, None)).Refusal);
    }

    [Fact]
    public async Task A_credential_is_found() => Assert.Equal(
        new SipCredential("demo", Guid.Empty, "sentiric", "ayşe", "md5", "sha", true), (await _front.Users.FindCredentialAsync("sentiric", "ayşe", None)).Value);

    [Fact]
    public async Task A_route_is_found_or_refused()
    {
        Assert.Equal(new RouteDecision("demo", "1001", "en", GuestPolicy.StayUnknown, true), (await _front.Dialplans.FindRouteAsync(new("a", "1001", At), None)).Value);
        Assert.Equal(new FindRoute("a", "1001", At), Assert.Single(_behind.Asked));
        Assert.Equal("route.unknown", (await _front.Dialplans.FindRouteAsync(new("a", "404", At), None)).Refusal?.Code);
    }

    [Fact]
    public async Task A_resolution_comes_whole()
    {
        var question = new ResolveDialplan("a", "b", At, new CallerIdentity(null, null, null, "tr", "a", false));
        var resolution = await _front.Dialplans.ResolveAsync(question, None);
        Assert.Equal(Json(Fakes.Resolution), Json(resolution));
        Assert.Equal(question, Assert.Single(_behind.Asked));
    }

    [Theory]
    [MemberData(nameof(StoredNames))]
    public async Task Every_event_survives_the_way_into_the_journal(string storedName)
    {
        var kind = EventCatalog.ForStoredName(storedName)!;
        var approved = await File.ReadAllTextAsync(Repository.PathOf("tests", "Sentiric.Contracts.Tests", "Events", "approved", storedName + ".json"));
        var stored = approved[(approved.IndexOf("// stored\n", StringComparison.Ordinal) + 10)..approved.IndexOf("// on the wire", StringComparison.Ordinal)];
        var fact = JsonSerializer.Deserialize(stored, EventCatalog.StoredJson(kind.Type))!;
        var entry = new JournalEntry(Guid.CreateVersion7(), fact, "test");

        Assert.True((await _front.Journal.AppendAsync("demo", "call-1", [entry], None)).Ok);
        var got = Assert.Single(_behind.Journal);
        Assert.Equal((entry.EventId, "test", kind.Type), (got.EventId, got.Actor, got.Event.GetType()));
        Assert.Equal(JsonSerializer.Serialize(fact, EventCatalog.StoredJson(kind.Type)), JsonSerializer.Serialize(got.Event, EventCatalog.StoredJson(kind.Type)));
    }

    [Fact]
    public async Task A_journal_keeps_the_order_and_says_no_as_a_value()
    {
        JournalEntry[] page = [.. Enumerable.Range(0, 200).Select(n => new JournalEntry(Guid.CreateVersion7(), new DtmfReceived(At, $"{n}", n), "sip"))];
        Assert.Equal("journal.invalid", (await _front.Journal.AppendAsync("demo", "full", page, None)).Refusal?.Code);
        Assert.Equal(page.Select(e => e.Event), _behind.Journal.Select(e => e.Event));
    }

    [Fact]
    public async Task Knowledge_is_searched_and_nothing_found_is_an_empty_list()
    {
        Assert.Equal([new KnowledgeHit("hours", "Saatler", "Dokuzda.", 0.75)], await _front.Knowledge.SearchAsync(new("demo", "kaçta açıksınız", "tr", 2), None));
        Assert.Equal(new SearchKnowledge("demo", "kaçta açıksınız", "tr", 2), Assert.Single(_behind.Asked));
        Assert.Empty(await _front.Knowledge.SearchAsync(new("demo", "yok", "tr"), None));
        Assert.Equal(["demo", "tr", "kaçta açıksınız"], await _front.Knowledge.QuestionsAsync("demo", "tr", None));
    }

    [Fact]
    public async Task A_connector_gets_its_parameters_and_its_refusal_comes_back()
    {
        var question = new ExecuteConnector("demo", "takvim", "book", new Dictionary<string, string> { ["day"] = "salı", ["Time_Zone"] = "x" }, "key-1", Guid.Empty);
        var done = (await _front.Connectors.ExecuteAsync(question, None)).Value;
        Assert.Equal(new Dictionary<string, string> { ["appointment_id"] = "key-1", ["day"] = "salı" }, done.Values);
        Assert.Equal(question.Parameters, Assert.IsType<ExecuteConnector>(Assert.Single(_behind.Asked)).Parameters);
        Assert.Equal(new Refusal("calendar.slot_taken", "Dolu."), (await _front.Connectors.ExecuteAsync(question with { Action = "taken" }, None)).Refusal);
    }

    [Fact]
    public async Task An_assistant_comes_whole()
    {
        Assert.Equal(Json(Fakes.Assistant), Json((await _front.Assistants.FindAsync("demo", "sena", None)).Value));
        Assert.Equal("assistant.unknown", (await _front.Assistants.FindAsync("demo", "none", None)).Refusal?.Code);
    }

    [Fact]
    public async Task A_chat_is_started_and_goes_on()
    {
        Assert.Equal(["Merhaba", "kimse"], (await _front.Chats.StartAsync(new("demo", "sena", null), None)).Value.Texts);
        Assert.Equal("assistant.unknown", (await _front.Chats.StartAsync(new("demo", "none", null), None)).Refusal?.Code);
        var chat = Guid.CreateVersion7();
        var reply = (await _front.Chats.SayAsync("demo", chat, "iyi günler", None)).Value;
        Assert.Equal((chat, true), (reply.ChatId, reply.Ended));
        Assert.Equal("iyi günler", Assert.Single(reply.Texts));
    }

    private static string Json<T>(T value) => JsonSerializer.Serialize(value, Wire.Json);
}

public sealed class DataPortsInProcess : DataPortsContract
{
    private protected override Task<Front> ConnectAsync(Fakes behind) => Task.FromResult(new Front(behind, behind, behind, behind, behind, behind, behind));
}

public sealed class DataPortsOverHttp : DataPortsContract
{
    private LoopbackApp _app = null!;

    private protected override async Task<Front> ConnectAsync(Fakes behind)
    {
        _app = await LoopbackApp.StartAsync(app =>
        {
            UsersPort.Map(app, behind);
            DialplansPort.Map(app, behind);
            JournalPort.Map(app, behind);
            KnowledgePort.Map(app, behind);
            ConnectorsPort.Map(app, behind, behind);
            ChatsPort.Map(app, behind);
        }, Given.WireJson);
        var client = ServiceClients.ClientFor(_app.Address, Given.ServiceKey);
        return new(new UsersPort(client), new DialplansPort(client), new JournalPort(client), new KnowledgePort(client), new ConnectorsPort(client), new ConnectorsPort(client), new ChatsPort(client));
    }

    public override async Task DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task A_role_that_does_not_answer_is_told_apart_from_one_that_says_no()
    {
        var nobody = new UsersPort(ServiceClients.ClientFor(new Uri("http://127.0.0.1:1/"), Given.ServiceKey));
        await Assert.ThrowsAsync<ServiceUnavailableException>(async () => await nobody.FindCredentialAsync("a", "b", CancellationToken.None));
        var lost = new MediaPort(ServiceClients.ClientFor(_app.Address, Given.ServiceKey), Given.ServiceKey);
        await Assert.ThrowsAsync<ServiceUnavailableException>(async () => await lost.ClearAsync("x", CancellationToken.None));
    }

    [Fact]
    public async Task A_fact_that_this_build_does_not_know_is_refused_by_name()
    {
        using var response = await _app.Client.PostAsync("/internal/journal/append", new StringContent(
            """{"tenant":"demo","stream":"call-1","entries":[{"event_id":"01930000-0000-7000-8000-000000000001","type":"call.dreamt","actor":"x","data":{}}]}""",
            System.Text.Encoding.UTF8, "application/json"));
        Assert.Equal(409, (int)response.StatusCode);
        Assert.Contains("call.dreamt", await response.Content.ReadAsStringAsync());
    }
}
