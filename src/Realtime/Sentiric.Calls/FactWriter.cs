using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Sentiric.Contracts.Services;

namespace Sentiric.Calls;

/// <summary>
/// Carries facts from the realtime roles to the write role, in order, off the audio path. While the journal cannot be reached the facts wait here;
/// when <see cref="MaxWaiting"/> of them wait, <see cref="IsFull"/> turns true and new calls are refused rather than facts lost.
/// </summary>
public sealed partial class FactWriter : IAsyncDisposable
{
    public const int MaxWaiting = 50_000;
    private const int NewCallsStopAt = MaxWaiting * 8 / 10;
    private const int MaxBatch = 200;
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(5);

    private readonly Channel<Waiting> _waiting = Channel.CreateBounded<Waiting>(MaxWaiting);
    private readonly CancellationTokenSource _stopping;
    private readonly ICallJournal _journal;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly Task _writing;

    public FactWriter(ICallJournal journal, TimeProvider clock, ILogger<FactWriter> logger)
    {
        (_journal, _clock, _logger) = (journal, clock, logger);
        _stopping = new(Timeout.InfiniteTimeSpan, clock);
        _writing = Task.Run(WriteAsync);
    }

    public bool IsFull => _waiting.Reader.Count > NewCallsStopAt;

    /// <summary>Queues a fact; never blocks. False when the queue is full, which is logged.</summary>
    public bool Write(string tenant, string stream, object fact, string actor)
    {
        var written = _waiting.Writer.TryWrite(new(tenant, stream, new(Guid.CreateVersion7(_clock.GetUtcNow()), fact, actor)));
        if (!written)
        {
            LogLost(fact.GetType().Name, stream);
        }

        return written;
    }

    /// <summary>Writes what waits, for at most 5 s, then stops.</summary>
    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        _stopping.CancelAfter(DrainTime);
        await _writing;
        _stopping.Dispose();
    }

    private async Task WriteAsync()
    {
        while (await _waiting.Reader.WaitToReadAsync())
        {
            while (_waiting.Reader.TryPeek(out var first))
            {
                await AppendAsync(first.Tenant, first.Stream, TakeRun(first));
            }
        }
    }

    // Neighbours of one stream go in one append; the order over all streams stays.
    private List<JournalEntry> TakeRun(Waiting first)
    {
        var run = new List<JournalEntry>();
        while (run.Count < MaxBatch && _waiting.Reader.TryPeek(out var next) && next.Stream == first.Stream && _waiting.Reader.TryRead(out next))
        {
            run.Add(next.Entry);
        }

        return run;
    }

    private async Task AppendAsync(string tenant, string stream, List<JournalEntry> run)
    {
        for (var wait = FirstRetry; ; wait = wait * 2 < LastRetry ? wait * 2 : LastRetry)
        {
            try
            {
                var result = await _journal.AppendAsync(tenant, stream, run, _stopping.Token);
                if (result.Refusal is { } refusal)
                {
                    LogRefused(stream, run.Count, refusal.Code, refusal.Why);
                }

                return;
            }
            catch (Exception) when (_stopping.IsCancellationRequested)
            {
                LogAbandoned(run.Count, stream);
                return;
            }
            catch (Exception e)
            {
                LogRetry(e, stream, run.Count, wait.TotalMilliseconds);
            }

            await Task.Delay(wait, _clock, _stopping.Token).ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The queue of facts is full: {Fact} of {Stream} is lost")]
    private partial void LogLost(string fact, string stream);

    [LoggerMessage(Level = LogLevel.Error, Message = "The journal refused {Count} facts of {Stream}: {Code} {Why}")]
    private partial void LogRefused(string stream, int count, string code, string why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The journal does not take {Count} facts of {Stream}; again in {WaitMs} ms")]
    private partial void LogRetry(Exception e, string stream, int count, double waitMs);

    [LoggerMessage(Level = LogLevel.Error, Message = "Stopped with {Count} facts of {Stream} not written: the journal did not answer in time")]
    private partial void LogAbandoned(int count, string stream);

    private readonly record struct Waiting(string Tenant, string Stream, JournalEntry Entry);
}
