using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.EventStore;
using Sentiric.Testing;
using Sentiric.Write.Calls;
using Sentiric.Write.Connectors;
using Sentiric.Write.Dialplans;
using Sentiric.Write.Tenants;
using Sentiric.Write.Users;

namespace Sentiric.Write.Tests.Kit;

/// <summary>The write side in one process on virtual time: Tuesday 17 November 2026, 10:00 in Istanbul.</summary>
internal sealed class World : IDisposable
{
    public const string Demo = "demo";
    public const string Other = "other";

    private readonly HttpConnector _http = new((_, _) => "s3cret");

    public World()
    {
        Store = new InMemoryEventStore(EventStoreSetup.EventTypes(), Time);
        Runner = new CommandRunner(Store, Time);
        Users = new UserLookup(Store, Runner);
        Dialplans = new DialplanResolver(Store, Users);
        Calendar = new CalendarConnector(Store, Runner, Time);
        Connectors = new ConnectorGateway(Store, Calendar, _http);
        Journal = new CallJournal(Store);
        Assistants = new AssistantLookup(Store);
    }

    public ManualTime Time { get; } = new(Given.Now);

    public InMemoryEventStore Store { get; }

    public CommandRunner Runner { get; }

    public UserLookup Users { get; }

    public DialplanResolver Dialplans { get; }

    public CalendarConnector Calendar { get; }

    public ConnectorGateway Connectors { get; }

    public CallJournal Journal { get; }

    public AssistantLookup Assistants { get; }

    public static async Task<World> WithTenantsAsync()
    {
        var world = new World();
        await world.DoAsync(new CreateTenant(Demo, "Demo"));
        await world.DoAsync(new CreateTenant(Other, "Other"), Other);
        return world;
    }

    public ValueTask<Result<Done>> TryAsync(ICommand command, string tenant = Demo) =>
        command.RunAsync(Runner, new Requester(tenant, "test"), CancellationToken.None);

    public async Task DoAsync(ICommand command, string tenant = Demo)
    {
        var outcome = await TryAsync(command, tenant);
        Assert.True(outcome.Ok, $"{command.GetType().Name}: {outcome.Refusal}");
    }

    public async Task<string?> RefusalOfAsync(ICommand command, string tenant = Demo) => (await TryAsync(command, tenant)).Refusal?.Code;

    /// <summary>Stored names of a stream, in order.</summary>
    public async Task<IReadOnlyList<string>> StreamAsync(string stream, string tenant = Demo) =>
        await Store.ReadStreamAsync(tenant, stream).Select(e => e.EventType).ToListAsync();

    public async Task<IReadOnlyList<RecordedEvent>> LogAsync() => await Store.ReadAllAsync(0, int.MaxValue).ToListAsync();

    public void Dispose() => _http.Dispose();
}
