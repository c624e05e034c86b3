namespace Sentiric.Benchmarks.Kit;

/// <summary>Runs what was asked for, one after the other, and prints the rows at the end.</summary>
public static class BenchRunner
{
    /// <summary>For all benchmarks of a group ("events", "sip" ...): what hangs must not hang the others.</summary>
    private static readonly TimeSpan GroupLimit = TimeSpan.FromSeconds(90);

    /// <summary>For a store of the size that was asked for.</summary>
    private static readonly TimeSpan LargeLimit = TimeSpan.FromHours(2);

    /// <summary>0 when everything was measured or skipped for a reason, met or not; 1 when a benchmark broke.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<Benchmark> all, BenchOptions options)
    {
        var progress = new Progress();
        var rows = new List<Row>();
        var isWhole = true;
        foreach (var group in all.Where(b => b.IsNamed(options.Name) && b.NeedsScale == options.Scale.Count > 0).GroupBy(b => b.Group))
        {
            using var limit = new CancellationTokenSource(options.Events is null && options.Scale.Count == 0 ? GroupLimit : LargeLimit);
            foreach (var benchmark in group)
            {
                isWhole &= await RunOneAsync(benchmark, options, progress, rows, limit.Token);
                Settle();
            }
        }
        progress.Clear();
        Printer.Print(rows, options, Console.Out);
        return isWhole ? 0 : 1;
    }

    private static async Task<bool> RunOneAsync(Benchmark benchmark, BenchOptions options, Progress progress, List<Row> rows, CancellationToken limit)
    {
        var bench = new Bench(benchmark.Name, options.IsQuick, progress, limit) { Events = options.Events, Scale = options.Scale, KeepsData = options.KeepsData };
        bench.Say("starting");
        try
        {
            limit.ThrowIfCancellationRequested();
            await benchmark.RunAsync(bench);
            return true;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            bench.Skip(benchmark.Name, $"the machine is too slow or too busy: its group took over {GroupLimit.TotalSeconds} s");
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
