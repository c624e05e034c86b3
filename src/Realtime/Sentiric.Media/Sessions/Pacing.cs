using System.Diagnostics;

namespace Sentiric.Media;

/// <summary>
/// The clock of the media threads: 20 ms ticks by absolute deadlines, cut into slots of a millisecond so that legs take turns.
/// A late slot never shifts the ones behind it. Times are nanoseconds of CLOCK_MONOTONIC.
/// </summary>
internal static class Pacing
{
    /// <summary>After a stall the backlog is caught up at once; beyond this the surplus is skipped.</summary>
    public const int MaxBacklogTicks = 25;
    public const int SlotsPerTick = 20;
    public const long TickNs = 20_000_000;
    public const long SlotNs = TickNs / SlotsPerTick;
    private const long LateNs = 5_000_000;

    /// <summary>How many ticks are due, how many of them are given up, and whether they are late.</summary>
    public static (int Run, int Skip, bool Late) Due(long deadlineNs, long nowNs)
    {
        var lateness = Math.Max(0, nowNs - deadlineNs);
        var due = 1 + lateness / TickNs;
        var run = (int)Math.Min(due, MaxBacklogTicks);
        return (run, (int)Math.Min(int.MaxValue, due - run), lateness > LateNs);
    }

    /// <summary>On Linux the stopwatch reads CLOCK_MONOTONIC in nanoseconds, the clock that clock_nanosleep takes.</summary>
    public static long NowNs() => Stopwatch.GetTimestamp();

    public static void SleepUntil(long deadlineNs)
    {
        var until = new Libc.TimeSpec { Seconds = deadlineNs / 1_000_000_000, Nanoseconds = deadlineNs % 1_000_000_000 };
        while (Libc.clock_nanosleep(Libc.Monotonic, Libc.AbsoluteTime, in until, 0) == Libc.Interrupted) { }
    }
}
