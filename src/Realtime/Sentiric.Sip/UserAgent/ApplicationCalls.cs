using System.Collections.Concurrent;

namespace Sentiric.Sip;

/// <summary>Where the stack calls the application.</summary>
public enum SipCallbacks
{
    /// <summary>
    /// On the thread that received what there is to tell, where the transport has one (UDP): nothing is woken. When a call keeps it for 50 ms, another thread
    /// goes on receiving, and for a minute calls go to the own thread. All other calls: as <see cref="OwnThread"/>.
    /// </summary>
    Receiver,

    /// <summary>
    /// On a thread that does nothing else. Waking it costs a fraction of waking the thread pool, whose threads spin before they sleep.
    /// Calls that wait while an application keeps it busy go to the thread pool, so one that blocks delays the others only a little.
    /// </summary>
    OwnThread,

    /// <summary>On the thread pool.</summary>
    ThreadPool,
}

/// <summary>Calls into the application, never on the shard's queue. Thread-safe.</summary>
internal sealed class ApplicationCalls : IDisposable
{
    /// <summary>How long a call may wait for the own thread; then the thread pool takes it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    private readonly ConcurrentQueue<Action> waiting = new();
    private readonly AutoResetEvent called = new(false);
    private readonly Action<Exception> faulted;
    private readonly Timer? relief;

    /// <summary>Whose calls the present thread runs when it has done with what it received; it wakes nobody for them.</summary>
    [ThreadStatic]
    private static ApplicationCalls? attended;

    /// <summary>The loan of the present thread.</summary>
    [ThreadStatic]
    private static SipWatch.Loan? loan;

    /// <summary>1 while the own thread sleeps and nobody has called it yet.</summary>
    private int idle;

    /// <summary>1 while the relief is on its way.</summary>
    private int relieving;
    private volatile bool stopped;

    /// <summary>Calls that wait or run.</summary>
    private int unfinished;

    public ApplicationCalls(SipCallbacks where, Action<Exception> faulted)
    {
        this.faulted = faulted;
        stopped = where == SipCallbacks.ThreadPool;
        if (!stopped)
        {
            // Real time, whatever the endpoint's clock: it watches over a real thread.
            relief = new Timer(_ => Relieve(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            new Thread(Run) { IsBackground = true, Name = "sip-application" }.Start();
        }
    }

    /// <summary>No call waits or runs; one whose application waits for something else counts as done until that comes.</summary>
    public bool IsIdle => Unfinished == 0;

    /// <summary>Calls that were posted and have not returned.</summary>
    public int Unfinished => Volatile.Read(ref unfinished);

    /// <summary>From a piece of work on the queue: runs soon after it, on some thread, for the queue wakes one when it is free again.</summary>
    public void Post(Action call)
    {
        Interlocked.Increment(ref unfinished);
        waiting.Enqueue(call);
        if (stopped)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static calls => calls.RunOne(), this, preferLocal: false);
        }
    }

    /// <summary>A question to the application, from a piece of work on the queue. What waits for a result that is there at once goes on within the call.</summary>
    public Task<T> AskAsync<T>(Func<Task<T>> question)
    {
        var answered = new TaskCompletionSource<T>();
        Post(() => _ = AnswerAsync(question, answered));
        return answered.Task;
    }

    /// <summary>
    /// Not before the queue is free: an application that answers at once would find it taken. Costs next to nothing when no call waits.
    /// </summary>
    public void Wake()
    {
        if (stopped || waiting.IsEmpty || ReferenceEquals(attended, this))
        {
            return;
        }

        if (Interlocked.Exchange(ref idle, 0) == 1)
        {
            called.Set();
        }
        else if (Interlocked.Exchange(ref relieving, 1) == 0)
        {
            relief?.Change(Patience, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>The present thread promises to run what it posts, in <see cref="RunHere"/>.</summary>
    public void Attend() => attended = this;

    /// <summary>Runs the calls on the present thread, which is the transport's; whatever an application does, it is replaced when that takes too long.</summary>
    public void RunHere(SipWatch watch, ILender lender)
    {
        if (!waiting.IsEmpty)
        {
            SipWatch.Loan mine = loan ??= watch.Lend(lender);
            while (watch.TryBegin(mine) && RunOne())
            {
            }

            if (!watch.TryGiveBack(mine))
            {
                loan = null;
            }
        }

        attended = null;
        // Replaced before it came to all of them: these are for the own thread.
        Wake();
    }

    /// <summary>The thread ends; what still comes goes to the thread pool.</summary>
    public void Dispose()
    {
        stopped = true;
        called.Set();
        relief?.Dispose();
        while (RunOne())
        {
        }
    }

    private static async Task AnswerAsync<T>(Func<Task<T>> question, TaskCompletionSource<T> answered)
    {
        T answer;
        try
        {
            answer = await question().ConfigureAwait(false);
        }
        catch (Exception fault)
        {
            answered.SetException(fault);
            return;
        }

        answered.SetResult(answer);
    }

    private void Run()
    {
        while (!stopped)
        {
            while (RunOne())
            {
            }

            // Idle is said first and the queue looked at again: a call that was posted in between finds somebody awake.
            Interlocked.Exchange(ref idle, 1);
            if (waiting.IsEmpty && !stopped)
            {
                called.WaitOne();
            }

            Interlocked.Exchange(ref idle, 0);
        }
    }

    /// <summary>On the thread pool: what the own thread has not come to gets a thread each.</summary>
    private void Relieve()
    {
        Interlocked.Exchange(ref relieving, 0);
        for (int left = waiting.Count; left > 0; left--)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static calls => calls.RunOne(), this, preferLocal: false);
        }
    }

    private bool RunOne()
    {
        if (!waiting.TryDequeue(out Action? call))
        {
            return false;
        }

        try
        {
            call();
        }
        catch (Exception fault)
        {
            faulted(fault);
        }
        finally
        {
            Interlocked.Decrement(ref unfinished);
        }

        return true;
    }
}
