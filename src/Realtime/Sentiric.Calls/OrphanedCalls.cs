using Microsoft.Extensions.Logging;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;

namespace Sentiric.Calls;

/// <summary>
/// Every call ends for a reason, also when the process that held it died: at its start the sip role closes what was left open. The dialogs died
/// with the old process, so the calls ended when it did; their talk time cannot be known and is not billed.
/// There is one sip role; with several this would close the calls of the others.
/// </summary>
public sealed partial class OrphanedCalls(IOpenCalls openCalls, LiveCalls calls, FactWriter facts, TimeProvider clock, ILogger<OrphanedCalls> logger) : WhatWasLeft(clock)
{
    private const string Actor = "sip";

    protected override Task TakeOverAsync(DateTimeOffset before, CancellationToken ct) => CloseAsync(before, ct);

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
                    Clock.GetUtcNow(), end.Reason, end.By, orphan.AnsweredAt is null ? end.SipStatus : 200, end.Q850Cause, orphan.AnsweredAt is not null, ringMs, 0, 0),
                Actor);
            LogClosed(orphan.CallId, orphan.ReceivedAt);
        }

        return orphans.Count;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Call {CallId} of {ReceivedAt} was open when the sip role died; it is closed as failed")]
    private partial void LogClosed(Guid callId, DateTimeOffset receivedAt);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The calls that an earlier process left open cannot be asked for yet")]
    protected override partial void LogRetry(Exception e);
}
