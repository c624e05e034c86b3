using Npgsql;
using NpgsqlTypes;

namespace Sentiric.Benchmarks.Events;

/// <summary>
/// The floor of an append: plain Npgsql, one prepared batch, one round trip, one commit. The row of the stream and one INSERT per event,
/// on the same tables; no version is checked and nobody is told.
/// </summary>
public sealed class InsertFloor : IWriter
{
    public const string StreamRow = """
        insert into mt_streams (tenant_id, id, type, version, timestamp, created, is_archived) values ($1, $2, 'call', $3, $4, $4, false)
        on conflict (tenant_id, id) do update set version = excluded.version, timestamp = excluded.timestamp
        """;

    private const string EventRow = """
        insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, is_archived)
        values (nextval('mt_events_sequence'), $1, $2, $3, $4, $5, $6, $7, $8, false)
        """;

    private readonly NpgsqlConnection connection;
    private readonly NpgsqlBatch batch;
    private readonly StreamCursor cursor;

    private InsertFloor(NpgsqlConnection connection, NpgsqlBatch batch, int eventsPerAppend) =>
        (this.connection, this.batch, cursor) = (connection, batch, new StreamCursor(eventsPerAppend));

    public static async Task<IWriter> OpenAsync(NpgsqlDataSource source, int eventsPerAppend)
    {
        var connection = await source.OpenConnectionAsync();
        var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Command(StreamRow, NpgsqlDbType.Varchar, NpgsqlDbType.Varchar, NpgsqlDbType.Bigint, NpgsqlDbType.TimestampTz));
        for (var i = 0; i < eventsPerAppend; i++)
        {
            batch.BatchCommands.Add(Command(
                EventRow, NpgsqlDbType.Uuid, NpgsqlDbType.Varchar, NpgsqlDbType.Bigint, NpgsqlDbType.Jsonb, NpgsqlDbType.Varchar,
                NpgsqlDbType.TimestampTz, NpgsqlDbType.Varchar, NpgsqlDbType.Varchar));
        }
        await batch.PrepareAsync();
        return new InsertFloor(connection, batch, eventsPerAppend);
    }

    public async Task AppendAsync()
    {
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var events = batch.BatchCommands.Count - 1;
        Set(batch.BatchCommands[0], Notes.Tenant, cursor.StreamId, cursor.Version + events, now);
        for (var i = 0; i < events; i++)
        {
            var note = Notes.Make((int)cursor.Version + i);
            Set(
                batch.BatchCommands[i + 1], Guid.CreateVersion7(), cursor.StreamId, cursor.Version + i + 1, Notes.Json(note), Notes.StoredName, now,
                Notes.Tenant, typeof(TurnNote).FullName ?? "");
        }
        await batch.ExecuteNonQueryAsync();
        cursor.Advance();
    }

    public async ValueTask DisposeAsync()
    {
        await batch.DisposeAsync();
        await connection.DisposeAsync();
    }

    private static NpgsqlBatchCommand Command(string sql, params NpgsqlDbType[] types)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var type in types) command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = type, Value = DBNull.Value });
        return command;
    }

    private static void Set(NpgsqlBatchCommand command, params object[] values)
    {
        for (var i = 0; i < values.Length; i++) command.Parameters[i].Value = values[i];
    }
}
