namespace Sentiric.Media;

/// <summary>
/// Asks the kernel to run the calling thread before all ordinary ones (SCHED_FIFO, needs CAP_SYS_NICE). The media threads do
/// microseconds of work at a time; without the priority a busy machine makes packets late by tens of milliseconds.
/// </summary>
internal static class RealTime
{
    public const int MediaPriority = 10;

    /// <summary>False when it is not permitted: the thread goes on as it is.</summary>
    public static bool Request(int priority) => Libc.sched_setscheduler(0, Libc.RealTimeFifo, in priority) == 0;
}
