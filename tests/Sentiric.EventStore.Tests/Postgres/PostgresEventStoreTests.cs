using Sentiric.EventStore.Tests.Contract;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

public sealed class PostgresEventStoreTests(PostgresFixture postgres) : EventStoreContract, IClassFixture<PostgresFixture>
{
    protected override ValueTask<IEventStore> StoreAsync() => ValueTask.FromResult<IEventStore>(postgres.Store);
}

/// <summary>The whole contract on the other shapes of the tables.</summary>
public sealed class GuidStreamContractTests(GuidFixture postgres) : EventStoreContract, IClassFixture<GuidFixture>
{
    protected override ValueTask<IEventStore> StoreAsync() => ValueTask.FromResult<IEventStore>(new NamedStreams(postgres.Store));
}

public sealed class Marten8ContractTests(Marten8Fixture postgres) : EventStoreContract, IClassFixture<Marten8Fixture>
{
    protected override ValueTask<IEventStore> StoreAsync() => ValueTask.FromResult<IEventStore>(postgres.Store);
}

public sealed class Marten8GuidContractTests(Marten8GuidFixture postgres) : EventStoreContract, IClassFixture<Marten8GuidFixture>
{
    protected override ValueTask<IEventStore> StoreAsync() => ValueTask.FromResult<IEventStore>(new NamedStreams(postgres.Store));
}

public sealed class PartitionedContractTests(PartitionedFixture postgres) : EventStoreContract, IClassFixture<PartitionedFixture>
{
    protected override ValueTask<IEventStore> StoreAsync() => ValueTask.FromResult<IEventStore>(postgres.Store);
}

public sealed class SingleTenancyContractTests(SingleFixture postgres) : EventStoreContract, IClassFixture<SingleFixture>
{
    protected override ValueTask<IEventStore> StoreAsync() => ValueTask.FromResult<IEventStore>(new OneTenant(postgres.Store));
}

public sealed class Marten8SinglePartitionedContractTests(Marten8SinglePartitionedFixture postgres) : EventStoreContract, IClassFixture<Marten8SinglePartitionedFixture>
{
    protected override ValueTask<IEventStore> StoreAsync() => ValueTask.FromResult<IEventStore>(new NamedStreams(new OneTenant(postgres.Store), withTenant: true));
}
