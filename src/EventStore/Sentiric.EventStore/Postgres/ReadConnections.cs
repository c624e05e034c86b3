using System.Collections.Concurrent;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// Connections that only read. A few stay open with their statements prepared, so that a read is one round trip and nothing is reset before the next;
/// beyond these, connections are borrowed from the data source and given back.
/// </summary>
internal sealed class ReadConnections(NpgsqlDataSource source) : IAsyncDisposable
{
    private const int MaxKept = 4;

    private readonly int _kept = PoolShare.Of(source, MaxKept);
    private readonly ConcurrentStack<ReadConnection> _idle = new();
    private int _count;
    private volatile bool _disposed;

    /// <summary>Runs the read; once more on a fresh connection when a kept one turns out to be dead.</summary>
    public async ValueTask<T> ReadAsync<T>(Func<ReadConnection, ValueTask<T>> read, CancellationToken ct)
    {
        while (true)
        {
            var (connection, isKept) = await TakeAsync(ct).ConfigureAwait(false);
            try
            {
                return await UseAsync(connection, read).ConfigureAwait(false);
            }
            catch (Exception lost) when (isKept && !ct.IsCancellationRequested && !connection.IsOpen && Failures.IsConnectionLost(lost))
            {
                // The server closed it while nobody looked: the read is repeated.
                continue;
            }
        }
    }

    /// <summary>A connection for reading, and whether it had been kept: then it may be dead. It goes back to <see cref="GiveBackAsync"/>.</summary>
    public async ValueTask<(ReadConnection Connection, bool IsKept)> TakeAsync(CancellationToken ct)
    {
        if (!_idle.TryPop(out var kept)) return (new ReadConnection(await source.OpenOwnAsync(ct).ConfigureAwait(false)), false);
        Interlocked.Decrement(ref _count);
        return (kept, true);
    }

    public async ValueTask DisposeAsync()
    {
        _disposed = true;
        while (_idle.TryPop(out var kept)) await kept.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask<T> UseAsync<T>(ReadConnection connection, Func<ReadConnection, ValueTask<T>> read)
    {
        try
        {
            return await read(connection).ConfigureAwait(false);
        }
        finally
        {
            await GiveBackAsync(connection).ConfigureAwait(false);
        }
    }

    /// <summary>Kept for the next reader when it is still good and there are not enough.</summary>
    public async ValueTask GiveBackAsync(ReadConnection connection)
    {
        if (!_disposed && connection.IsOpen)
        {
            if (Interlocked.Increment(ref _count) <= _kept)
            {
                _idle.Push(connection);
                if (!_disposed || !_idle.TryPop(out var late)) return;
                await late.DisposeAsync().ConfigureAwait(false);
                return;
            }
            Interlocked.Decrement(ref _count);
        }
        await connection.DisposeAsync().ConfigureAwait(false);
    }
}

/// <summary>A connection with its prepared statements; one caller at a time.</summary>
internal sealed class ReadConnection(NpgsqlConnection connection) : IAsyncDisposable
{
    private const int MaxCommands = 32;
    private readonly Dictionary<string, NpgsqlCommand> _commands = new(StringComparer.Ordinal);

    // By the list itself: callers keep theirs.
    private readonly Dictionary<string[], NpgsqlBatch> _batches = [];

    public bool IsOpen => connection.FullState == System.Data.ConnectionState.Open;

    /// <summary>The prepared statement with these values; valid until the next call.</summary>
    public async ValueTask<NpgsqlCommand> CommandAsync(string sql, CancellationToken ct, params object[] values)
    {
        if (_commands.TryGetValue(sql, out var prepared))
        {
            for (var i = 0; i < values.Length; i++) prepared.Parameters[i].Value = values[i];
            return prepared;
        }
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        await command.PrepareAsync(ct).ConfigureAwait(false);
        if (_commands.Count < MaxCommands) _commands.Add(sql, command);
        return command;
    }

    /// <summary>Several prepared statements for one round trip, all with the same values; valid until the next call.</summary>
    public async ValueTask<NpgsqlBatch> BatchAsync(string[] statements, CancellationToken ct, params object[] values)
    {
        if (!_batches.TryGetValue(statements, out var batch))
        {
            batch = new NpgsqlBatch(connection);
            foreach (var sql in statements)
            {
                var command = new NpgsqlBatchCommand(sql);
                foreach (var value in values) command.Parameters.Add(new() { Value = value });
                batch.BatchCommands.Add(command);
            }
            await batch.PrepareAsync(ct).ConfigureAwait(false);
            if (_batches.Count < MaxCommands) _batches.Add(statements, batch);
            return batch;
        }
        foreach (var command in batch.BatchCommands)
        {
            for (var i = 0; i < values.Length; i++) command.Parameters[i].Value = values[i];
        }
        return batch;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var command in _commands.Values) await command.DisposeAsync().ConfigureAwait(false);
        foreach (var batch in _batches.Values) await batch.DisposeAsync().ConfigureAwait(false);
        await connection.DisposeAsync().ConfigureAwait(false);
    }
}
