using Npgsql;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.EventStore;
using Sentiric.Testing.Postgres;
using Sentiric.Write.Calls;
using Sentiric.Write.Dialplans;
using Sentiric.Write.Tenants;
using Sentiric.Write.Users;

namespace Sentiric.Write.Tests.Postgres;

/// <summary>What the in-memory store cannot show: claims over several streams, raced through a real database.</summary>
public sealed class OnPostgres : IAsyncLifetime
{
    private static readonly SeedDemoTenant Seed = new("ayse-parola");
    private string _connection = "";
    private NpgsqlDataSource? _source;
    private PostgresEventStore? _store;

    private PostgresEventStore Store => _store ?? throw new InvalidOperationException("the fixture was not started");

    public async Task InitializeAsync()
    {
        _connection = await PostgresInstance.GetAsync();
        _source = NpgsqlDataSource.Create(_connection);
        _store = new PostgresEventStore(_source, EventStoreSetup.EventTypes(), TimeProvider.System);
        await _store.EnsureSchemaAsync();
    }

    public async Task DisposeAsync()
    {
        await Store.DisposeAsync();
        await (_source?.DisposeAsync() ?? ValueTask.CompletedTask);
        await PostgresInstance.DropAsync(_connection);
    }

    [Fact]
    public async Task The_demo_tenant_is_seeded_once_and_answers_calls()
    {
        var runner = new CommandRunner(Store, TimeProvider.System);
        Assert.True((await Seed.RunAsync(Store, runner, default)).Ok);
        var seeded = await Store.GetHighWaterMarkAsync();
        Assert.True((await Seed.RunAsync(Store, runner, default)).Ok);
        Assert.Equal(seeded, await Store.GetHighWaterMarkAsync());

        var dialplans = new DialplanResolver(Store, new UserLookup(Store, runner));
        var resolution = await dialplans.ResolveAsync(new ResolveDialplan(SeedDemoTenant.KnownCaller, "1001", TimeProvider.System.GetUtcNow(), null), default);
        Assert.Equal(("normal", "tr", SeedDemoTenant.KnownCallerId), (resolution.Why, resolution.Assistant?.Language, resolution.MatchedUser));
    }

    [Fact]
    public async Task Two_calls_of_one_stranger_at_once_make_one_guest()
    {
        var runner = new CommandRunner(Store, TimeProvider.System);
        Assert.True((await new CreateTenant("demo", "Demo").RunAsync(runner, new Requester("demo", "test"), default)).Ok);
        var users = new UserLookup(Store, runner);
        var callers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() =>
            users.IdentifyAsync(new IdentifyCaller("demo", "+905550000001", GuestPolicy.CreateGuest, "tr", Guid.NewGuid()), default).AsTask())));
        Assert.Single(callers.Select(c => c.Value.UserId).Distinct());
        Assert.Equal(1, callers.Count(c => c.Value.Created));
    }

    [Fact]
    public async Task Two_roles_report_on_one_call_at_once()
    {
        var (stream, now) = (Streams.Call(Guid.CreateVersion7()), TimeProvider.System.GetUtcNow());
        var first = new CallJournal(Store);
        await first.AppendAsync("demo", stream, [Entry(new CallReceived(now, "x", "a", "", "1001", CallDirection.Inbound, "udp", "127.0.0.1:5060"))], default);
        var outcomes = await Task.WhenAll(new[] { first, new CallJournal(Store) }.SelectMany(journal => Enumerable.Range(0, 10)
            .Select(i => Task.Run(() => journal.AppendAsync("demo", stream, [Entry(new SpeechStarted(now, i))], default).AsTask()))));
        Assert.All(outcomes, outcome => Assert.True(outcome.Ok, outcome.Refusal?.Why));
        Assert.Equal(21, await Store.ReadStreamAsync("demo", stream).CountAsync());
    }

    private static JournalEntry Entry(object fact) => new(Guid.CreateVersion7(), fact, "test");
}
