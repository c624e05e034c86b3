using Sentiric.Benchmarks.Kit;

namespace Sentiric.Benchmarks.Events;

/// <summary>Appends of 1, 10 and 100 events by one and many callers, against plain Npgsql on the same tables in a second database.</summary>
public static class Appending
{
    public static async Task RunAsync(Bench bench)
    {
        await using var floors = await Database.CreateAsync();
        await using var ours = await Database.CreateAsync();
        if (floors is null || ours is null)
        {
            bench.Skip("events.append", Database.Missing);
            return;
        }
        var store = ours.NewStore();
        Contender Insert(int events, int writers) => new($"insert {events} x {writers}", writers, events, _ => InsertFloor.OpenAsync(floors.Plain, events));
        Contender Copy(int events, int writers) => new($"copy {events} x {writers}", writers, events, _ => CopyFloor.OpenAsync(floors.Plain, events));
        Contender Store(int events, int writers) => new($"store {events} x {writers}", writers, events, _ => Task.FromResult<IWriter>(new StoreWriter(store, events)));
        var contest = new Contest(bench, await ours.ServerCpuAsync(), () => Task.WhenAll(floors.AnalyzeAsync(), ours.AnalyzeAsync()));
        var figures = await contest.RunAsync(
        [
            Insert(1, 1), Store(1, 1), Insert(1, 8), Store(1, 8), Store(1, 32), Store(1, 128),
            Insert(10, 1), Store(10, 1), Insert(10, 8), Store(10, 8),
            Copy(100, 1), Store(100, 1), Copy(100, 8), Store(100, 8),
        ]);
        ReportAll(new Report(bench, figures), await ours.DescribeAsync());
    }

    private static void ReportAll(Report report, string server)
    {
        report.Floor("insert 1 x 1", "events.floor.insert_1x1", $"plain INSERT, 1 event a commit, 1 writer; {server}");
        report.Floor("insert 1 x 8", "events.floor.insert_1x8", "plain INSERT, 1 event a commit, 8 writers");
        report.Floor("insert 10 x 1", "events.floor.insert_10x1", "10 INSERTs in one batch, 1 writer");
        report.Floor("insert 10 x 8", "events.floor.insert_10x8", "10 INSERTs in one batch, 8 writers");
        report.Floor("copy 100 x 1", "events.floor.copy_100x1", "binary COPY of 100, 1 writer");
        report.Floor("copy 100 x 8", "events.floor.copy_100x8", "binary COPY of 100, 8 writers");
        report.Store("store 1 x 1", "events.append.1x1", "1 event an append, 1 writer", "insert 1 x 1", 0.8);
        report.P99("store 1 x 1", "events.append.1x1.p99", "insert 1 x 1", 0.8);
        report.Store("store 1 x 8", "events.append.1x8", "1 event an append, 8 callers", "insert 1 x 8", 1.0);
        report.Store("store 1 x 32", "events.append.1x32", "1 event an append, 32 callers", "insert 1 x 8", 2.0);
        report.Store("store 1 x 128", "events.append.1x128", "1 event an append, 128 callers", "insert 1 x 8", 2.8);
        report.Store("store 10 x 1", "events.append.10x1", "10 events an append, 1 writer", "insert 10 x 1", 1.0);
        report.Store("store 10 x 8", "events.append.10x8", "10 events an append, 8 writers", "insert 10 x 8", 0.9);
        report.Store("store 100 x 1", "events.append.100x1", "100 events an append, 1 writer", "copy 100 x 1", 0.9);
        report.Store("store 100 x 8", "events.append.100x8", "100 events an append, 8 writers", "copy 100 x 8", 0.9);
    }

    private sealed class Report(Bench bench, IReadOnlyDictionary<string, AppendFigures> figures)
    {
        public void Floor(string contender, string row, string what) =>
            bench.Add(new Row(row, what, figures[contender].EventsPerSecond, "events/s") { Detail = figures[contender].ToString() });

        public void Store(string contender, string row, string what, string floor, double atLeast) =>
            bench.Add(new Row(row, what, figures[contender].EventsPerSecond, "events/s")
            {
                Reference = (floor, figures[floor].EventsPerSecond),
                Target = Target.RatioAtLeast(atLeast),
                Detail = figures[contender].ToString(),
            });

        public void P99(string contender, string row, string floor, double atMostMs) =>
            bench.Add(new Row(row, "latency of one append", figures[contender].P99, "ms p99")
            {
                Reference = (floor, figures[floor].P99),
                Target = Target.AtMost(atMostMs),
            });
    }
}
