namespace Sentiric.Benchmarks.Kit;

/// <summary>Runs what was asked for, one after the other, and prints the rows at the end.</summary>
public static class BenchRunner
{
    /// <summary>For each benchmark: what hangs must not hang the others. The longest takes a third of it on two slow cores.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <summary>For a store of the size that was asked for.</summary>
    private static readonly TimeSpan LargeLimit = TimeSpan.FromHours(2);

    /// <summary>0 when everything was measured or skipped for a reason, met or not; 1 when a benchmark broke.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<Benchmark> all, BenchOptions options)
    {
        var progress = new Progress();
        var rows = new List<Row>();
        var isWhole = true;
        var most = options.Events is null && options.Scale.Count == 0 ? Limit : LargeLimit;
        foreach (var benchmark in all.Where(b => b.IsNamed(options.Name) && b.NeedsScale == options.Scale.Count > 0))
        {
            isWhole &= await RunOneAsync(benchmark, options, progress, rows, most);
            Settle();
        }
        progress.Clear();
        Printer.Print(rows, options, Console.Out);
        return isWhole ? 0 : 1;
    }

    private static async Task<bool> RunOneAsync(Benchmark benchmark, BenchOptions options, Progress progress, List<Row> rows, TimeSpan most)
    {
        using var limit = new CancellationTokenSource(most);
        var bench = new Bench(benchmark.Name, options.IsQuick, progress, limit.Token) { Events = options.Events, Scale = options.Scale, KeepsData = options.KeepsData };
        bench.Say("starting");
        try
        {
            await benchmark.RunAsync(bench);
            return true;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            bench.Skip(benchmark.Name, $"the machine is too slow or too busy: it took over {most.TotalSeconds} s");
            return true;
        }
        catch (Exception broken)
        {
            bench.Skip(benchmark.Name, $"broke: {broken.GetType().Name}: {broken.Message}");
            return false;
        }
        finally
        {
            rows.AddRange(bench.Rows);
        }
    }

    /// <summary>The next one does not pay for the garbage of this one.</summary>
    private static void Settle()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}
