using System.Collections.Concurrent;

namespace Sentiric.Sip;

/// <summary>Where the stack calls the application.</summary>
public enum SipCallbacks
{
    /// <summary>
    /// On a thread that does nothing else. Waking it costs a fraction of waking the thread pool, whose threads spin before they sleep.
    /// While it is busy, and after the endpoint has stopped, calls go to the thread pool: an application that blocks delays nobody.
    /// </summary>
    OwnThread,

    /// <summary>On the thread pool.</summary>
    ThreadPool,
}

/// <summary>Calls into the application, never on the shard's queue. Thread-safe.</summary>
internal sealed class ApplicationCalls : IDisposable
{
    private readonly ConcurrentQueue<Action> waiting = new();
    private readonly AutoResetEvent called = new(false);
    private readonly Action<Exception> faulted;

    /// <summary>1 while the own thread sleeps and nobody has called it yet.</summary>
    private int idle;
    private volatile bool stopped;

    public ApplicationCalls(SipCallbacks where, Action<Exception> faulted)
    {
        this.faulted = faulted;
        stopped = where == SipCallbacks.ThreadPool;
        if (!stopped)
        {
            new Thread(Run) { IsBackground = true, Name = "sip-application" }.Start();
        }
    }

    /// <summary>Everything posted runs, soon, on some thread.</summary>
    public void Post(Action call)
    {
        waiting.Enqueue(call);
        if (!stopped && Interlocked.Exchange(ref idle, 0) == 1)
        {
            called.Set();
        }
        else
        {
            ThreadPool.UnsafeQueueUserWorkItem(static calls => calls.RunOne(), this, preferLocal: false);
        }
    }

    /// <summary>The thread ends; what still comes goes to the thread pool.</summary>
    public void Dispose()
    {
        stopped = true;
        called.Set();
    }

    private void Run()
    {
        while (!stopped)
        {
            while (RunOne())
            {
            }

            // Idle is said first and the queue looked at again: a call that was posted in between finds somebody awake.
            Volatile.Write(ref idle, 1);
            if (waiting.IsEmpty && !stopped)
            {
                called.WaitOne();
            }

            Volatile.Write(ref idle, 0);
        }

        while (RunOne())
        {
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

        return true;
    }
}
