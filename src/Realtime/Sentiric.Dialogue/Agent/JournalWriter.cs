using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Sentiric.Contracts.Services;

namespace Sentiric.Dialogue;

/// <summary>
/// Writes a call's facts in the background, in order, however long the journal stays away. Nothing that carries audio waits for it.
/// </summary>
internal sealed partial class JournalWriter(ICallJournal journal, TimeProvider time, string tenant, string stream, ILogger logger)
{
    /// <summary>Facts that wait while the journal does not answer; one more is lost and logged.</summary>
    public const int MaxWaiting = 4_096;

    private const int BatchSize = 64;
    private const string Actor = "agent";
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly Channel<JournalEntry> _waiting = Channel.CreateBounded<JournalEntry>(
        new BoundedChannelOptions(MaxWaiting) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private long _noted;
    private long _settled;
    private volatile TaskCompletionSource _progress = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Note(object @event)
    {
        if (_waiting.Writer.TryWrite(new(Guid.CreateVersion7(time.GetUtcNow()), @event, Actor)))
        {
            Interlocked.Increment(ref _noted);
        }
        else
        {
            LogOverflow(logger, stream, @event.GetType().Name);
        }
    }

    /// <summary>Until all that was noted is written, or the time is over.</summary>
    public async Task FlushAsync(TimeSpan patience, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
        try
        {
            while (Interlocked.Read(ref _settled) < Interlocked.Read(ref _noted))
            {
                var progress = _progress.Task;
                if (Interlocked.Read(ref _settled) < Interlocked.Read(ref _noted))
                {
                    await progress.WaitAsync(either.Token).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            LogLate(logger, stream);
        }
    }

    public void Complete() => _waiting.Writer.TryComplete();

    public async Task RunAsync(CancellationToken ct)
    {
        var batch = new List<JournalEntry>(BatchSize);
        while (await _waiting.Reader.WaitToReadAsync(ct).ConfigureAwait(false))
        {
            while (batch.Count < BatchSize && _waiting.Reader.TryRead(out var entry))
            {
                batch.Add(entry);
            }

            await WriteAsync([.. batch], ct).ConfigureAwait(false);
            Interlocked.Add(ref _settled, batch.Count);
            batch.Clear();
            Interlocked.Exchange(ref _progress, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
        }
    }

    private async Task WriteAsync(IReadOnlyList<JournalEntry> batch, CancellationToken ct)
    {
        var pause = FirstPause;
        while (true)
        {
            try
            {
                if ((await journal.AppendAsync(tenant, stream, batch, ct).ConfigureAwait(false)).Refusal is { } refusal)
                {
                    LogRefused(logger, stream, refusal.Code, refusal.Why);
                }

                return;
            }
            catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
            {
                LogRetry(logger, e, stream, batch.Count, pause.TotalSeconds);
            }

            await Task.Delay(pause, time, ct).ConfigureAwait(false);
            pause = pause * 2 > LongestPause ? LongestPause : pause * 2;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The journal's queue of {Stream} is full; {Event} is lost")]
    private static partial void LogOverflow(ILogger logger, string stream, string @event);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Facts of {Stream} are not written yet; the call goes on")]
    private static partial void LogLate(ILogger logger, string stream);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The journal refused facts of {Stream}: {Code} {Why}")]
    private static partial void LogRefused(ILogger logger, string stream, string code, string why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The journal does not take {Count} facts of {Stream}; again in {Seconds} s")]
    private static partial void LogRetry(ILogger logger, Exception e, string stream, int count, double seconds);
}
