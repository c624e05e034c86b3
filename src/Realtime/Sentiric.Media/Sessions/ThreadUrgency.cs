using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sentiric.Media;

/// <summary>
/// Asks the kernel to let the calling thread go first. The media threads do microseconds of work at a time; on a busy machine packets are late by tens of
/// milliseconds without it. What is refused is asked for in a weaker form:
/// <code>
///   SCHED_FIFO   before all ordinary threads                       needs CAP_SYS_NICE or RLIMIT_RTPRIO; a container's real-time budget may be 0
///   nice -20     the largest share, and nearly always first        needs CAP_SYS_NICE or RLIMIT_NICE
///   a slice of   woken before those who may run for longer         anybody, since Linux 6.12; older kernels take no notice
///   100 us
/// </code>
/// Sleeping is exact to the nanosecond that was asked for in all three (the kernel else adds up to 50 us to spare wake-ups).
/// </summary>
internal static class ThreadUrgency
{
    private const int FifoPriority = 10;
    private const int LeastNice = -20;
    private const ulong ShortestSliceNs = 100_000;
    private const int TimerSlack = 29; // PR_SET_TIMERSLACK
    private const int ThisThread = 0, OfThread = 0; // PRIO_PROCESS names a thread on Linux

    /// <summary>struct sched_attr, its first version.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Attributes
    {
        public uint Size, Policy;
        public ulong Flags;
        public int Nice;
        public uint Priority;
        public ulong Runtime, Deadline, Period;
    }

    /// <summary>What was granted, at most what was asked for.</summary>
    public static MediaPriority Request(MediaPriority most)
    {
        _ = prctl(TimerSlack, 1);
        var fifo = FifoPriority;
        if (most == MediaPriority.RealTime && Libc.sched_setscheduler(ThisThread, Libc.RealTimeFifo, in fifo) == 0) return MediaPriority.RealTime;
        if (most != MediaPriority.Ordinary && TakeShortSlices(LeastNice)) return MediaPriority.Raised;
        TakeShortSlices(getpriority(OfThread, ThisThread)); // refused on a kernel or in a sandbox that knows no such call: the thread goes on as it is
        return MediaPriority.Ordinary;
    }

    private static bool TakeShortSlices(int nice)
    {
        if (SetAttributes is not { } number) return false;
        var wish = new Attributes { Size = (uint)Unsafe.SizeOf<Attributes>(), Nice = nice, Runtime = ShortestSliceNs };
        return syscall(number, ThisThread, in wish, 0) == 0;
    }

    // glibc has no function for sched_setattr.
    private static nint? SetAttributes => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 314,
        Architecture.Arm64 => 274,
        _ => null,
    };

    [DllImport("libc")]
    private static extern int prctl(int option, nint value);

    [DllImport("libc")]
    private static extern int getpriority(int which, int who);

    [DllImport("libc")]
    private static extern nint syscall(nint number, nint thread, ref readonly Attributes wish, nint flags);
}
