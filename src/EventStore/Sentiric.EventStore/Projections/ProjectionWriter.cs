using System.Data.Common;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// The writer of one batch on one connection. By itself it leaves the transaction to whoever made it. With a <see cref="Session"/> it needs none
/// as long as nothing was asked back: all statements and the checkpoint go in one round trip, which is one transaction;
/// a query opens one first.
/// </summary>
internal sealed class ProjectionWriter(
    NpgsqlConnection connection, EventTables tables, IEventSerializer serializer, ITableProjection projection, string suffix) : IProjectionWriter
{
    private readonly List<NpgsqlBatchCommand> _queued = [];
    private readonly List<RowBatch> _rows = [];
    private bool _isOpen;

    /// <summary>The owner of the shard, whose connection this is; null for a writer inside somebody's transaction.</summary>
    public ShardLock? Session { get; init; }

    /// <summary>An event comes late: behind others that were applied before it.</summary>
    public bool IsLate { get; init; }

    public IEventSerializer Serializer => serializer;

    public EventTables Tables => tables;

    public string Table(string name) => projection.Tables.Contains(name, StringComparer.Ordinal)
        ? name + suffix
        : throw new ArgumentException($"'{name}' is not a table of projection '{projection.Name}'.", nameof(name));

    public void Execute(string sql, params object?[] values) => _queued.Add(Command(sql, values));

    public void BulkUpsert(string table, IReadOnlyList<string> keys, IReadOnlyList<string> columns, IReadOnlyList<object?[]> rows)
    {
        if (rows.Count > 0) _queued.Add(BulkSql.Upsert(Table(table), keys, columns, rows));
    }

    public IRowBatch Rows(string table, params IReadOnlyList<string> keys)
    {
        var name = Table(table);
        if (_rows.Find(r => r.Table == name) is { } known) return known;
        var rows = new RowBatch(name, keys);
        _rows.Add(rows);
        return rows;
    }

    public async ValueTask<IReadOnlyList<T>> QueryAsync<T>(string sql, Func<DbDataReader, T> read, CancellationToken ct, params object?[] values)
    {
        await FlushAsync(ct).ConfigureAwait(false);
        await BeginAsync(ct).ConfigureAwait(false);
        return await ReadAsync(sql, read, ct, values).ConfigureAwait(false);
    }

    /// <summary>A query that needs no transaction: nobody but the owner of the shard writes what it reads.</summary>
    public async ValueTask<IReadOnlyList<T>> ReadAsync<T>(string sql, Func<DbDataReader, T> read, CancellationToken ct, params object?[] values)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Command(sql, values));
        await PrepareAsync(batch, ct).ConfigureAwait(false);
        await using var rows = await batch.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var result = new List<T>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) result.Add(read(rows));
        return result;
    }

    /// <summary>Runs what is queued, in the transaction.</summary>
    public async ValueTask FlushAsync(CancellationToken ct)
    {
        Collect();
        if (_queued.Count == 0) return;
        await BeginAsync(ct).ConfigureAwait(false);
        await RunAsync([], ct).ConfigureAwait(false);
    }

    /// <summary>Runs what is queued and <paramref name="last"/>, and commits: one round trip, all or nothing.</summary>
    public async ValueTask CommitAsync(IEnumerable<NpgsqlBatchCommand> last, CancellationToken ct)
    {
        Collect();
        if (_isOpen) last = last.Append(new NpgsqlBatchCommand("commit"));
        await RunAsync(last, ct).ConfigureAwait(false);
        _isOpen = false;
    }

    /// <summary>Leaves nothing behind of a batch that failed. A lost connection took its transaction along.</summary>
    public async ValueTask AbandonAsync()
    {
        _queued.Clear();
        _rows.Clear();
        if (Session is null) return;
        _isOpen = false;
        try
        {
            await using var end = new NpgsqlCommand("rollback", connection);
            await end.ExecuteNonQueryAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception lost) when (Failures.IsConnectionLost(lost) || lost is InvalidOperationException)
        {
            return;
        }
    }

    private void Collect()
    {
        foreach (var rows in _rows) rows.AddTo(_queued);
    }

    private async ValueTask BeginAsync(CancellationToken ct)
    {
        if (Session is null || _isOpen) return;
        _isOpen = true;
        await using var begin = new NpgsqlCommand("begin", connection);
        await begin.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private async ValueTask RunAsync(IEnumerable<NpgsqlBatchCommand> last, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var command in _queued.Concat(last)) batch.BatchCommands.Add(command);
        _queued.Clear();
        if (batch.BatchCommands.Count == 0) return;
        await PrepareAsync(batch, ct).ConfigureAwait(false);
        await batch.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private async ValueTask PrepareAsync(NpgsqlBatch batch, CancellationToken ct)
    {
        if (Session is { } session && IsWorthPreparing(session, batch)) await batch.PrepareAsync(ct).ConfigureAwait(false);
    }

    private static bool IsWorthPreparing(ShardLock session, NpgsqlBatch batch)
    {
        for (var i = 0; i < batch.BatchCommands.Count; i++)
        {
            if (!session.IsWorthPreparing(batch.BatchCommands[i])) return false;
        }
        return true;
    }

    internal static NpgsqlBatchCommand Command(string sql, params object?[] values)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in values) command.Parameters.Add(Parameter(value));
        return command;
    }

    private static NpgsqlParameter Parameter(object? value) => new()
    {
        // timestamptz takes moments in UTC only.
        Value = value switch { null => DBNull.Value, DateTimeOffset moment => moment.UtcDateTime, _ => value },
    };
}
