using System.Runtime.InteropServices;

namespace Sentiric.Benchmarks.Kit;

/// <summary>Processor time of the calling thread: other programs may slow it down, but they do not count.</summary>
public static class ThreadClock
{
    private const int ThreadCpuTime = 3; // CLOCK_THREAD_CPUTIME_ID

    public static TimeSpan Now
    {
        get
        {
            var at = default(TimeSpec);
            if (clock_gettime(ThreadCpuTime, ref at) != 0) throw new InvalidOperationException("The system has no thread clock.");
            return TimeSpan.FromTicks(at.Seconds * TimeSpan.TicksPerSecond + at.Nanoseconds / TimeSpan.NanosecondsPerTick);
        }
    }

    [DllImport("libc")]
    private static extern int clock_gettime(int clock, ref TimeSpec at);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
