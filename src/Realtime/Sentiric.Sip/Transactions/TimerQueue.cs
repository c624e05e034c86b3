namespace Sentiric.Sip;

/// <summary>A timer that was started and may be cancelled.</summary>
internal sealed class SipTimer
{
    private Action? due;

    internal SipTimer(Action due) => this.due = due;

    /// <summary>Harmless when it fired already.</summary>
    public void Cancel() => due = null;

    internal void Fire()
    {
        Action? action = due;
        due = null;
        action?.Invoke();
    }
}

/// <summary>
/// All timers of one shard in one heap behind one system timer. Owned by the shard's queue, where they also fire. A cancelled
/// timer lets go of its work at once and leaves the heap when its time comes, at most 64*T1 later.
/// </summary>
internal sealed class TimerQueue : IDisposable
{
    private readonly TimeProvider time;
    private readonly PriorityQueue<SipTimer, long> heap = new();
    private readonly ITimer alarm;
    private long alarmAt = long.MaxValue;
    private bool disposed;

    public TimerQueue(TimeProvider time, SerialQueue queue)
    {
        this.time = time;
        alarm = time.CreateTimer(_ => queue.Post(FireDue), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public SipTimer Start(TimeSpan delay, Action due)
    {
        var timer = new SipTimer(due);
        long at = time.GetTimestamp() + (long)(delay.TotalSeconds * time.TimestampFrequency);
        heap.Enqueue(timer, at);
        if (at < alarmAt)
        {
            SetAlarm(at);
        }

        return timer;
    }

    /// <summary>On the queue; timers that are started later never fire.</summary>
    public void Dispose()
    {
        disposed = true;
        alarm.Dispose();
    }

    private void FireDue()
    {
        long now = time.GetTimestamp();
        alarmAt = long.MaxValue;
        while (heap.TryPeek(out SipTimer? timer, out long at) && at <= now)
        {
            heap.Dequeue();
            timer.Fire();
        }

        if (heap.TryPeek(out _, out long next) && next < alarmAt)
        {
            SetAlarm(next);
        }
    }

    private void SetAlarm(long at)
    {
        alarmAt = at;
        if (disposed)
        {
            return;
        }

        TimeSpan delay = time.GetElapsedTime(time.GetTimestamp(), at);
        // The system timer counts whole milliseconds and must not fire before the heap's head is due.
        double ms = Math.Max(0, Math.Ceiling(delay.TotalMilliseconds));
        alarm.Change(TimeSpan.FromMilliseconds(ms), Timeout.InfiniteTimeSpan);
    }
}
