using System.Buffers;
using System.Threading.Channels;

namespace Sentiric.Speech;

/// <summary>
/// The waiting side of a session: takes audio and wishes in order and has a worker do them, one at a time. Writing never waits.
/// Audio that the workers do not get to is kept up to <see cref="MaxBacklog"/>; beyond it the oldest goes, because late speech helps nobody.
/// </summary>
internal sealed class CtcSession : IRecognitionSession
{
    public static readonly TimeSpan MaxBacklog = TimeSpan.FromSeconds(60);

    private const int PartialsKept = 8;
    private const int WorkMs = 60; // a worker is called for no less
    private readonly CtcListener listener;
    private readonly SpeechWorkerPool pool;
    private readonly int maxBacklogSamples;
    private readonly int workSamples;
    private readonly Action released;
    private readonly Channel<RecognitionResult> partials = Channel.CreateBounded<RecognitionResult>(
        new BoundedChannelOptions(PartialsKept) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    // everything below is guarded by the gate; the listener belongs to the worker that set or found scheduled
    private readonly Lock gate = new();
    private readonly LinkedList<Wish> wishes = new();
    private int backlogSamples;
    private bool scheduled;
    private bool disposed;
    private volatile RecognitionResult? current;

    public CtcSession(CtcListener listener, SpeechWorkerPool pool, int sampleRate, Action released)
    {
        this.listener = listener;
        this.pool = pool;
        this.released = released;
        maxBacklogSamples = (int)(MaxBacklog.TotalSeconds * sampleRate);
        workSamples = sampleRate * WorkMs / 1000;
    }

    public RecognitionResult? CurrentPartial => current;

    public IAsyncEnumerable<RecognitionResult> Partials => partials.Reader.ReadAllAsync();

    public ValueTask WriteAsync(ReadOnlyMemory<short> pcm, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        short[] copy = ArrayPool<short>.Shared.Rent(Math.Max(1, pcm.Length));
        pcm.Span.CopyTo(copy);
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            wishes.AddLast(new Wish(copy, pcm.Length, TimeSpan.Zero, null));
            backlogSamples += pcm.Length;
            DropOverflow();
            if (backlogSamples >= workSamples)
            {
                // a full pool is no failure here: the audio waits and the next write asks again
                scheduled = scheduled || pool.TryPost(Work);
            }
        }

        return ValueTask.CompletedTask;
    }

    public async ValueTask BeginUtteranceAsync(TimeSpan preRoll, CancellationToken cancel) => await AskAsync(preRoll, cancel);

    public async ValueTask<RecognitionResult> EndUtteranceAsync(CancellationToken cancel) => await AskAsync(preRoll: null, cancel);

    public ValueTask DisposeAsync()
    {
        lock (gate)
        {
            if (disposed)
            {
                return ValueTask.CompletedTask;
            }

            disposed = true;
            DropWishes();
            if (!scheduled)
            {
                Release();
            }
        }

        partials.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    private Task<RecognitionResult> AskAsync(TimeSpan? preRoll, CancellationToken cancel)
    {
        var answer = new TaskCompletionSource<RecognitionResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            scheduled = scheduled || pool.TryPost(Work);
            if (!scheduled)
            {
                throw SpeechWorkerPool.Overloaded();
            }

            wishes.AddLast(new Wish(null, 0, preRoll, answer));
        }

        return answer.Task.WaitAsync(cancel);
    }

    /// <summary>On a worker: does what is asked until nothing is left.</summary>
    private void Work()
    {
        while (Next() is { } wish)
        {
            try
            {
                Do(wish);
            }
            catch (Exception failure)
            {
                Fail(wish, failure);
            }
            finally
            {
                Return(wish);
            }
        }
    }

    private Wish? Next()
    {
        lock (gate)
        {
            if (!disposed && wishes.First is { } first)
            {
                wishes.RemoveFirst();
                backlogSamples -= first.Value.Length;
                return first.Value;
            }

            scheduled = false;
            if (disposed)
            {
                Release();
            }

            return null;
        }
    }

    private void Do(Wish wish)
    {
        if (wish.Samples is { } samples)
        {
            Publish(listener.Hear(samples.AsSpan(0, wish.Length)));
        }
        else if (wish.PreRoll is { } preRoll)
        {
            listener.Begin(preRoll);
            current = null;
            wish.Answer?.TrySetResult(Nothing);
        }
        else
        {
            var result = listener.End();
            current = null;
            wish.Answer?.TrySetResult(result);
        }
    }

    private void Publish(RecognitionResult? partial)
    {
        if (partial is not null)
        {
            current = partial.IsEmpty ? null : partial;
            partials.Writer.TryWrite(partial);
        }
    }

    /// <summary>A network that fails while it runs is broken for good: whoever waits hears it, and so does the reader of partials.</summary>
    private void Fail(Wish wish, Exception failure)
    {
        var told = new SpeechEngineException(
            SpeechFault.EngineFailed, $"The recogniser failed: {failure.Message}", "Check the model and the memory of the speech role.", failure);
        wish.Answer?.TrySetException(told);
        partials.Writer.TryComplete(told);
    }

    private void DropOverflow()
    {
        while (backlogSamples > maxBacklogSamples && FirstAudio() is { } oldest)
        {
            wishes.Remove(oldest);
            backlogSamples -= oldest.Value.Length;
            Return(oldest.Value);
        }
    }

    private LinkedListNode<Wish>? FirstAudio()
    {
        var node = wishes.First;
        while (node is not null && node.Value.Samples is null)
        {
            node = node.Next;
        }

        return node;
    }

    private void DropWishes()
    {
        foreach (var wish in wishes)
        {
            wish.Answer?.TrySetException(new ObjectDisposedException(nameof(IRecognitionSession)));
            Return(wish);
        }

        wishes.Clear();
    }

    private void Release()
    {
        listener.Dispose();
        released();
    }

    private static void Return(Wish wish)
    {
        if (wish.Samples is { } samples)
        {
            ArrayPool<short>.Shared.Return(samples);
        }
    }

    private static RecognitionResult Nothing { get; } = new(RecognitionKind.Partial, "", 0, TimeSpan.Zero, TimeSpan.Zero, "", []);

    /// <summary>Audio to hear, or (without samples) an utterance to begin with that pre-roll, or to end when there is none.</summary>
    private readonly record struct Wish(short[]? Samples, int Length, TimeSpan? PreRoll, TaskCompletionSource<RecognitionResult>? Answer);
}
