using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Sentiric.Media;

/// <summary>
/// Ticks every 20 ms by absolute deadlines: a late tick never shifts the ones behind it. After a stall the backlog is caught up
/// at once; beyond half a second the surplus is skipped. Asks for SCHED_FIFO and goes on without it.
/// </summary>
internal sealed class PacingThread : IDisposable
{
    public const int MaxBacklogTicks = 25;
    private const long TickNs = 20_000_000;
    private const long LateNs = 5_000_000;

    private readonly Action<bool> tick;
    private readonly Action<int> skip;
    private readonly Thread thread;
    private readonly ManualResetEventSlim started = new();
    private volatile bool stopping;
    private long ticks, lateTicks;

    /// <param name="tick">20 ms passed; true when late.</param>
    /// <param name="skip">So many ticks are given up.</param>
    public PacingThread(Action<bool> tick, Action<int> skip)
    {
        (this.tick, this.skip) = (tick, skip);
        thread = new Thread(Run) { Name = "media pacing", IsBackground = true };
        thread.Start();
        started.Wait();
    }

    /// <summary>Whether the kernel granted real-time priority (CAP_SYS_NICE); without it a loaded machine makes ticks late.</summary>
    public bool IsRealTime { get; private set; }
    public long Ticks => Volatile.Read(ref ticks);
    public long LateTicks => Volatile.Read(ref lateTicks);

    public void Dispose()
    {
        stopping = true;
        thread.Join();
        started.Dispose();
    }

    /// <summary>How many ticks are due, how many of them are given up, and whether they are late.</summary>
    internal static (int Run, int Skip, bool Late) Due(long deadlineNs, long nowNs)
    {
        var lateness = Math.Max(0, nowNs - deadlineNs);
        var due = 1 + lateness / TickNs;
        var run = (int)Math.Min(due, MaxBacklogTicks);
        return (run, (int)Math.Min(int.MaxValue, due - run), lateness > LateNs);
    }

    private void Run()
    {
        IsRealTime = RealTime.Request(RealTime.PacingPriority);
        started.Set();
        var deadline = NowNs() + TickNs;
        while (!stopping)
        {
            SleepUntil(deadline);
            var (run, skipped, late) = Due(deadline, NowNs());
            if (skipped > 0) skip(skipped);
            for (var i = 0; i < run; i++) tick(late);
            deadline += (run + (long)skipped) * TickNs;
            Volatile.Write(ref ticks, ticks + run + skipped);
            if (late) Volatile.Write(ref lateTicks, lateTicks + run + skipped);
        }
    }

    // On Linux the stopwatch reads CLOCK_MONOTONIC in nanoseconds, the clock that clock_nanosleep takes.
    private static long NowNs() => Stopwatch.GetTimestamp();

    private static void SleepUntil(long deadlineNs)
    {
        var until = new Libc.TimeSpec { Seconds = deadlineNs / 1_000_000_000, Nanoseconds = deadlineNs % 1_000_000_000 };
        while (Libc.clock_nanosleep(Libc.Monotonic, Libc.AbsoluteTime, in until, 0) == Libc.Interrupted) { }
    }
}
