using System.Diagnostics;
using Sentiric.Benchmarks.Kit;
using Sentiric.EventStore;

namespace Sentiric.Benchmarks.Events;

/// <summary>The whole log in order, every event decoded, against a plain scan with the source-generated reader.</summary>
public static class ReadingAll
{
    private const int Rounds = 7;

    public static async Task RunAsync(Bench bench)
    {
        await using var database = await Database.CreateAsync();
        if (database is null)
        {
            bench.Skip("events.read", Database.Missing);
            return;
        }
        var store = database.NewStore();
        var events = await Seeding.InterleavedAsync(bench, database.Source);
        await database.AnalyzeAsync();
        await using var connection = await database.Plain.OpenConnectionAsync(bench.Stop);
        var paces = await Turns.RunAsync(
            bench, events, bench.Times(Rounds), await database.ServerCpuAsync(), ("plain scan", () => PlainReading.AllAsync(connection)), ("ReadAllAsync", () => AllAsync(store)));
        var (floor, ours) = (paces[0], paces[1]);
        bench.Add(new Row("events.floor.scan", $"plain SELECT of {events} events, decoded", floor.EventsPerSecond, "events/s") { Detail = floor.ToString() });
        bench.Add(new Row("events.read_all", $"ReadAllAsync of {events} events, decoded", ours.EventsPerSecond, "events/s")
        {
            Reference = ("plain scan", floor.EventsPerSecond),
            Target = Target.RatioAtLeast(0.9),
            Detail = ours.ToString(),
        });
    }

    public static async Task<double> PerSecondAsync(int events, Func<Task<int>> read)
    {
        var from = Stopwatch.GetTimestamp();
        var seen = await read();
        var took = Stopwatch.GetElapsedTime(from);
        return seen == events ? events / took.TotalSeconds : throw new InvalidDataException($"Of {events} events {seen} came back.");
    }

    private static async Task<int> AllAsync(PostgresEventStore store)
    {
        var turns = 0;
        await foreach (var recorded in store.ReadAllAsync(0, int.MaxValue))
        {
            if (store.Serializer.Deserialize(recorded) is TurnNote { Turn: >= 0 }) turns++;
        }
        return turns;
    }
}
