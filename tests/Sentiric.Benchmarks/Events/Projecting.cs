using Sentiric.Benchmarks.Kit;
using Sentiric.EventStore;

namespace Sentiric.Benchmarks.Events;

/// <summary>A document per call, rebuilt from the first event on.</summary>
public static class Projecting
{
    private const int Rounds = 3;

    public static async Task RunAsync(Bench bench)
    {
        await using var database = await Database.CreateAsync();
        if (database is null)
        {
            bench.Skip("events.projection", Database.Missing);
            return;
        }
        var store = database.NewStore();
        var events = await Seeding.InterleavedAsync(bench, database.Source);
        await database.AnalyzeAsync();
        await RebuildAsync(bench, database, store, events);
    }

    private static async Task RebuildAsync(Bench bench, Database database, PostgresEventStore store, int events)
    {
        var daemon = new ProjectionDaemon(database.Source, store, [new Views("CallView")], TimeProvider.System);
        await daemon.CatchUpAsync(bench.Stop);
        await using var connection = await database.Source.OpenConnectionAsync(bench.Stop);
        var (plain, ours) = (new List<double>(), new List<double>());
        for (var i = 0; i < bench.Times(Rounds) + 1; i++)
        {
            bench.Say($"rebuild of {events} events, round {i + 1}");
            plain.Add(await ReadingAll.PerSecondAsync(events, () => PlainReading.AllAsync(connection)));
            ours.Add(await ReadingAll.PerSecondAsync(events, async () =>
            {
                await daemon.RebuildAsync("CallView", null, bench.Stop);
                return events;
            }));
        }
        bench.Add(new Row("events.rebuild", $"rebuild of a single-stream projection, {Seeding.Calls} calls interleaved, {events} events", Samples.Median(ours.Skip(1)), "events/s")
        {
            Reference = ("plain scan", Samples.Median(plain.Skip(1))),
            Target = Target.AtLeast(140_000).And(Target.RatioAtLeast(0.3)),
        });
    }

    private sealed class Views(string name) : SingleStreamProjection<CallView>(name, NotesJson.Default.CallView)
    {
        public override bool Wants(string eventType) => eventType == Notes.StoredName;

        public override CallView? Evolve(CallView? document, RecordedEvent recorded, object @event) =>
            @event is TurnNote note ? (document ?? CallView.Empty).With(note) : document;
    }
}
