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

[Trait("Category", "Slow")]
public sealed class Marten8ContractTests(Marten8Fixture postgres) : EventStoreContract, IClassFixture<Marten8Fixture>
{
    protected override ValueTask<IEventStore> StoreAsync() => ValueTask.FromResult<IEventStore>(postgres.Store);
}

public sealed class Marten8GuidContractTests(Marten8GuidFixture postgres) : EventStoreContract, IClassFixture<Marten8GuidFixture>
{
    protected override ValueTask<IEventStore> StoreAsync() => ValueTask.FromResult<IEventStore>(new NamedStreams(postgres.Store));
}

[Trait("Category", "Slow")]
public sealed class PartitionedContractTests(PartitionedFixture postgres) : EventStoreContract, IClassFixture<PartitionedFixture>
{
    protected override ValueTask<IEventStore> StoreAsync() => ValueTask.FromResult<IEventStore>(postgres.Store);
}

[Trait("Category", "Slow")]
public sealed class SingleTenancyContractTests(SingleFixture postgres) : EventStoreContract, IClassFixture<SingleFixture>
{
    protected override ValueTask<IEventStore> StoreAsync() => ValueTask.FromResult<IEventStore>(new OneTenant(postgres.Store));
}

/// <summary>The whole contract again after a Marten host has migrated the schema to its own description.</summary>
[Trait("Category", "Slow")]
public sealed class MigratedContractTests(MigratedFixture postgres) : EventStoreContract, IClassFixture<MigratedFixture>
{
    protected override ValueTask<IEventStore> StoreAsync() => ValueTask.FromResult<IEventStore>(postgres.Store);
}
