using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// Keeps a stream: first from this process's own lanes, which would block on its row, then by the row itself from everybody else.
/// A stream that does not exist gets a row of version 0 that nobody sees: it goes with the transaction, or gives way to the real one.
/// </summary>
internal sealed class PostgresExclusiveStream : IExclusiveStream
{
    private const string DropRow = "delete from mt_streams where tenant_id = $1 and id = $2 and version = 0";

    private readonly StreamAddress _address;
    private readonly ExclusiveAppend _append;
    private readonly Action _letGo;
    private NpgsqlConnection? _connection;
    private NpgsqlTransaction? _transaction;
    private bool _isLetGo;

    private PostgresExclusiveStream(StreamAddress address, ExclusiveAppend append, Action letGo) => (_address, _append, _letGo) = (address, append, letGo);

    /// <summary>Stores the events in the transaction of the row and ends it; throws when they are refused.</summary>
    public delegate ValueTask<AppendResult> ExclusiveAppend(
        NpgsqlConnection connection, NpgsqlTransaction transaction, long version, IReadOnlyList<EventData> events, AppendOptions options, CancellationToken ct);

    public long Version { get; private set; }

    /// <summary>The caller holds the stream in the queue already; <paramref name="letGo"/> ends that.</summary>
    public static async ValueTask<PostgresExclusiveStream> OpenAsync(
        NpgsqlDataSource source, EventTables tables, StreamAddress address, DateTimeOffset now, TimeSpan lockTimeout, ExclusiveAppend append, Action letGo, CancellationToken ct)
    {
        var stream = new PostgresExclusiveStream(address, append, letGo);
        try
        {
            stream._connection = await source.OpenOwnAsync(ct).ConfigureAwait(false);
            stream._transaction = await stream._connection.BeginTransactionAsync(ct).ConfigureAwait(false);
            await stream.TakeAsync(stream._connection, tables, now, lockTimeout, ct).ConfigureAwait(false);
            return stream;
        }
        catch (Exception failure)
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            if (failure is PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable }) throw new StreamLockedException(address.StreamId, failure);
            throw;
        }
    }

    public async ValueTask<AppendResult> AppendAsync(IReadOnlyList<EventData> events, AppendOptions? options = null, CancellationToken ct = default)
    {
        if (_connection is not { } connection || _transaction is not { } transaction)
            throw new InvalidOperationException($"Stream '{_address.StreamId}' was let go already: it is kept for one append.");
        try
        {
            return await _append(connection, transaction, Version, events, options ?? AppendOptions.Default, ct).ConfigureAwait(false);
        }
        finally
        {
            await DisposeAsync().ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        var (connection, transaction) = (_connection, _transaction);
        (_connection, _transaction) = (null, null);
        if (transaction is not null) await transaction.DisposeAsync().ConfigureAwait(false);
        if (connection is not null) await connection.DisposeAsync().ConfigureAwait(false);
        if (!_isLetGo) _letGo();
        _isLetGo = true;
    }

    /// <summary>The placeholder of a new stream gives way to the row that the append writes.</summary>
    public static NpgsqlBatchCommand DropPlaceholder(EventTables tables, StreamAddress address) => Command(DropRow, tables, address);

    private async ValueTask TakeAsync(NpgsqlConnection connection, EventTables tables, DateTimeOffset now, TimeSpan lockTimeout, CancellationToken ct)
    {
        var take = Command(TakeRow(tables), tables, _address);
        take.Parameters.Add(new NpgsqlParameter { Value = now.UtcDateTime });
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands = { new NpgsqlBatchCommand(AppendSession.Local(lockTimeout)), take, Command(LockRow(tables), tables, _address) },
        };
        await using var rows = await batch.ExecuteReaderAsync(ct).ConfigureAwait(false);
        await rows.NextResultAsync(ct).ConfigureAwait(false);
        if (!await rows.ReadAsync(ct).ConfigureAwait(false)) throw new StreamIdUsedException(_address.StreamId);
        if (rows.GetBoolean(1)) throw new StreamArchivedException(_address.StreamId);
        Version = rows.GetInt64(0);
    }

    private static string TakeRow(EventTables tables) => $"""
        insert into mt_streams (tenant_id, id, version, timestamp, created, is_archived) select $1, $2, 0, $3, $3, false where true{tables.MayStart("$1", "$2")}
        on conflict do nothing
        """;

    private static string LockRow(EventTables tables) =>
        $"select coalesce(version, 0), coalesce(is_archived, false) from mt_streams where tenant_id = $1 and id = $2{tables.LivingFirst} for update";

    private static NpgsqlBatchCommand Command(string sql, EventTables tables, StreamAddress address) => new(sql)
    {
        Parameters =
        {
            new NpgsqlParameter { Value = address.Tenant },
            new NpgsqlParameter { NpgsqlDbType = tables.StreamIdDbType, Value = tables.StreamId(address.StreamId) },
        },
    };
}
