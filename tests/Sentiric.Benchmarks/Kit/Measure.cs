using System.Runtime;

namespace Sentiric.Benchmarks.Kit;

/// <summary>The cost of one operation: processor time, median of the repetitions, and what one call allocates.</summary>
public readonly record struct LoopCost(double Nanoseconds, double Bytes);

/// <summary>Measures a piece of code that runs over and over on this thread.</summary>
public static class Measure
{
    private const int Repetitions = 9;
    private static readonly TimeSpan WarmUp = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Repetition = TimeSpan.FromMilliseconds(50);

    /// <summary>The tiered compiler starts a while after the last new method was seen, and works in the background.</summary>
    private static readonly TimeSpan CompilerPause = TimeSpan.FromMilliseconds(250);
    private const int MaxSettleTries = 20;
    private const int QuietTries = 3;
    private const int StragglerMethods = 2;

    public static LoopCost Loop(Action once)
    {
        Warm(once);
        Thread.Sleep(CompilerPause);
        var perRepetition = Warm(once);
        var nanoseconds = new double[Repetitions];
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Repetitions; i++) nanoseconds[i] = Time(once, perRepetition).TotalNanoseconds / perRepetition;
        var bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        return new LoopCost(Samples.Median(nanoseconds), Math.Floor((double)bytes / (perRepetition * Repetitions)));
    }

    /// <summary>Processor time of this process, user and kernel.</summary>
    public static TimeSpan Cpu => Environment.CpuUsage.TotalTime;

    /// <summary>
    /// Waits until the background compiler has nothing left to do. After a warm-up it may work for seconds, and its processor time would
    /// be counted as that of the calls.
    /// </summary>
    public static async Task CompilerSettlesAsync(CancellationToken stop)
    {
        var quiet = 0;
        for (var (tries, before) = (0, JitInfo.GetCompiledMethodCount()); tries < MaxSettleTries && quiet < QuietTries; tries++)
        {
            await Task.Delay(CompilerPause, stop);
            var now = JitInfo.GetCompiledMethodCount();
            quiet = now - before <= StragglerMethods ? quiet + 1 : 0;
            before = now;
        }
    }

    /// <summary>Runs for the warm-up time and returns how often the code runs in one repetition.</summary>
    private static long Warm(Action once)
    {
        var since = ThreadClock.Now;
        for (long count = 1; ; count *= 2)
        {
            var took = Time(once, count);
            if (ThreadClock.Now - since >= WarmUp) return Math.Max(1, (long)(count * (Repetition / took)));
        }
    }

    private static TimeSpan Time(Action once, long count)
    {
        var from = ThreadClock.Now;
        for (long i = 0; i < count; i++) once();
        return ThreadClock.Now - from;
    }
}
