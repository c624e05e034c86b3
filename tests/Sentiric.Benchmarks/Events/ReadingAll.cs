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
        await using var connection = await database.Source.OpenConnectionAsync(bench.Stop);
        var (plain, ours) = (new List<double>(), new List<double>());
        for (var i = 0; i < bench.Times(Rounds) + 1; i++)
        {
            bench.Say($"reading {events} events, round {i + 1}");
            plain.Add(await PerSecondAsync(events, () => PlainReading.AllAsync(connection)));
            ours.Add(await PerSecondAsync(events, () => AllAsync(store)));
        }
        var floor = Samples.Median(plain.Skip(1));
        bench.Add(new Row("events.floor.scan", $"plain SELECT of {events} events, decoded", floor, "events/s"));
        bench.Add(new Row("events.read_all", $"ReadAllAsync of {events} events, decoded", Samples.Median(ours.Skip(1)), "events/s")
        {
            Reference = ("plain scan", floor),
            Target = Target.RatioAtLeast(0.9),
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
