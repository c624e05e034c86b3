using System.Data.Common;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>The writer of one batch, on one connection whose transaction somebody else began and ends.</summary>
internal sealed class ProjectionWriter(
    NpgsqlConnection connection, EventTables tables, IEventSerializer serializer, ITableProjection projection, string suffix) : IProjectionWriter
{
    private readonly List<NpgsqlBatchCommand> _queued = [];

    public IEventSerializer Serializer => serializer;

    public EventTables Tables => tables;

    public string Table(string name) => projection.Tables.Contains(name, StringComparer.Ordinal)
        ? name + suffix
        : throw new ArgumentException($"'{name}' is not a table of projection '{projection.Name}'.", nameof(name));

    public void Execute(string sql, params object?[] values)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in values) command.Parameters.Add(Parameter(value));
        _queued.Add(command);
    }

    public async ValueTask<IReadOnlyList<T>> QueryAsync<T>(string sql, Func<DbDataReader, T> read, CancellationToken ct, params object?[] values)
    {
        await FlushAsync(ct).ConfigureAwait(false);
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values) command.Parameters.Add(Parameter(value));
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var result = new List<T>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) result.Add(read(rows));
        return result;
    }

    public async ValueTask FlushAsync(CancellationToken ct)
    {
        if (_queued.Count == 0) return;
        await using var batch = new NpgsqlBatch(connection);
        foreach (var command in _queued) batch.BatchCommands.Add(command);
        _queued.Clear();
        await batch.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private static NpgsqlParameter Parameter(object? value) => new()
    {
        // timestamptz takes moments in UTC only.
        Value = value switch { null => DBNull.Value, DateTimeOffset moment => moment.UtcDateTime, _ => value },
    };
}
