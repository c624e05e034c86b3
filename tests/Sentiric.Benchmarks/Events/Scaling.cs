using System.Diagnostics;
using System.Globalization;
using Sentiric.Benchmarks.Kit;
using Sentiric.EventStore;

namespace Sentiric.Benchmarks.Events;

/// <summary>Appends and reads on stores of growing size, each against the smallest of the same run: none of them may cost more because there is more.</summary>
public static class Scaling
{
    private const double MaxGrowth = 1.25, MinShare = 0.8;
    private const int Rounds = 3, Callers = 32, PageSize = 500;
    private const double RoundSeconds = 2;

    // As many calls as a busy platform has had in its last hours: what is fetched for writing is among them.
    private const int RecentCalls = 10_000;

    public static async Task RunAsync(Bench bench)
    {
        var stores = new List<(int Millions, ScaleDatabase Database, PostgresEventStore Store)>();
        try
        {
            foreach (var millions in bench.Scale)
            {
                if (await ScaleDatabase.OpenAsync(bench, millions) is not { } database)
                {
                    bench.Skip("events.scale", Database.Missing);
                    return;
                }
                stores.Add((millions, database, database.NewStore()));
            }
            // The largest first: where the memory does not hold all, the smaller ones are not driven out.
            foreach (var (_, database, _) in Enumerable.Reverse(stores)) await database.WarmAsync(bench);
            // In turns, so that whatever slows the machine for a while slows all sizes.
            var samples = stores.ConvertAll(_ => new Timings());
            for (var round = 0; round <= bench.Times(Rounds); round++)
            {
                for (var i = 0; i < stores.Count; i++)
                {
                    bench.Say(string.Create(CultureInfo.InvariantCulture, $"{stores[i].Millions} million events, round {round + 1}"));
                    await MeasureAsync(bench, stores[i].Database, stores[i].Store, round == 0 ? new Timings() : samples[i]);
                }
            }
            for (var i = 0; i < stores.Count; i++) Report(bench, stores[i].Millions, samples[i], samples[0], await stores[i].Database.SizeAsync());
        }
        finally
        {
            foreach (var (_, database, _) in stores) await database.DisposeAsync();
        }
    }

    /// <summary>Milliseconds of single operations; events per second of the many callers.</summary>
    private sealed class Timings
    {
        public List<double> Append { get; } = [];
        public List<double> Fetch { get; } = [];
        public List<double> State { get; } = [];
        public List<double> FetchRecent { get; } = [];
        public List<double> StateRecent { get; } = [];
        public List<double> Tail { get; } = [];
        public List<double> Together { get; } = [];
    }

    private static async Task MeasureAsync(Bench bench, ScaleDatabase database, PostgresEventStore store, Timings into)
    {
        // Any call of all: with a large store most of them are not in the server's own buffers. One of the last: what the platform works on.
        string AnyCall() => ScaleDatabase.CallOf(Random.Shared.NextInt64(database.Calls));
        string RecentCall() => ScaleDatabase.CallOf(database.Calls - 1 - Random.Shared.NextInt64(Math.Min(RecentCalls, database.Calls)));
        var length = bench.For(RoundSeconds);
        await using (var writer = new StoreWriter(store, 1)) into.Append.AddRange(await RepeatAsync(length, writer.AppendAsync));
        into.Fetch.AddRange(await RepeatAsync(length, () => FetchAsync(AnyCall())));
        into.State.AddRange(await RepeatAsync(length, () => StateAsync(AnyCall())));
        into.FetchRecent.AddRange(await RepeatAsync(length, () => FetchAsync(RecentCall())));
        into.StateRecent.AddRange(await RepeatAsync(length, () => StateAsync(RecentCall())));
        var mark = await store.GetHighWaterMarkAsync(bench.Stop);
        into.Tail.AddRange(await RepeatAsync(length, async () => Expect(PageSize, await store.ReadAllAsync(mark - PageSize, PageSize).CountAsync())));
        var from = Stopwatch.GetTimestamp();
        var many = await Task.WhenAll(Enumerable.Range(0, Callers).Select(async _ =>
        {
            await using var writer = new StoreWriter(store, 1);
            return (await RepeatAsync(length, writer.AppendAsync)).Count;
        }));
        into.Together.Add(many.Sum() / Stopwatch.GetElapsedTime(from).TotalSeconds);

        async Task FetchAsync(string call) =>
            Expect(ScaleDatabase.TurnsPerCall, (await store.FetchForWritingAsync(Notes.Tenant, call, CallView.Empty, Fold)).State.Turns);
        async Task StateAsync(string call) => Expect(ScaleDatabase.TurnsPerCall, (await store.GetStreamStateAsync(Notes.Tenant, call))?.Version ?? 0);
    }

    private static async Task<List<double>> RepeatAsync(TimeSpan length, Func<Task> once)
    {
        await Task.Yield();
        var milliseconds = new List<double>(4_096);
        for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < length;)
        {
            var from = Stopwatch.GetTimestamp();
            await once();
            milliseconds.Add(Stopwatch.GetElapsedTime(from).TotalMilliseconds);
        }
        return milliseconds;
    }

    private static CallView Fold(CallView view, object @event) => @event is TurnNote note ? view.With(note) : view;

    private static void Expect(long wanted, long found)
    {
        if (wanted != found) throw new InvalidDataException($"{found} came back where {wanted} should.");
    }

    private static void Report(Bench bench, int millions, Timings own, Timings smallest, string size)
    {
        var prefix = string.Create(CultureInfo.InvariantCulture, $"events.scale.{millions}m");
        void Latency(string name, string what, Func<Timings, List<double>> of) => bench.Add(new Row($"{prefix}.{name}", what, Samples.Median(of(own)), "ms p50")
        {
            Reference = ("the smallest store", Samples.Median(of(smallest))),
            Target = Target.RatioAtMost(MaxGrowth),
            Detail = $"p99 {Figure.Of(Samples.Percentile(of(own), 0.99))} ms; the database has {size}",
        });
        Latency("append_1x1", $"1 event an append, 1 writer, beside {millions} million", s => s.Append);
        Latency("fetch", $"fetch any stream of {ScaleDatabase.TurnsPerCall} events among {millions} million", s => s.Fetch);
        Latency("state", $"state of any stream among {millions} million events", s => s.State);
        Latency("fetch_recent", $"fetch one of the last {RecentCalls} calls among {millions} million", s => s.FetchRecent);
        Latency("state_recent", $"state of one of the last {RecentCalls} calls among {millions} million", s => s.StateRecent);
        Latency("tail", $"a page of {PageSize} at the end of {millions} million", s => s.Tail);
        bench.Add(new Row($"{prefix}.append_1x32", $"1 event an append, {Callers} callers, beside {millions} million", Samples.Median(own.Together), "events/s")
        {
            Reference = ("the smallest store", Samples.Median(smallest.Together)),
            Target = Target.RatioAtLeast(MinShare),
        });
    }
}
