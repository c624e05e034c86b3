using Sentiric.EventStore.Tests.Contract;

namespace Sentiric.EventStore.Tests.InMemory;

public sealed class InMemoryImportTests : ImportContract
{
    private readonly InMemoryEventStore _store = new(Facts.Serializer, TimeProvider.System);

    protected override ValueTask<(IEventStore Store, IEventImporter Importer)> OpenAsync() =>
        ValueTask.FromResult<(IEventStore, IEventImporter)>((_store, _store));
}
