using System.Transactions;
using Npgsql;
using Sentiric.EventStore.Tests.Contract;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>A caller's <see cref="TransactionScope"/> is his own: connections that everybody shares do not join it.</summary>
public sealed class AmbientTransactionTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    private readonly string _tenant = "s-" + Guid.NewGuid().ToString("N")[..8];

    [Fact]
    public void The_connection_string_of_a_store_joins_no_scope() =>
        Assert.False(new NpgsqlConnectionStringBuilder(PostgresSchema.ConnectionString("Host=127.0.0.1", new PostgresEventStoreOptions())).Enlist);

    [Fact]
    public async Task What_was_answered_is_stored_whatever_becomes_of_the_callers_scope()
    {
        await using var source = NpgsqlDataSource.Create(postgres.ConnectionString);
        await using var store = new PostgresEventStore(source, Facts.Serializer, TimeProvider.System);
        using (new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await AppendAsync(store, "mine");
            await ByAnotherAsync(() => AppendAsync(store, "anothers"));
        }

        Assert.Equal(1, (await store.GetStreamStateAsync(_tenant, "mine"))?.Version);
        Assert.Equal(1, (await store.GetStreamStateAsync(_tenant, "anothers"))?.Version);
    }

    [Fact]
    public async Task Several_streams_and_kept_ones_are_written_inside_a_scope()
    {
        await using var source = NpgsqlDataSource.Create(postgres.ConnectionString);
        await using var store = new PostgresEventStore(source, Facts.Serializer, TimeProvider.System);
        using (new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await store.AppendToStreamsAsync(_tenant, [new StreamAppend(null, "a", ExpectedVersion.NoStream, [Facts.Raised(1)])]);
            await using var kept = await store.LockStreamAsync(_tenant, "b");
            await kept.AppendAsync([Facts.Raised(1)]);
        }

        Assert.Equal(1, (await store.GetStreamStateAsync(_tenant, "a"))?.Version);
        Assert.Equal(1, (await store.GetStreamStateAsync(_tenant, "b"))?.Version);
    }

    [Fact]
    public async Task Who_reads_inside_a_scope_sees_what_was_stored_since()
    {
        await using var source = NpgsqlDataSource.Create(postgres.ConnectionString);
        await using var store = new PostgresEventStore(source, Facts.Serializer, TimeProvider.System);
        var after = await store.GetHighWaterMarkAsync();
        using var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);
        Assert.Null(await store.GetStreamStateAsync(_tenant, "late"));
        Assert.Equal(after, await store.GetHighWaterMarkAsync());
        await ByAnotherAsync(() => AppendAsync(store, "late"));

        Assert.Equal(1, (await store.GetStreamStateAsync(_tenant, "late"))?.Version);
        Assert.Equal(after + 1, await store.GetHighWaterMarkAsync());
    }

    /// <summary>Somebody who has no scope.</summary>
    private static Task ByAnotherAsync(Func<Task> work)
    {
        using (ExecutionContext.SuppressFlow()) return Task.Run(work);
    }

    private async Task AppendAsync(PostgresEventStore store, string stream) =>
        await store.AppendToStreamAsync(_tenant, stream, ExpectedVersion.NoStream, [Facts.Raised(1)]);
}
