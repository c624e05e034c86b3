using System.Diagnostics;
using Sentiric.Benchmarks.Kit;
using Sentiric.EventStore;

namespace Sentiric.Benchmarks.Events;

/// <summary>A daemon that starts behind the log, and the time until all its projections have passed an event.</summary>
public static class Passing
{
    public static async Task<TimeSpan> UntilAsync(Bench bench, ProjectionDaemon daemon, long last, TimeSpan patience)
    {
        bench.Say($"passing event {last}");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(bench.Stop);
        var from = Stopwatch.GetTimestamp();
        var running = daemon.RunAsync(stop.Token);
        await Task.WhenAll(daemon.Status.Select(s => daemon.WaitForAsync(s.Name, last, patience, bench.Stop).AsTask()));
        var took = Stopwatch.GetElapsedTime(from);
        await stop.CancelAsync();
        await running;
        return took;
    }

    /// <summary>What the timed pass cost: warm, with fresh statistics, so that neither the compiler nor the planner's guesses are measured.</summary>
    public static async Task<(TimeSpan Took, CpuShare Cpu)> MeasureAsync(Bench bench, Database database, ProjectionDaemon daemon, long last, TimeSpan patience)
    {
        await database.AnalyzeAsync();
        var cpu = CpuShare.Begin(await database.ServerCpuAsync());
        return (await UntilAsync(bench, daemon, last, patience), cpu);
    }
}
