using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Sentiric.Benchmarks.Kit;
using Sentiric.EventStore;

namespace Sentiric.Benchmarks.Events;

/// <summary>
/// A document per call built anew from the first event on, beside a reader who asks for a document all the time. The floor scans and decodes the same events.
/// <c>--events=10000000</c> makes the store as large as that: what is then of interest is the memory.
/// </summary>
public static class Rebuilding
{
    private const int Rounds = 2;
    private const int SmallBudget = 4 * 1024 * 1024;
    private static readonly TimeSpan ReaderPause = TimeSpan.FromMilliseconds(1);

    public static async Task RunAsync(Bench bench)
    {
        await using var database = await Database.CreateAsync();
        if (database is null)
        {
            bench.Skip("events.rebuild", Database.Missing);
            return;
        }
        var store = database.NewStore();
        var events = await Seeding.InterleavedAsync(bench, database.Source);
        await database.AnalyzeAsync();
        var daemon = new ProjectionDaemon(database.Source, store, [new Views("CallView"), new Minutes()], TimeProvider.System);
        // The first rows come from a rebuild, too: keeping up is another benchmark.
        await daemon.RebuildAsync("CallView", new RebuildOptions { AcceptDifferences = true }, ct: bench.Stop);
        await daemon.RebuildAsync("MinuteView", new RebuildOptions { AcceptDifferences = true }, ct: bench.Stop);
        await using var connection = await database.Plain.OpenConnectionAsync(bench.Stop);
        var cpu = await database.ServerCpuAsync();
        var (reader, undisturbed) = (new Reader(database.Source, "mt_doc_callview"), new Reader(database.Source, "mt_doc_callview"));
        var memory = new Memory();
        var paces = await Turns.RunAsync(
            bench, events, bench.Events is null ? bench.Times(Rounds) : 1, cpu,
            ("plain scan", () => PlainReading.AllAsync(connection)),
            ("rebuild", () => RebuildAsync(new RebuildOptions { AcceptDifferences = true })),
            ("rebuild of a multi-stream projection", async () =>
            {
                await daemon.RebuildAsync("MinuteView", new RebuildOptions { AcceptDifferences = true }, ct: bench.Stop);
                return events;
            }),
            ("rebuild by stream", () => RebuildAsync(new RebuildOptions { AcceptDifferences = true, MemoryBudget = SmallBudget })));
        await undisturbed.WatchAsync(bench, () => PlainReading.AllAsync(connection));
        await reader.WatchAsync(bench, () => daemon.RebuildAsync("CallView", new RebuildOptions(), ct: bench.Stop).AsTask());
        Add("events.rebuild", "rebuild of a single-stream projection", paces[1], Target.AtLeast(140_000).And(Target.RatioAtLeast(0.3)), memory.Whole);
        Add("events.rebuild.by_stream", $"the same with {SmallBudget / 1024 / 1024} MiB for documents, stream by stream", paces[3], Target.RatioAtLeast(0.1), memory.ByStream);
        bench.Add(new Row("events.rebuild.multi", $"rebuild of a multi-stream projection, a document per minute, {events} events", paces[2].EventsPerSecond, "events/s")
        {
            Reference = ("plain scan", paces[0].EventsPerSecond),
            Target = Target.RatioAtLeast(0.5),
            Detail = paces[2].ToString(),
        });
        bench.Add(new Row("events.rebuild.switch", "longest wait of a reader while a rebuild runs and switches", reader.LongestMilliseconds, "ms")
        {
            Reference = ("the same reader beside a plain scan", undisturbed.LongestMilliseconds),
            Target = Target.AtMost(50),
            Detail = $"{reader.Reads} reads, {reader.Empty} found no document; p50 {Figure.Of(reader.MedianMilliseconds)} ms",
        });

        async Task<int> RebuildAsync(RebuildOptions options)
        {
            await memory.WatchAsync(options.MemoryBudget == SmallBudget, () => daemon.RebuildAsync("CallView", options, ct: bench.Stop).AsTask());
            return events;
        }

        void Add(string name, string what, Pace pace, Target target, long bytes) => bench.Add(
            new Row(name, $"{what}, {Seeding.Calls} calls at a time, {events} events in {events / Seeding.TurnsPerCall} calls", pace.EventsPerSecond, "events/s")
            {
                Reference = ("plain scan", paces[0].EventsPerSecond),
                Target = target,
                Detail = $"{pace}, {Figure.Of(bytes / 1024.0 / 1024)} MiB on the heap at most",
            });
    }

    private sealed class Views(string name) : SingleStreamProjection<CallView>(name, NotesJson.Default.CallView)
    {
        public override bool Wants(string eventType) => eventType == Notes.StoredName;

        public override CallView? Evolve(CallView? document, RecordedEvent recorded, object @event) =>
            @event is TurnNote note ? (document ?? CallView.Empty).With(note) : document;
    }

    private sealed class Minutes() : MultiStreamProjection<CallView>("MinuteView", NotesJson.Default.CallView)
    {
        public override IEnumerable<string> KeysOf(RecordedEvent recorded, object @event) =>
            @event is TurnNote ? [recorded.RecordedAt.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)] : [];

        public override CallView? Evolve(string key, CallView? document, RecordedEvent recorded, object @event) =>
            @event is TurnNote note ? (document ?? CallView.Empty).With(note) : document;
    }

    /// <summary>The most that lay on the managed heap while the work ran, garbage included.</summary>
    private sealed class Memory
    {
        private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

        public long Whole { get; private set; }

        public long ByStream { get; private set; }

        public async Task WatchAsync(bool byStream, Func<Task> work)
        {
            var running = work();
            var most = 0L;
            while (!running.IsCompleted)
            {
                most = Math.Max(most, GC.GetTotalMemory(false));
                await Task.WhenAny(running, Task.Delay(Interval));
            }
            await running;
            if (byStream) ByStream = Math.Max(ByStream, most);
            else Whole = Math.Max(Whole, most);
        }
    }

    /// <summary>Asks for the number of documents of one call over and over: it must be one, at once.</summary>
    private sealed class Reader(NpgsqlDataSource source, string table)
    {
        private readonly List<double> waits = [];

        public int Reads => waits.Count;

        public int Empty { get; private set; }

        public double LongestMilliseconds => waits.Max();

        public double MedianMilliseconds => Samples.Median(waits);

        public async Task WatchAsync(Bench bench, Func<Task> work)
        {
            bench.Say("rebuild beside a reader");
            using var done = new CancellationTokenSource();
            var reading = Task.Run(() => ReadAsync(done.Token));
            await work();
            await done.CancelAsync();
            await reading;
        }

        private async Task ReadAsync(CancellationToken done)
        {
            await using var connection = await source.OpenConnectionAsync(CancellationToken.None);
            while (!done.IsCancellationRequested)
            {
                await using var command = new NpgsqlCommand($"select count(*) from {table} where tenant_id = '{Notes.Tenant}' and id = 'call-7'", connection);
                var from = Stopwatch.GetTimestamp();
                if (await command.ExecuteScalarAsync(CancellationToken.None) is not 1L) Empty++;
                waits.Add(Stopwatch.GetElapsedTime(from).TotalMilliseconds);
                await Task.Delay(ReaderPause, CancellationToken.None);
            }
        }
    }
}
