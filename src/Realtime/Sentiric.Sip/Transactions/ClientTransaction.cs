namespace Sentiric.Sip;

/// <summary>Matches responses to client transactions (RFC 3261 17.1.3).</summary>
internal readonly record struct ClientKey(string Branch, string Method);

/// <summary>Where a request goes.</summary>
/// <param name="Host">Whom a certificate must speak for; null: whoever holds the connection.</param>
internal readonly record struct SipTarget(ISipTransport Transport, System.Net.IPEndPoint Remote, string? Host = null);

/// <summary>Why a client transaction ended without a final response.</summary>
internal enum ClientFailure
{
    Timeout,
    Transport,
}

/// <summary>Runs the two client machines. Lives in the shard's table from its request to Terminate; owned by the shard's queue.</summary>
internal sealed class ClientTransaction
{
    private readonly SipShard shard;
    private readonly byte[] bytes;
    private readonly Action<SipResponse> received;
    private readonly Action<ClientFailure> failed;
    private readonly Dictionary<TransactionEffects, SipTimer> timers = [];
    private InviteClientState inviteState;
    private NonInviteClientState state;
    private TimeSpan intervalA;
    private TimeSpan intervalE;
    private byte[]? ack;

    public ClientTransaction(
        SipShard shard, RequestDraft draft, SipTarget target, string branch, Action<SipResponse> received, Action<ClientFailure> failed)
    {
        this.shard = shard;
        this.received = received;
        this.failed = failed;
        Draft = draft;
        Target = target;
        Branch = branch;
        Via = shard.ViaFor(target, branch);
        bytes = draft.Build(Via, shard.Options.UserAgentName);
        intervalA = intervalE = shard.Options.Timers.T1;
    }

    public RequestDraft Draft { get; }

    public SipTarget Target { get; }

    public string Branch { get; }

    public string Via { get; }

    public ClientKey Key => new(Branch, Draft.Method);

    private bool IsInvite => Draft.Method == SipMethod.Invite;

    private bool Reliable => Target.Transport.Kind != SipTransportKind.Udp;

    public void Begin()
    {
        if (IsInvite)
        {
            Apply(InviteClientMachine.Begin(Reliable));
        }
        else
        {
            Apply(NonInviteClientMachine.Begin(Reliable));
        }
    }

    public void Receive(SipResponse response)
    {
        if (IsInvite)
        {
            InviteClientInput input = response.IsProvisional ? InviteClientInput.Receive1xx
                : response.IsSuccess ? InviteClientInput.Receive2xx : InviteClientInput.Receive3xxTo6xx;
            Step(input, response);
        }
        else
        {
            Step(response.IsProvisional ? NonInviteClientInput.Receive1xx : NonInviteClientInput.ReceiveFinal, response);
        }
    }

    /// <summary>Ends it silently: the user of the transaction has given up (RFC 3261 9.1).</summary>
    public void Abandon()
    {
        StopTimers();
        shard.Remove(this);
    }

    /// <summary>The endpoint stops: whoever waits for the response is told that none comes.</summary>
    public void Shutdown()
    {
        Abandon();
        failed(ClientFailure.Transport);
    }

    private void Step(InviteClientInput input, SipResponse? response = null)
    {
        if (response is not null && input == InviteClientInput.Receive3xxTo6xx)
        {
            // RFC 3261 17.1.1.3: the ACK goes where the INVITE went, with its branch and the To of the response.
            ack ??= Draft.AckFor(response).Build(Via, shard.Options.UserAgentName);
        }

        Apply(InviteClientMachine.Step(inviteState, input, Reliable), response);
    }

    private void Step(NonInviteClientInput input, SipResponse? response = null) =>
        Apply(NonInviteClientMachine.Step(state, input, Reliable), response);

    private void Apply(TransactionStep<InviteClientState> step, SipResponse? response = null)
    {
        inviteState = step.Next;
        Do(step.Effects, response);
    }

    private void Apply(TransactionStep<NonInviteClientState> step, SipResponse? response = null)
    {
        state = step.Next;
        Do(step.Effects, response);
    }

    private void Do(TransactionEffects effects, SipResponse? response)
    {
        if (effects.HasFlag(TransactionEffects.StopTimers))
        {
            StopTimers();
        }

        StartTimers(effects);
        if (effects.HasFlag(TransactionEffects.Terminate))
        {
            Abandon();
        }

        if ((effects & (TransactionEffects.SendRequest | TransactionEffects.ResendRequest)) != 0)
        {
            shard.Send(bytes, Target, TransportFailed);
        }

        if (effects.HasFlag(TransactionEffects.SendAck) && ack is not null)
        {
            shard.Send(ack, Target, TransportFailed);
        }

        if (effects.HasFlag(TransactionEffects.PassUp) && response is not null)
        {
            received(response);
        }

        if (effects.HasFlag(TransactionEffects.ReportTimeout))
        {
            failed(ClientFailure.Timeout);
        }

        if (effects.HasFlag(TransactionEffects.ReportTransportError))
        {
            failed(ClientFailure.Transport);
        }
    }

    private void StartTimers(TransactionEffects effects)
    {
        SipTimers t = shard.Options.Timers;
        if (effects.HasFlag(TransactionEffects.StartTimerA))
        {
            Start(TransactionEffects.StartTimerA, intervalA, InviteClientInput.TimerA);
            intervalA *= 2;
        }

        if (effects.HasFlag(TransactionEffects.StartTimerE))
        {
            // 17.1.2.2: doubling up to T2 while trying, T2 at once after a provisional response.
            Start(TransactionEffects.StartTimerE, state == NonInviteClientState.Proceeding ? t.T2 : intervalE, NonInviteClientInput.TimerE);
            intervalE = intervalE * 2 < t.T2 ? intervalE * 2 : t.T2;
        }

        Start(effects, TransactionEffects.StartTimerB, t.Timeout, InviteClientInput.TimerB);
        Start(effects, TransactionEffects.StartTimerD, t.D, InviteClientInput.TimerD);
        Start(effects, TransactionEffects.StartTimerM, t.Timeout, InviteClientInput.TimerM);
        if (effects.HasFlag(TransactionEffects.StartTimerF))
        {
            Start(TransactionEffects.StartTimerF, t.Timeout, NonInviteClientInput.TimerF);
        }

        if (effects.HasFlag(TransactionEffects.StartTimerK))
        {
            Start(TransactionEffects.StartTimerK, t.T4, NonInviteClientInput.TimerK);
        }
    }

    private void Start(TransactionEffects effects, TransactionEffects which, TimeSpan after, InviteClientInput input)
    {
        if (effects.HasFlag(which))
        {
            Start(which, after, input);
        }
    }

    private void Start(TransactionEffects which, TimeSpan after, InviteClientInput input) =>
        timers[which] = shard.Timers.Start(after, () => Step(input));

    private void Start(TransactionEffects which, TimeSpan after, NonInviteClientInput input) =>
        timers[which] = shard.Timers.Start(after, () => Step(input));

    private void StopTimers()
    {
        foreach (SipTimer timer in timers.Values)
        {
            timer.Cancel();
        }

        timers.Clear();
    }

    private void TransportFailed(string why) => shard.Queue.Post(() =>
    {
        if (IsInvite)
        {
            Step(InviteClientInput.TransportError);
        }
        else
        {
            Step(NonInviteClientInput.TransportError);
        }
    });
}
