using Npgsql;
using NpgsqlTypes;
using Sentiric.Benchmarks.Kit;

namespace Sentiric.Benchmarks.Events;

/// <summary>A store as busy days leave it: the events of the calls that are up at one time interleaved. Filled by COPY: the filling is not what is measured.</summary>
public static class Seeding
{
    /// <summary>Calls that are up at the same time.</summary>
    public const int Calls = 500;
    public const int TurnsPerCall = 10;
    private const int Waves = 40;

    private const string Streams = "copy mt_streams (tenant_id, id, type, version, timestamp, created, is_archived) from stdin (format binary)";

    private static readonly DateTime Day = new(2026, 1, 5, 9, 0, 0, DateTimeKind.Utc);

    /// <summary>Fills an empty database and returns how many events there are now.</summary>
    public static async Task<int> InterleavedAsync(Bench bench, NpgsqlDataSource source)
    {
        var waves = bench.Events is { } wanted ? Math.Max(1, wanted / (Calls * TurnsPerCall)) : bench.Times(Waves);
        var events = waves * Calls * TurnsPerCall;
        bench.Say($"storing {waves * Calls} calls of {TurnsPerCall} turns");
        await using var connection = await source.OpenConnectionAsync(bench.Stop);
        await using var transaction = await connection.BeginTransactionAsync(bench.Stop);
        await CopyStreamsAsync(connection, waves * Calls);
        await using (var rows = await connection.BeginBinaryImportAsync(CopyFloor.Copy))
        {
            for (var number = 0; number < events; number++)
                await CopyFloor.WriteAsync(rows, number + 1, StreamOf(number / (Calls * TurnsPerCall) * Calls + number % Calls), number / Calls % TurnsPerCall, Day.AddSeconds(number));
            await rows.CompleteAsync(bench.Stop);
        }
        await using var counted = new NpgsqlCommand("select setval('mt_events_sequence', $1)", connection) { Parameters = { new() { Value = (long)events } } };
        await counted.ExecuteNonQueryAsync(bench.Stop);
        // A store in use has written its mark down.
        await using var mark = new NpgsqlCommand("insert into mt_event_progression (name, last_seq_id) values ('HighWaterMark', $1)", connection) { Parameters = { new() { Value = (long)events } } };
        await mark.ExecuteNonQueryAsync(bench.Stop);
        await transaction.CommitAsync(bench.Stop);
        return events;
    }

    private static async Task CopyStreamsAsync(NpgsqlConnection connection, int calls)
    {
        await using var rows = await connection.BeginBinaryImportAsync(Streams);
        for (var call = 0; call < calls; call++)
        {
            await rows.StartRowAsync();
            await rows.WriteAsync(Notes.Tenant, NpgsqlDbType.Varchar);
            await rows.WriteAsync(StreamOf(call), NpgsqlDbType.Varchar);
            await rows.WriteAsync("call", NpgsqlDbType.Varchar);
            await rows.WriteAsync((long)TurnsPerCall, NpgsqlDbType.Bigint);
            await rows.WriteAsync(Day, NpgsqlDbType.TimestampTz);
            await rows.WriteAsync(Day, NpgsqlDbType.TimestampTz);
            await rows.WriteAsync(false, NpgsqlDbType.Boolean);
        }
        await rows.CompleteAsync();
    }

    private static string StreamOf(int call) => $"call-{call}";
}
