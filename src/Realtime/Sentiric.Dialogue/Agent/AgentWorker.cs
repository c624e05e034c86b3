using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;

namespace Sentiric.Dialogue;

/// <summary>
/// Gives every call one agent: takes calls over from the bus, goes on with calls that a crashed process left behind, stops when a call has ended.
/// </summary>
public sealed partial class AgentWorker(AgentPorts ports, DialogueOptions options, ILogger<AgentWorker> logger) : BackgroundService
{
    public const string Queue = "sentiric.agent";

    /// <summary>Calls over the bound that hear that all lines are busy; the next ones are ended at once.</summary>
    public const int MaxTurnedAway = 100;

    // A call.started that comes again after its call has ended finds the lease still taken.
    private static readonly TimeSpan EndedLease = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan LookForOrphans = TimeSpan.FromSeconds(5);
    private const int OrphansAtOnce = 200;
    private const string EndedOwner = "ended";

    private readonly string _owner = Guid.NewGuid().ToString("N");
    private readonly ConcurrentDictionary<Guid, (CallAgent Agent, Task Work)> _running = new();
    private readonly CancellationTokenSource _stopping = new();

    public int Running => _running.Count;

    public BusSubscription Subscription => new(Queue, ["call.started", "call.ended", "dtmf.received", "call.transfer.requested", "call.transfer.completed", "call.transfer.failed"], HandleAsync);

    /// <summary>Idempotent: the same event may come twice, and late.</summary>
    public async Task HandleAsync(EventEnvelope envelope, CancellationToken ct)
    {
        if (envelope.CallId is not { } callId)
        {
            return;
        }

        switch (envelope.Decode())
        {
            case CallStarted started:
                await TakeOverAsync(new(envelope.Tenant, callId, started), ct).ConfigureAwait(false);
                break;
            case CallEnded:
                await EndAsync(callId, ct).ConfigureAwait(false);
                break;
            case TransferCompleted when _running.TryGetValue(callId, out var left):
                left.Agent.CallOver();
                break;
            case TransferRequested when _running.TryGetValue(callId, out var waiting):
                waiting.Agent.TransferBegan();
                break;
            case TransferFailed failed when _running.TryGetValue(callId, out var back):
                back.Agent.TransferGaveUp(failed.Reason);
                break;
            case DtmfReceived dtmf when _running.TryGetValue(callId, out var running):
                running.Agent.Press(dtmf.Digit);
                break;
            default:
                break;
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        // The calls live on: their states and free leases let another process go on with them.
        await _stopping.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_running.Values.Select(r => r.Work)).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Calls do not wait for it.
        var warmUp = new WarmUp(ports, options, logger).RunAsync(stoppingToken);
        using var timer = new PeriodicTimer(LookForOrphans, ports.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                await AdoptAsync(stoppingToken).ConfigureAwait(false);
            }
        }
        finally
        {
            await warmUp.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Goes on with calls whose agent is gone; returns how many.</summary>
    public async Task<int> AdoptAsync(CancellationToken ct)
    {
        var adopted = 0;
        try
        {
            foreach (var callId in await ports.State.CallsAsync(OrphansAtOnce, ct).ConfigureAwait(false))
            {
                adopted += !_running.ContainsKey(callId) && await AdoptAsync(callId, ct).ConfigureAwait(false) ? 1 : 0;
            }
        }
        catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            LogAdoptionFailed(logger, e);
        }

        return adopted;
    }

    private async Task<bool> AdoptAsync(Guid callId, CancellationToken ct)
    {
        if (!await ports.State.TakeLeaseAsync(callId, _owner, options.Lease, ct).ConfigureAwait(false))
        {
            return false;
        }

        // Chats share the store; they wait for their caller and need no agent.
        if (await ports.State.GetAsync(callId, ct).ConfigureAwait(false) is not { } json || DialogueJson.ReadAgent(json) is not { Call: not null } left)
        {
            await ports.State.ReleaseLeaseAsync(callId, _owner, ct).ConfigureAwait(false);
            return false;
        }

        LogAdopted(logger, callId, left.State.Turn);
        Run(new(left.Tenant, callId, left.Call, left.State));
        return true;
    }

    private async Task TakeOverAsync(AgentCall call, CancellationToken ct)
    {
        if (_running.ContainsKey(call.CallId) || !await LeaseAsync(call.CallId, ct).ConfigureAwait(false))
        {
            LogTakenAlready(logger, call.CallId);
            return;
        }

        if (_running.Count >= options.MaxCalls)
        {
            await TurnAwayAsync(call, ct).ConfigureAwait(false);
            return;
        }

        var left = await LeftBehindAsync(call.CallId, ct).ConfigureAwait(false);
        Run(call with { Resumed = left });
    }

    private async Task<bool> LeaseAsync(Guid callId, CancellationToken ct)
    {
        try
        {
            return await ports.State.TakeLeaseAsync(callId, _owner, options.Lease, ct).ConfigureAwait(false);
        }
        catch (CallStateUnavailableException e)
        {
            // Better two agents after an outage than none: within the process the list of running calls still keeps them apart.
            LogAdoptionFailed(logger, e);
            return true;
        }
    }

    private async Task<DialogueState?> LeftBehindAsync(Guid callId, CancellationToken ct)
    {
        try
        {
            return await ports.State.GetAsync(callId, ct).ConfigureAwait(false) is { } json ? DialogueJson.ReadAgent(json)?.State : null;
        }
        catch (CallStateUnavailableException e)
        {
            LogAdoptionFailed(logger, e);
            return null;
        }
    }

    // An announcement needs no recogniser: more of them fit than conversations.
    private async Task TurnAwayAsync(AgentCall call, CancellationToken ct)
    {
        LogBusy(logger, call.CallId, options.MaxCalls);
        if (_running.Count >= options.MaxCalls + MaxTurnedAway)
        {
            await ports.Control.TerminateAsync(call.Tenant, new(call.CallId, CallEndReason.Capacity, HungUpBy.System), ct).ConfigureAwait(false);
            return;
        }

        var resolution = call.Started.DialplanResolution with { Action = DialplanAction.PlayAnnouncement, Why = "busy", AnnouncementText = null };
        Run(call with { Started = call.Started with { DialplanResolution = resolution } });
    }

    private void Run(AgentCall call)
    {
        var agent = new CallAgent(call, ports, options, logger);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (_running.TryAdd(call.CallId, (agent, RunAsync(call.CallId, agent, go.Task))))
        {
            go.SetResult();
        }
        else
        {
            go.SetCanceled(CancellationToken.None);
        }
    }

    private async Task RunAsync(Guid callId, CallAgent agent, Task go)
    {
        await go.ConfigureAwait(false);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        var lease = KeepLeaseAsync(callId, done.Token);
        try
        {
            await agent.RunAsync(_stopping.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            LogAgentBroke(logger, e, callId);
        }
        finally
        {
            await done.CancelAsync().ConfigureAwait(false);
            await lease.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await LeaveAsync(callId).ConfigureAwait(false);
            _running.TryRemove(callId, out _);
        }
    }

    private async Task KeepLeaseAsync(Guid callId, CancellationToken ct)
    {
        using var timer = new PeriodicTimer(options.Lease / 3, ports.Time);
        while (await timer.WaitForNextTickAsync(ct).ConfigureAwait(false))
        {
            await LeaseAsync(callId, ct).ConfigureAwait(false);
        }
    }

    private async Task LeaveAsync(Guid callId)
    {
        try
        {
            await ports.State.ReleaseLeaseAsync(callId, _owner, CancellationToken.None).ConfigureAwait(false);
            if (!_stopping.IsCancellationRequested)
            {
                await ForgetAsync(callId, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (CallStateUnavailableException e)
        {
            // The state expires by itself.
            LogAdoptionFailed(logger, e);
        }
    }

    private async Task EndAsync(Guid callId, CancellationToken ct)
    {
        if (_running.TryGetValue(callId, out var running))
        {
            running.Agent.CallOver();
            return;
        }

        await ForgetAsync(callId, ct).ConfigureAwait(false);
    }

    private async Task ForgetAsync(Guid callId, CancellationToken ct)
    {
        await ports.State.RemoveAsync(callId, ct).ConfigureAwait(false);
        await ports.State.TakeLeaseAsync(callId, EndedOwner, EndedLease, ct).ConfigureAwait(false);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Call {CallId} has an agent already")]
    private static partial void LogTakenAlready(ILogger logger, Guid callId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Call {CallId} is turned away: {MaxCalls} calls are being talked to")]
    private static partial void LogBusy(ILogger logger, Guid callId, int maxCalls);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Call {CallId} is taken over from a process that is gone, in turn {Turn}")]
    private static partial void LogAdopted(ILogger logger, Guid callId, int turn);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The call state does not answer")]
    private static partial void LogAdoptionFailed(ILogger logger, Exception e);

    [LoggerMessage(Level = LogLevel.Error, Message = "The agent of call {CallId} broke")]
    private static partial void LogAgentBroke(ILogger logger, Exception e, Guid callId);
}
