using Sentiric.EventStore.Tests.Contract;

namespace Sentiric.EventStore.Tests.InMemory;

public sealed class InMemoryEventStoreTests : EventStoreContract
{
    private readonly InMemoryEventStore _store = new(Facts.Serializer, TimeProvider.System);

    protected override ValueTask<IEventStore> StoreAsync() => ValueTask.FromResult<IEventStore>(_store);
}
