using System.Numerics;

namespace Sentiric.Sip;

/// <summary>What is called when a timer is due: whose it is, and which of its timers.</summary>
internal delegate void TimerDue(object owner, int which);

/// <summary>A timer that may stand in a wheel. Owned by the wheel's queue.</summary>
internal abstract class SipTimer
{
    private TimerWheel? wheel;

    /// <summary>In milliseconds since the start of the wheel.</summary>
    internal long AtMs { get; private set; }

    /// <summary>Neighbours in the slot, and the slot; -1 when it is in none.</summary>
    internal SipTimer? Next { get; set; }

    internal SipTimer? Previous { get; set; }

    internal int Slot { get; set; } = -1;

    /// <summary>Leaves the wheel at once. Harmless when it fired already.</summary>
    public void Cancel() => wheel?.Remove(this);

    internal void Enter(TimerWheel entered, long atMs)
    {
        wheel = entered;
        AtMs = atMs;
    }

    internal abstract void Fire();

    /// <summary>Calls somebody.</summary>
    internal sealed class Calling(TimerDue due, object owner, int which) : SipTimer
    {
        internal override void Fire() => due(owner, which);
    }
}

/// <summary>
/// All timers of one shard behind one system timer: a wheel of wheels (Varghese and Lauck), so that starting and cancelling cost the same
/// for ten timers and for a million. Each level has 64 slots; a slot of the lowest is a millisecond, a slot of the next is a turn of
/// the one below. When a slot's time comes, its timers fire or move down. Owned by the shard's queue, where the timers also fire.
/// </summary>
internal sealed class TimerWheel : IDisposable
{
    private const int Bits = 6;
    private const int Slots = 1 << Bits;

    /// <summary>2^36 ms are two years; a timer beyond waits in the last slot and is looked at again.</summary>
    private const int Levels = 6;

    /// <summary>
    /// The system timer rings at most this often, and then for all that is due: a wake-up costs more than a hundred timers. No timer of the
    /// protocol is finer than half a second.
    /// </summary>
    private const int LeastGapMs = 10;

    private readonly TimeProvider time;
    private readonly long start;
    private readonly SipTimer?[] slots = new SipTimer?[Levels * Slots];
    private readonly ulong[] occupied = new ulong[Levels];
    private readonly ITimer? alarm;
    private readonly SipWatch? watch;

    /// <summary>
    /// The steps that timers without hurry are put off to: those of many calls are then due together, and one ring serves them all.
    /// </summary>
    private const int LooseStepMs = 64;

    /// <summary>All before this was fired.</summary>
    private long nowMs;
    private long alarmAtMs = long.MaxValue;
    private long lastRingMs = -LeastGapMs;
    private bool firing;
    private bool disposed;

    /// <summary>On a timer of <paramref name="time"/>.</summary>
    public TimerWheel(TimeProvider time, SerialQueue queue)
        : this(time)
    {
        Action ring = FireDue;
        alarm = time.CreateTimer(_ => queue.Post(ring), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>On the watch, whose alarm must call <see cref="Rung"/> on the queue.</summary>
    public TimerWheel(TimeProvider time, SipWatch watch)
        : this(time) => this.watch = watch;

    private TimerWheel(TimeProvider time)
    {
        this.time = time;
        start = time.GetTimestamp();
    }

    /// <summary>The alarm rang: fires all that is due. On the queue.</summary>
    public void Rung()
    {
        if (!disposed)
        {
            FireDue();
        }
    }

    public int Count { get; private set; }

    public SipTimer Start(TimeSpan delay, TimerDue due, object owner, int which = 0)
    {
        // Up to the next whole millisecond: never early.
        long atMs = ((time.GetElapsedTime(start) + delay).Ticks + TimeSpan.TicksPerMillisecond - 1) / TimeSpan.TicksPerMillisecond;
        var timer = new SipTimer.Calling(due, owner, which);
        Start(timer, atMs);
        return timer;
    }

    /// <summary>A timer of the caller's own that is due when another is or was, and may be a little late.</summary>
    public void StartLoosely(SipTimer timer, long atMs) => Start(timer, (atMs + LooseStepMs - 1) & -LooseStepMs);

    private void Start(SipTimer timer, long atMs)
    {
        timer.Enter(this, Math.Max(atMs, nowMs + 1));
        Insert(timer);
        Count++;
        if (!firing)
        {
            SetAlarm(timer.AtMs);
        }
    }

    internal void Remove(SipTimer timer)
    {
        if (timer.Slot < 0)
        {
            return;
        }

        Unlink(timer);
        Count--;
    }

    /// <summary>On the queue; timers that are started later never fire.</summary>
    public void Dispose()
    {
        disposed = true;
        alarm?.Dispose();
    }

    private void FireDue()
    {
        long until = time.GetElapsedTime(start).Ticks / TimeSpan.TicksPerMillisecond;
        alarmAtMs = long.MaxValue;
        lastRingMs = until;
        firing = true;
        for (long next = NextMs(); next <= until; next = NextMs())
        {
            nowMs = next;
            Turn();
        }

        nowMs = Math.Max(nowMs, until);
        firing = false;
        if (NextMs() is var later and < long.MaxValue)
        {
            SetAlarm(later);
        }
    }

    /// <summary>Empties every slot whose time has come, the widest first.</summary>
    private void Turn()
    {
        for (int level = Levels - 1; level >= 0; level--)
        {
            // A slot of an upper level comes when all below it are at their beginning.
            if ((nowMs & ((1L << (level * Bits)) - 1)) != 0)
            {
                continue;
            }

            int slot = level * Slots + SlotIn(level, nowMs);
            while (slots[slot] is { } timer)
            {
                Unlink(timer);
                if (timer.AtMs <= nowMs)
                {
                    Count--;
                    timer.Fire();
                }
                else
                {
                    Insert(timer);
                }
            }
        }
    }

    /// <summary>When the next slot comes that holds anything; <see cref="long.MaxValue"/> when the wheel is empty.</summary>
    private long NextMs()
    {
        long earliest = long.MaxValue;
        for (int level = 0; level < Levels; level++)
        {
            if (occupied[level] == 0)
            {
                continue;
            }

            // The slots of a level from the next one on, once around.
            long turns = (nowMs >> (level * Bits)) + 1;
            int ahead = BitOperations.TrailingZeroCount(BitOperations.RotateRight(occupied[level], (int)(turns & (Slots - 1))));
            earliest = Math.Min(earliest, (turns + ahead) << (level * Bits));
        }

        return earliest;
    }

    private void Insert(SipTimer timer)
    {
        int level = 0;
        // On each level the slots ahead are those of the next 64 of its steps, the present one left out.
        while (level < Levels - 1 && (timer.AtMs >> (level * Bits)) - (nowMs >> (level * Bits)) >= Slots)
        {
            level++;
        }

        long last = ((nowMs >> (level * Bits)) + Slots - 1) << (level * Bits);
        int slot = level * Slots + SlotIn(level, Math.Min(timer.AtMs, last));
        timer.Slot = slot;
        timer.Previous = null;
        timer.Next = slots[slot];
        if (timer.Next is { } next)
        {
            next.Previous = timer;
        }

        slots[slot] = timer;
        occupied[level] |= 1UL << (slot & (Slots - 1));
    }

    private void Unlink(SipTimer timer)
    {
        if (timer.Previous is { } previous)
        {
            previous.Next = timer.Next;
        }
        else
        {
            slots[timer.Slot] = timer.Next;
        }

        if (timer.Next is { } next)
        {
            next.Previous = timer.Previous;
        }

        if (slots[timer.Slot] is null)
        {
            occupied[timer.Slot >> Bits] &= ~(1UL << (timer.Slot & (Slots - 1)));
        }

        timer.Slot = -1;
        timer.Next = timer.Previous = null;
    }

    private void SetAlarm(long atMs)
    {
        long wanted = Math.Max(atMs, lastRingMs + LeastGapMs);
        if (disposed || wanted >= alarmAtMs)
        {
            return;
        }

        alarmAtMs = wanted;
        double ms = wanted - time.GetElapsedTime(start).TotalMilliseconds;
        // The system timer counts whole milliseconds and must not ring early.
        TimeSpan after = TimeSpan.FromMilliseconds(Math.Clamp(Math.Ceiling(ms), 0, int.MaxValue));
        watch?.SetAlarm(after);
        alarm?.Change(after, Timeout.InfiniteTimeSpan);
    }

    private static int SlotIn(int level, long ms) => (int)(ms >> (level * Bits)) & (Slots - 1);
}
