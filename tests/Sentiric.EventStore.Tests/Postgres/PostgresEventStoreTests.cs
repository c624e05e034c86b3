using Sentiric.EventStore.Tests.Contract;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

public sealed class PostgresEventStoreTests(PostgresFixture postgres) : EventStoreContract, IClassFixture<PostgresFixture>
{
    protected override ValueTask<IEventStore> StoreAsync() => ValueTask.FromResult<IEventStore>(postgres.Store);
}
