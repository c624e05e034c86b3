using Npgsql;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>An append whose transaction the test ends when and how it likes.</summary>
internal sealed class SlowAppend : IAsyncDisposable
{
    private const string Sql = """
        with s as (insert into mt_streams (tenant_id, id, version) values ('acme', $1, 1) returning id)
        insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id)
        select nextval('mt_events_sequence'), gen_random_uuid(), s.id, 1, '{"By": 1}', 'counter_raised', now(), 'acme' from s returning seq_id
        """;

    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;

    private SlowAppend(NpgsqlConnection connection, NpgsqlTransaction transaction, long position) =>
        (_connection, _transaction, Position) = (connection, transaction, position);

    public long Position { get; }

    public static async Task<SlowAppend> BeginAsync(NpgsqlDataSource source, string stream)
    {
        var connection = await source.OpenConnectionAsync();
        var transaction = await connection.BeginTransactionAsync();
        await using var append = new NpgsqlCommand(Sql, connection) { Parameters = { new() { Value = stream } } };
        return new SlowAppend(connection, transaction, (long)(await append.ExecuteScalarAsync() ?? 0L));
    }

    public async Task SleepAsync(int milliseconds)
    {
        await using var sleep = new NpgsqlCommand($"select pg_sleep({milliseconds} / 1000.0)", _connection);
        await sleep.ExecuteNonQueryAsync();
    }

    public Task CommitAsync() => _transaction.CommitAsync();

    public Task RollbackAsync() => _transaction.RollbackAsync();

    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
