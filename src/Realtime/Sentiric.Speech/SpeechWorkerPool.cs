using System.Collections.Concurrent;

namespace Sentiric.Speech;

/// <summary>
/// Threads of their own for inference, so that neither RTP nor the thread pool ever computes a network.
/// At most <c>queueLimit</c> pieces of work wait; at the bound <see cref="TryPost"/> says no and <see cref="RunAsync"/> fails with
/// <see cref="SpeechFault.Overloaded"/>: the caller hears at once that the machine is full.
/// </summary>
public sealed class SpeechWorkerPool : IDisposable
{
    public const int DefaultQueueLimit = 1024;
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(5);
    private readonly BlockingCollection<Action> queue;
    private readonly Thread[] workers;
    private bool closed;

    /// <param name="workers">1 to 64; one per core is right, each runs one inference at a time.</param>
    /// <param name="queueLimit">Pieces of work that may wait.</param>
    public SpeechWorkerPool(int workers, int queueLimit = DefaultQueueLimit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(workers, 64);
        queue = new BlockingCollection<Action>(queueLimit);
        this.workers = [.. Enumerable.Range(0, workers).Select(StartWorker)];
    }

    public int Waiting => queue.Count;

    /// <summary>Queues work that handles its own failures; false when the queue is full or the pool is closed.</summary>
    public bool TryPost(Action work)
    {
        try
        {
            return queue.TryAdd(work);
        }
        catch (InvalidOperationException)
        {
            // closed between two calls: the same answer as full
            return false;
        }
    }

    /// <summary>Runs a function on a worker; its exception becomes the task's. Cancelling gives up waiting, the function itself is not stopped.</summary>
    public async Task<T> RunAsync<T>(Func<T> work, CancellationToken cancel)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!TryPost(() => Complete(done, work)))
        {
            throw Overloaded();
        }

        return await done.Task.WaitAsync(cancel);
    }

    internal static SpeechEngineException Overloaded() => new(
        SpeechFault.Overloaded, "The speech engine has more work than it can take.", "Lower the number of calls or give the speech role more cores.");

    /// <summary>Lets the queued work finish, then ends the threads.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref closed, true))
        {
            return;
        }

        queue.CompleteAdding();
        bool ended = true;
        foreach (var worker in workers)
        {
            ended &= worker.Join(StopPatience);
        }

        if (ended)
        {
            queue.Dispose();
        }
    }

    private Thread StartWorker(int number)
    {
        var thread = new Thread(Work) { IsBackground = true, Name = $"speech-{number}" };
        thread.Start();
        return thread;
    }

    private void Work()
    {
        foreach (var work in queue.GetConsumingEnumerable())
        {
            work();
        }
    }

    private static void Complete<T>(TaskCompletionSource<T> done, Func<T> work)
    {
        try
        {
            done.SetResult(work());
        }
        catch (Exception failure)
        {
            done.SetException(failure);
        }
    }
}
