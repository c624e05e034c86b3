using Microsoft.Extensions.DependencyInjection;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.EventStore;
using Sentiric.Write.Relay;
using Sentiric.Write.Tests.Kit;

namespace Sentiric.Write.Tests;

public sealed class WriteSideTests
{
    [Fact]
    public void Every_port_and_the_relay_can_be_had()
    {
        using var world = new World();
        var services = new ServiceCollection().AddLogging()
            .AddSingleton<IEventStore>(world.Store).AddSingleton<ICheckpointStore, InMemoryCheckpointStore>().AddSingleton<IEventBus, Nowhere>()
            .AddWriteSide();
        using var provider = services.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });
        Type[] wanted = [typeof(IUsers), typeof(IDialplans), typeof(IConnectors), typeof(ICallJournal), typeof(IAssistants), typeof(CommandRunner), typeof(EventRelay)];
        Assert.All(wanted, type => Assert.NotNull(provider.GetService(type)));
    }

    [Fact]
    public void Every_event_of_the_catalog_can_be_stored() =>
        Assert.Equal(EventCatalog.All.Select(k => k.StoredName).Order(), EventStoreSetup.EventTypes().Entries.Select(e => e.StoredName).Order());

    private sealed class Nowhere : IEventBus
    {
        public Task PublishAsync(EventEnvelope envelope, CancellationToken ct) => Task.CompletedTask;
    }
}
