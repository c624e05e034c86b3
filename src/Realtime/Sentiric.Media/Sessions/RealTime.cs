namespace Sentiric.Media;

/// <summary>
/// Asks the kernel to run the calling thread before all ordinary ones (SCHED_FIFO, needs CAP_SYS_NICE). Both media threads do
/// microseconds of work at a time; without the priority a busy machine makes packets late by tens of milliseconds.
/// </summary>
internal static class RealTime
{
    public const int PacingPriority = 10;

    /// <summary>Below pacing: what must leave on time goes before what the jitter buffer can wait for.</summary>
    public const int ReceivingPriority = 9;

    /// <summary>False when it is not permitted: the thread goes on as it is.</summary>
    public static bool Request(int priority) => Libc.sched_setscheduler(0, Libc.RealTimeFifo, in priority) == 0;
}
