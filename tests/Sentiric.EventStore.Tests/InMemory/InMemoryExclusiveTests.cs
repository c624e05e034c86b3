using Sentiric.EventStore.Tests.Contract;

namespace Sentiric.EventStore.Tests.InMemory;

public sealed class InMemoryExclusiveTests : ExclusiveContract
{
    protected override IExclusiveStreams Store { get; } = new InMemoryEventStore(Facts.Serializer, TimeProvider.System);
}
