using Npgsql;
using Sentiric.Testing.Platform;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>Somebody else's transaction that keeps the row of a stream: whoever appends to it waits until this lets go.</summary>
internal sealed class RowLock : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;

    private RowLock(NpgsqlConnection connection, NpgsqlTransaction transaction) => (_connection, _transaction) = (connection, transaction);

    public static async Task<RowLock> TakeAsync(PostgresFixture postgres, string tenant, string stream)
    {
        var connection = await postgres.Source.OpenConnectionAsync();
        var transaction = await connection.BeginTransactionAsync();
        await using var take = new NpgsqlCommand("""
            insert into mt_streams (tenant_id, id, version, timestamp, created, is_archived) values ($1, $2, 0, now(), now(), false) on conflict do nothing;
            """, connection) { Parameters = { new() { Value = tenant }, new() { Value = stream } } };
        await take.ExecuteNonQueryAsync();
        await using var keep = new NpgsqlCommand("select 1 from mt_streams where tenant_id = $1 and id = $2 for update", connection)
        {
            Parameters = { new() { Value = tenant }, new() { Value = stream } },
        };
        await keep.ExecuteNonQueryAsync();
        return new RowLock(connection, transaction);
    }

    /// <summary>Returns when an append has met the lock.</summary>
    public Task IsWaitedForAsync(PostgresFixture postgres) => Until.TrueAsync(
        "an append that waits for the row",
        async () => (await postgres.LinesAsync(
            "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%mt_streams%' and pid <> pg_backend_pid()")).Count > 0,
        TimeSpan.FromSeconds(10));

    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
