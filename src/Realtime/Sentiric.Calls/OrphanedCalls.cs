using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;

namespace Sentiric.Calls;

/// <summary>
/// Every call ends for a reason, also when the process that held it died: at its start the sip role closes what was left open. The dialogs died
/// with the old process, so the calls ended when it did; their talk time cannot be known and is not billed.
/// There is one sip role; with several this would close the calls of the others.
/// </summary>
public sealed partial class OrphanedCalls(IOpenCalls openCalls, LiveCalls calls, FactWriter facts, TimeProvider clock, ILogger<OrphanedCalls> logger) : BackgroundService
{
    private const string Actor = "sip";
    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(2);

    // The read models may still be catching up with what the old process wrote last.
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(3);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var startedAt = clock.GetUtcNow();
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Settle, clock, stoppingToken);
            try
            {
                await CloseAsync(startedAt, stoppingToken);
                return;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LogRetry(e);
            }

            await Task.Delay(TryAgain, clock, stoppingToken);
        }
    }

    public async Task<int> CloseAsync(DateTimeOffset before, CancellationToken ct)
    {
        var orphans = (await openCalls.ListAsync(before, ct)).Where(o => calls.Find(o.CallId) is null).ToList();
        foreach (var orphan in orphans)
        {
            var ringMs = (long)((orphan.AnsweredAt ?? orphan.ReceivedAt) - orphan.ReceivedAt).TotalMilliseconds;
            var end = new CallEnd(CallEndReason.Failed, HungUpBy.System);
            facts.Write(
                orphan.Tenant, Streams.Call(orphan.CallId),
                new CallEnded(
                    clock.GetUtcNow(), end.Reason, end.By, orphan.AnsweredAt is null ? end.SipStatus : 200, end.Q850Cause, orphan.AnsweredAt is not null, ringMs, 0, 0),
                Actor);
            LogClosed(orphan.CallId, orphan.ReceivedAt);
        }

        return orphans.Count;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Call {CallId} of {ReceivedAt} was open when the sip role died; it is closed as failed")]
    private partial void LogClosed(Guid callId, DateTimeOffset receivedAt);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The calls that an earlier process left open cannot be asked for yet")]
    private partial void LogRetry(Exception e);
}
