using System.Diagnostics;
using Sentiric.Benchmarks.Kit;
using Sentiric.EventStore;

namespace Sentiric.Benchmarks.Events;

/// <summary>One stream fetched and folded, as every command does before it decides.</summary>
public static class LiveAggregate
{
    private const double MaxRatio = 1 / 0.8; // at least 0.8 of the floor's speed

    public static async Task RunAsync(Bench bench)
    {
        await using var database = await Database.CreateAsync();
        if (database is null)
        {
            bench.Skip("events.aggregate", Database.Missing);
            return;
        }
        var store = database.NewStore();
        await Seeding.InterleavedAsync(bench, database.Source);
        await CompareAsync(bench, database, store, turns: 10, times: 1_500);
        await CompareAsync(bench, database, store, turns: 1_000, times: 80);
    }

    private static async Task CompareAsync(Bench bench, Database database, PostgresEventStore store, int turns, int times)
    {
        var streamId = $"long-{turns}";
        await store.AppendToStreamAsync(Notes.Tenant, streamId, ExpectedVersion.NoStream, [.. Enumerable.Range(0, turns).Select(i => EventData.Of(Notes.Make(i)))]);
        await database.AnalyzeAsync();
        await using var connection = await database.Plain.OpenConnectionAsync(bench.Stop);
        await using var prepared = await PlainReading.FoldCommandAsync(connection);
        bench.Say($"folding {turns} events");
        var (plain, ours) = (new List<double>(), new List<double>());
        for (var i = 0; i < bench.Times(times); i++)
        {
            plain.Add(await TimeAsync(turns, () => PlainReading.FoldAsync(prepared, streamId)));
            ours.Add(await TimeAsync(turns, async () => await store.AggregateStreamAsync(Notes.Tenant, streamId, CallView.Empty, Fold)));
        }
        bench.Add(new Row($"events.aggregate.{turns}", $"fetch and fold a stream of {turns} events", Steady(ours, 0.5), "ms p50")
        {
            Reference = ("plain SELECT and fold", Steady(plain, 0.5)),
            Target = Target.RatioAtMost(MaxRatio),
            Detail = $"p99 {Figure.Of(Steady(ours, 0.99))} ms",
        });
    }

    // the first fifth warms up
    private static double Steady(List<double> milliseconds, double share) => Samples.Percentile(milliseconds.Skip(milliseconds.Count / 5), share);

    private static CallView Fold(CallView view, object @event) => @event is TurnNote note ? view.With(note) : view;

    private static async Task<double> TimeAsync(int turns, Func<Task<CallView>> fold)
    {
        var from = Stopwatch.GetTimestamp();
        var view = await fold();
        var took = Stopwatch.GetElapsedTime(from);
        return view.Turns == turns ? took.TotalMilliseconds : throw new InvalidDataException($"{view.Turns} of {turns} turns were folded.");
    }
}
