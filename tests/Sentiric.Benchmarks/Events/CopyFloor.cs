using Npgsql;
using NpgsqlTypes;

namespace Sentiric.Benchmarks.Events;

/// <summary>The floor of large appends: the row of the stream and a binary COPY in one transaction. Numbers are drawn by the program, which a store may not do.</summary>
public sealed class CopyFloor(NpgsqlConnection connection, int eventsPerAppend) : IWriter
{
    public const string Copy =
        "copy mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, is_archived) from stdin (format binary)";

    // far above what the sequence gives to the other floors in this database
    private static long lastNumber = 1_000_000_000;

    private readonly StreamCursor cursor = new(eventsPerAppend);

    public static async Task<IWriter> OpenAsync(NpgsqlDataSource source, int eventsPerAppend) =>
        new CopyFloor(await source.OpenConnectionAsync(), eventsPerAppend);

    public async Task AppendAsync()
    {
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var stream = new NpgsqlCommand(InsertFloor.StreamRow, connection))
        {
            foreach (var value in new object[] { Notes.Tenant, cursor.StreamId, cursor.Version + eventsPerAppend, now }) stream.Parameters.Add(new() { Value = value });
            await stream.PrepareAsync();
            await stream.ExecuteNonQueryAsync();
        }
        await using (var rows = await connection.BeginBinaryImportAsync(Copy))
        {
            for (var i = 0; i < eventsPerAppend; i++) await WriteAsync(rows, Interlocked.Increment(ref lastNumber), cursor.StreamId, (int)cursor.Version + i, now);
            await rows.CompleteAsync();
        }
        await transaction.CommitAsync();
        cursor.Advance();
    }

    public ValueTask DisposeAsync() => connection.DisposeAsync();

    /// <summary>One row of <see cref="Copy"/>; the version is one above the turn.</summary>
    public static async Task WriteAsync(NpgsqlBinaryImporter rows, long number, string streamId, int turn, DateTime at)
    {
        await rows.StartRowAsync();
        await rows.WriteAsync(number, NpgsqlDbType.Bigint);
        await rows.WriteAsync(Guid.CreateVersion7(), NpgsqlDbType.Uuid);
        await rows.WriteAsync(streamId, NpgsqlDbType.Varchar);
        await rows.WriteAsync(turn + 1L, NpgsqlDbType.Bigint);
        await rows.WriteAsync(Notes.Json(Notes.Make(turn)), NpgsqlDbType.Jsonb);
        await rows.WriteAsync(Notes.StoredName, NpgsqlDbType.Varchar);
        await rows.WriteAsync(at, NpgsqlDbType.TimestampTz);
        await rows.WriteAsync(Notes.Tenant, NpgsqlDbType.Varchar);
        await rows.WriteAsync(typeof(TurnNote).FullName ?? "", NpgsqlDbType.Varchar);
        await rows.WriteAsync(false, NpgsqlDbType.Boolean);
    }
}
