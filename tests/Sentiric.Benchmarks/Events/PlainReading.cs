using System.Text.Json;
using Npgsql;

namespace Sentiric.Benchmarks.Events;

/// <summary>The floor of reading: a prepared SELECT on an open connection and the source-generated reader of one known type.</summary>
public static class PlainReading
{
    /// <summary>Every event in order, all columns that a reader needs.</summary>
    public static async Task<int> AllAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(
            "select seq_id, tenant_id, stream_id, version, id, type, timestamp, data from mt_events order by seq_id", connection);
        await command.PrepareAsync();
        await using var rows = await command.ExecuteReaderAsync();
        var turns = 0;
        while (await rows.ReadAsync())
        {
            _ = (rows.GetInt64(0), rows.GetString(1), rows.GetString(2), rows.GetInt64(3), rows.GetGuid(4), rows.GetString(5), rows.GetDateTime(6));
            if (Decode(rows.GetFieldValue<byte[]>(7)).Turn >= 0) turns++;
        }
        return turns;
    }

    /// <summary>One stream folded to its state.</summary>
    public static async Task<CallView> FoldAsync(NpgsqlCommand prepared, string streamId)
    {
        prepared.Parameters[1].Value = streamId;
        await using var rows = await prepared.ExecuteReaderAsync();
        var view = CallView.Empty;
        while (await rows.ReadAsync()) view = view.With(Decode(rows.GetFieldValue<byte[]>(0)));
        return view;
    }

    public static async Task<NpgsqlCommand> FoldCommandAsync(NpgsqlConnection connection)
    {
        var command = new NpgsqlCommand("select data from mt_events where tenant_id = $1 and stream_id = $2 order by version", connection)
        {
            Parameters = { new() { Value = Notes.Tenant }, new() { Value = "" } },
        };
        await command.PrepareAsync();
        return command;
    }

    private static TurnNote Decode(byte[] json) =>
        JsonSerializer.Deserialize(json, NotesJson.Default.TurnNote) ?? throw new InvalidDataException("A stored note is null.");
}
