using System.Diagnostics;

namespace Sentiric.Sip;

/// <summary>A thread that receives, which the application may run on for a while.</summary>
internal interface ILender
{
    /// <summary>The application keeps the thread: another goes on receiving, and that one ends when it comes back. Called by the watch, once for each lending.</summary>
    void StandIn(Thread kept);
}

/// <summary>
/// The one thread that waits for time to pass, so that the thread pool need not be woken for it: it rings when the wheel's next timer is due, and sees that an
/// application which runs on a thread that was lent to it gives that back. It runs neither the application nor anything else that may block. Thread-safe.
/// </summary>
internal sealed class SipWatch : IDisposable
{
    /// <summary>How long a lent thread may stay away; then another takes its place.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    /// <summary>An application that kept a thread gets none for so long.</summary>
    private static readonly TimeSpan Caution = TimeSpan.FromMinutes(1);

    /// <summary>It looks on so long after the last loan before it sleeps: to wake it for each would cost more than to look.</summary>
    private static readonly TimeSpan Attention = TimeSpan.FromSeconds(2);

    private static readonly long PatienceTicks = TicksOf(Patience), CautionTicks = TicksOf(Caution), AttentionTicks = TicksOf(Attention);

    private readonly AutoResetEvent called = new(false);
    private readonly Action ring;
    private readonly List<Loan> loans = [];
    private volatile bool stopped;

    /// <summary>The places where time is kept here are in ticks of <see cref="Stopwatch"/>. Never: <see cref="long.MaxValue"/>.</summary>
    private long alarmAt = long.MaxValue;
    private long attentiveUntil;
    private long noLoansBefore;

    /// <summary>Until when the thread sleeps unless it is called; <see cref="long.MinValue"/> while it is awake and will look at everything again.</summary>
    private long sleepsUntil = long.MinValue;

    /// <summary>Threads that the application keeps.</summary>
    private int kept;

    public SipWatch(Action ring)
    {
        this.ring = ring;
        new Thread(Run) { IsBackground = true, Name = "sip-watch" }.Start();
    }

    /// <summary>Rings once, then or soon after; a new time takes the place of the old one.</summary>
    public void SetAlarm(TimeSpan after)
    {
        long at = Stopwatch.GetTimestamp() + TicksOf(after);
        Interlocked.Exchange(ref alarmAt, at);
        CallBefore(at);
    }

    /// <summary>May the application run on this thread? Not one that kept another.</summary>
    public bool MayLend => Volatile.Read(ref kept) == 0 && Stopwatch.GetTimestamp() >= Volatile.Read(ref noLoansBefore);

    /// <summary>The present thread runs the application from here on, until <see cref="TryGiveBack"/>.</summary>
    public Loan Lend(ILender lender)
    {
        var loan = new Loan(lender, Thread.CurrentThread);
        lock (loans)
        {
            loans.Add(loan);
        }

        return loan;
    }

    /// <summary>One call of the application begins; false when the thread has been replaced and shall take no more.</summary>
    public bool TryBegin(Loan loan)
    {
        long now = Stopwatch.GetTimestamp();
        if (!loan.TryMove(now))
        {
            return false;
        }

        if (Volatile.Read(ref attentiveUntil) - now < AttentionTicks / 2)
        {
            Interlocked.Exchange(ref attentiveUntil, now + AttentionTicks);
            CallBefore(now + PatienceTicks);
        }

        return true;
    }

    /// <summary>The calls have returned; false when another thread has taken its place.</summary>
    public bool TryGiveBack(Loan loan)
    {
        if (loan.TryMove(Loan.AtHome))
        {
            return true;
        }

        Interlocked.Decrement(ref kept);
        return false;
    }

    public void Dispose()
    {
        stopped = true;
        called.Set();
    }

    private static long TicksOf(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);

    private void CallBefore(long at)
    {
        if (at < Volatile.Read(ref sleepsUntil))
        {
            called.Set();
        }
    }

    private void Run()
    {
        while (!stopped)
        {
            long now = Stopwatch.GetTimestamp();
            if (now >= Volatile.Read(ref alarmAt))
            {
                // Given back before it rings: what rings sets the next one.
                Interlocked.Exchange(ref alarmAt, long.MaxValue);
                ring();
            }

            Look(now);
            Sleep(now);
        }
    }

    private void Sleep(long now)
    {
        long until = Next(now);
        // Said first and looked at again: who set an earlier time in between found somebody awake.
        Interlocked.Exchange(ref sleepsUntil, until);
        if (!stopped && Next(now) >= until)
        {
            double ms = until == long.MaxValue ? Timeout.Infinite : Math.Ceiling((until - Stopwatch.GetTimestamp()) * 1_000.0 / Stopwatch.Frequency);
            if (until == long.MaxValue || ms > 0)
            {
                called.WaitOne((int)Math.Min(ms, int.MaxValue));
            }
        }

        Interlocked.Exchange(ref sleepsUntil, long.MinValue);
    }

    private long Next(long now) => Math.Min(Volatile.Read(ref alarmAt), now < Volatile.Read(ref attentiveUntil) ? now + PatienceTicks : long.MaxValue);

    private void Look(long now)
    {
        lock (loans)
        {
            for (int i = loans.Count - 1; i >= 0; i--)
            {
                if (loans[i].TryCall(now - PatienceTicks))
                {
                    Interlocked.Increment(ref kept);
                    Interlocked.Exchange(ref noLoansBefore, now + CautionTicks);
                    loans[i].Lender.StandIn(loans[i].Thread);
                    loans.RemoveAt(i);
                }
            }
        }
    }

    /// <summary>A thread that may be lent, and since when it is away.</summary>
    internal sealed class Loan(ILender lender, Thread thread)
    {
        public const long AtHome = 0;
        private const long Replaced = -1;
        private long since;

        public ILender Lender => lender;

        public Thread Thread => thread;

        /// <summary>Away since then, or at home again; false when it was replaced.</summary>
        public bool TryMove(long to)
        {
            long from = Volatile.Read(ref since);
            return from != Replaced && Interlocked.CompareExchange(ref since, to, from) == from;
        }

        /// <summary>True once, when it has been away since before that time.</summary>
        public bool TryCall(long before) => Volatile.Read(ref since) is > AtHome and var from && from < before && Interlocked.CompareExchange(ref since, Replaced, from) == from;
    }
}
