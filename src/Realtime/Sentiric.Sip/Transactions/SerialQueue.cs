using System.Collections.Concurrent;

namespace Sentiric.Sip;

/// <summary>
/// Runs work one piece at a time, in order, on whichever thread finds the queue empty. So all state behind it has one owner
/// at every moment and needs no lock, and an idle stack answers on the thread that received the message.
/// </summary>
internal sealed class SerialQueue(ApplicationCalls calling, Action<Exception> faulted)
{
    private readonly ConcurrentQueue<Action> waiting = new();
    private int pending;

    public int Pending => Volatile.Read(ref pending);

    public void Post(Action work)
    {
        waiting.Enqueue(work);
        if (Interlocked.Increment(ref pending) == 1)
        {
            Drain();
        }
    }

    /// <summary>
    /// True when nothing runs or waits: the caller owns everything behind the queue until <see cref="Leave"/>, and its work needs no object
    /// of its own. It must leave whatever happens.
    /// </summary>
    public bool TryEnter() => Interlocked.CompareExchange(ref pending, 1, 0) == 0;

    /// <summary>Gives the queue back, after running what was posted in the meantime.</summary>
    public void Leave()
    {
        if (Interlocked.Decrement(ref pending) > 0)
        {
            Drain();
        }

        calling.Wake();
    }

    /// <summary>Runs work on the queue and gives its result; an exception goes to the caller.</summary>
    public Task<T> InvokeAsync<T>(Func<T> work)
    {
        if (TryEnter())
        {
            try
            {
                return Task.FromResult(work());
            }
            catch (Exception fault)
            {
                return Task.FromException<T>(fault);
            }
            finally
            {
                Leave();
            }
        }

        // What waits for the result is the application, so it goes on as one of its calls.
        var done = new TaskCompletionSource<T>();
        Post(() =>
        {
            try
            {
                T result = work();
                calling.Post(() => done.SetResult(result));
            }
            catch (Exception fault)
            {
                calling.Post(() => done.SetException(fault));
            }
        });
        return done.Task;
    }

    private void Drain()
    {
        do
        {
            calling.Wake();
            if (waiting.TryDequeue(out Action? work))
            {
                Run(work);
            }
        }
        while (Interlocked.Decrement(ref pending) > 0);
        calling.Wake();
    }

    // The outermost boundary of the stack: one faulty message must not stop the ones behind it.
    private void Run(Action work)
    {
        try
        {
            work();
        }
        catch (Exception fault)
        {
            faulted(fault);
        }
    }
}
