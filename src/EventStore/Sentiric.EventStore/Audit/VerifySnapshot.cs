using System.Data;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>One moment of the database, seen through as many connections as are needed. Nothing that happens meanwhile can look like tampering.</summary>
internal sealed class VerifySnapshot : IAsyncDisposable
{
    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlConnection _holder;
    private readonly NpgsqlTransaction _transaction;
    private readonly string _id;

    private VerifySnapshot(NpgsqlDataSource source, NpgsqlConnection holder, NpgsqlTransaction transaction, string id) =>
        (_source, _holder, _transaction, _id) = (source, holder, transaction, id);

    public static async ValueTask<VerifySnapshot> TakeAsync(NpgsqlDataSource source, CancellationToken ct)
    {
        var holder = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        try
        {
            var transaction = await holder.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct).ConfigureAwait(false);
            await using var export = new NpgsqlCommand("select pg_export_snapshot()", holder);
            return new VerifySnapshot(source, holder, transaction, (string)(await export.ExecuteScalarAsync(ct).ConfigureAwait(false) ?? ""));
        }
        catch
        {
            await holder.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Another connection that sees the same; dispose it when done.</summary>
    public async ValueTask<View> OpenAsync(CancellationToken ct)
    {
        var connection = await _source.OpenConnectionAsync(ct).ConfigureAwait(false);
        try
        {
            var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct).ConfigureAwait(false);
            // The id comes from PostgreSQL and consists of digits and hyphens.
            await using var import = new NpgsqlCommand($"set transaction snapshot '{_id}'", connection);
            await import.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
            return new View(connection, transaction);
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync().ConfigureAwait(false);
        await _holder.DisposeAsync().ConfigureAwait(false);
    }

    internal sealed class View(NpgsqlConnection connection, NpgsqlTransaction transaction) : IAsyncDisposable
    {
        public NpgsqlConnection Connection => connection;

        public async ValueTask DisposeAsync()
        {
            await transaction.DisposeAsync().ConfigureAwait(false);
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }
}
