using Npgsql;
using NpgsqlTypes;
using Sentiric.Benchmarks.Kit;

namespace Sentiric.Benchmarks.Events;

/// <summary>A store as a busy day leaves it: the events of many calls interleaved. Filled by COPY: the filling is not what is measured.</summary>
public static class Seeding
{
    public const int Calls = 500;
    private const int TurnsPerCall = 60;

    private const string Streams = "copy mt_streams (tenant_id, id, type, version, timestamp, created, is_archived) from stdin (format binary)";

    private static readonly DateTime Day = new(2026, 1, 5, 9, 0, 0, DateTimeKind.Utc);

    /// <summary>Fills an empty database and returns how many events there are now.</summary>
    public static async Task<int> InterleavedAsync(Bench bench, NpgsqlDataSource source)
    {
        var turns = bench.Times(TurnsPerCall);
        bench.Say($"storing {Calls} calls of {turns} turns");
        await using var connection = await source.OpenConnectionAsync(bench.Stop);
        await using var transaction = await connection.BeginTransactionAsync(bench.Stop);
        await CopyStreamsAsync(connection, turns);
        await using (var rows = await connection.BeginBinaryImportAsync(CopyFloor.Copy))
        {
            for (var number = 0; number < turns * Calls; number++)
                await CopyFloor.WriteAsync(rows, number + 1, StreamOf(number % Calls), number / Calls, Day.AddSeconds(number));
            await rows.CompleteAsync(bench.Stop);
        }
        await using var counted = new NpgsqlCommand("select setval('mt_events_sequence', $1)", connection) { Parameters = { new() { Value = (long)turns * Calls } } };
        await counted.ExecuteNonQueryAsync(bench.Stop);
        await transaction.CommitAsync(bench.Stop);
        return turns * Calls;
    }

    private static async Task CopyStreamsAsync(NpgsqlConnection connection, int turns)
    {
        await using var rows = await connection.BeginBinaryImportAsync(Streams);
        for (var call = 0; call < Calls; call++)
        {
            await rows.StartRowAsync();
            await rows.WriteAsync(Notes.Tenant, NpgsqlDbType.Varchar);
            await rows.WriteAsync(StreamOf(call), NpgsqlDbType.Varchar);
            await rows.WriteAsync("call", NpgsqlDbType.Varchar);
            await rows.WriteAsync((long)turns, NpgsqlDbType.Bigint);
            await rows.WriteAsync(Day, NpgsqlDbType.TimestampTz);
            await rows.WriteAsync(Day, NpgsqlDbType.TimestampTz);
            await rows.WriteAsync(false, NpgsqlDbType.Boolean);
        }
        await rows.CompleteAsync();
    }

    private static string StreamOf(int call) => $"call-{call}";
}
