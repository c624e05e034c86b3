namespace Sentiric.Sip;

/// <summary>
/// What is left of an INVITE that was refused, until its ACK has come and timer I has run, or timer H gives up: the refusal is repeated, to copies and
/// by timer G, and ACKs are absorbed (RFC 3261 17.2.1). It holds neither request nor call. Owned by the shard's queue.
/// </summary>
internal sealed class RefusedInvite : IServerTransaction
{
    private readonly SipShard shard;
    private readonly byte[] response;
    private readonly SipTarget target;
    private InviteServerState state = InviteServerState.Completed;

    /// <summary>Timer G.</summary>
    private SipTimer? repeat;

    /// <summary>Timer H, then I.</summary>
    private SipTimer? limit;
    private TimeSpan intervalG;

    /// <summary>The refusal was sent just now.</summary>
    public RefusedInvite(SipShard shard, ServerTransaction ended, byte[] response)
    {
        this.shard = shard;
        this.response = response;
        target = SipShard.ResponseTarget(ended.Request.TopVia, ended.Transport, ended.Source);
        Key = ended.Key;
        MergeKey = ended.MergeKey;
        CallTag = ended.CallTag;
        intervalG = shard.Options.Timers.T1;
    }

    public TransactionKey Key { get; }

    public TransactionKey? MergeKey { get; }

    public string? CallTag { get; }

    private bool Reliable => target.Transport.Kind != SipTransportKind.Udp;

    public void Begin()
    {
        limit = shard.Timers.Start(shard.Options.Timers.Timeout, Due, this, (int)InviteServerInput.TimerH);
        if (!Reliable)
        {
            StartTimerG();
        }
    }

    public void Receive(SipRequest request) => Step(request.Is(SipMethod.Ack) ? InviteServerInput.Ack : InviteServerInput.Invite);

    public void CancelCall(SipRequest cancel)
    {
        // 9.2: no effect on an INVITE that has its final response.
    }

    private void Step(InviteServerInput input)
    {
        var step = InviteServerMachine.Step(state, input, Reliable);
        state = step.Next;
        if (step.Effects.HasFlag(TransactionEffects.StopTimers))
        {
            StopTimers();
        }

        if (step.Effects.HasFlag(TransactionEffects.ResendResponse))
        {
            shard.Send(response, target, null);
        }

        if (step.Effects.HasFlag(TransactionEffects.StartTimerG))
        {
            StartTimerG();
        }

        if (step.Effects.HasFlag(TransactionEffects.StartTimerI))
        {
            limit = shard.Timers.Start(shard.Options.Timers.T4, Due, this, (int)InviteServerInput.TimerI);
        }

        if (step.Effects.HasFlag(TransactionEffects.Terminate))
        {
            StopTimers();
            shard.Remove(this);
        }
    }

    private void StartTimerG()
    {
        repeat = shard.Timers.Start(intervalG, Due, this, (int)InviteServerInput.TimerG);
        TimeSpan t2 = shard.Options.Timers.T2;
        intervalG = intervalG * 2 < t2 ? intervalG * 2 : t2;
    }

    private void StopTimers()
    {
        repeat?.Cancel();
        limit?.Cancel();
        repeat = limit = null;
    }

    private static void Due(object refused, int input) => ((RefusedInvite)refused).Step((InviteServerInput)input);
}
