using System.Diagnostics;
using System.Globalization;
using Sentiric.Benchmarks.Kit;
using Sentiric.EventStore;

namespace Sentiric.Benchmarks.Events;

/// <summary>A document per call rebuilt from millions of small events: the memory of the process must not follow the size of the store.</summary>
public static class ScaleRebuild
{
    private const double MaxMegabytes = 512, MegaByte = 1024 * 1024;
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(50);

    public static async Task RunAsync(Bench bench)
    {
        double? smallest = null;
        foreach (var millions in bench.Scale)
        {
            await using var database = await ScaleDatabase.OpenAsync(bench, millions);
            if (database is null)
            {
                bench.Skip("events.scale_rebuild", Database.Missing);
                return;
            }
            bench.Say(string.Create(CultureInfo.InvariantCulture, $"rebuilding from {millions} million events"));
            var daemon = new ProjectionDaemon(database.Source, database.NewStore(), [new ScaleViews()], TimeProvider.System);
            var before = Settled();
            using var stop = new CancellationTokenSource();
            var watching = PeakAsync(stop.Token);
            var from = Stopwatch.GetTimestamp();
            await daemon.RebuildAsync("ScaleView", null, bench.Stop);
            var took = Stopwatch.GetElapsedTime(from);
            await stop.CancelAsync();
            var growth = (await watching - before) / MegaByte;
            smallest ??= growth;
            bench.Add(new Row($"events.scale.{millions}m.rebuild_memory", $"memory that a rebuild from {millions} million events adds to the process", growth, "MB")
            {
                Reference = ("the smallest store", smallest.Value),
                Target = Target.AtMost(MaxMegabytes),
                Detail = string.Create(CultureInfo.InvariantCulture, $"{database.Events / took.TotalSeconds:F0} events/s, {database.Calls} documents, {took.TotalSeconds:F0} s"),
            });
        }
    }

    private static long Settled()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return Environment.WorkingSet;
    }

    private static async Task<long> PeakAsync(CancellationToken stop)
    {
        var peak = 0L;
        using var timer = new PeriodicTimer(BetweenLooks);
        while (!stop.IsCancellationRequested)
        {
            peak = Math.Max(peak, Environment.WorkingSet);
            try
            {
                await timer.WaitForNextTickAsync(stop);
            }
            catch (OperationCanceledException)
            {
                return peak; // the rebuild is through
            }
        }
        return peak;
    }

    private sealed class ScaleViews() : SingleStreamProjection<CallView>("ScaleView", NotesJson.Default.CallView)
    {
        public override bool Wants(string eventType) => eventType == Notes.StoredName;

        public override CallView? Evolve(CallView? document, RecordedEvent recorded, object @event) =>
            @event is TurnNote note ? (document ?? CallView.Empty).With(note) : document;
    }
}
