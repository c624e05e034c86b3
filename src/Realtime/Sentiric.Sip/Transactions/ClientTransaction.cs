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

/// <summary>
/// Runs the two client machines: does their effects. Lives in the shard's table from its request until it has nothing more to do than to absorb
/// copies of its final response; from there to Terminate a <see cref="FinishedClient"/> stands in its place. Where a 2xx may still come from another
/// fork of an INVITE it stays itself, for that is told to the caller (RFC 6026 7.2). Owned by the shard's queue.
/// </summary>
internal sealed class ClientTransaction : IClientTransaction
{
    private readonly SipShard shard;
    private readonly byte[] bytes;
    private readonly Action<SipResponse> received;
    private readonly Action<ClientFailure> failed;

    /// <summary>Timer A or E.</summary>
    private SipTimer? repeat;

    /// <summary>Timer B, D, F, K or M: there is never more than one of them.</summary>
    private SipTimer? limit;
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

    /// <summary>Bytes of the request on the wire.</summary>
    public int Size => bytes.Length;

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
        if (step.Effects.HasFlag(TransactionEffects.StartTimerD))
        {
            Finish();
        }
    }

    private void Apply(TransactionStep<NonInviteClientState> step, SipResponse? response = null)
    {
        state = step.Next;
        Do(step.Effects, response);
        if (step.Effects.HasFlag(TransactionEffects.StartTimerK))
        {
            Finish();
        }
    }

    /// <summary>Another waits in its place for the copies, as long as this one would have; unless the caller has given up on hearing the response.</summary>
    private void Finish()
    {
        if (limit is { } timer && new FinishedClient(shard, Key, Target, ack) is var rest && shard.TryReplace(rest))
        {
            StopTimers();
            shard.Timers.StartLoosely(rest, timer.AtMs);
        }
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
            if (effects.HasFlag(TransactionEffects.ResendRequest))
            {
                shard.Meter.RequestSentAgain();
            }

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
            repeat = shard.Timers.Start(intervalA, InviteDue, this, (int)InviteClientInput.TimerA);
            intervalA *= 2;
        }

        if (effects.HasFlag(TransactionEffects.StartTimerE))
        {
            // 17.1.2.2: doubling up to T2 while trying, T2 at once after a provisional response.
            TimeSpan interval = state == NonInviteClientState.Proceeding ? t.T2 : intervalE;
            repeat = shard.Timers.Start(interval, OtherDue, this, (int)NonInviteClientInput.TimerE);
            intervalE = intervalE * 2 < t.T2 ? intervalE * 2 : t.T2;
        }

        Start(effects, TransactionEffects.StartTimerB, t.Timeout, InviteDue, (int)InviteClientInput.TimerB);
        Start(effects, TransactionEffects.StartTimerD, t.D, InviteDue, (int)InviteClientInput.TimerD);
        Start(effects, TransactionEffects.StartTimerM, t.Timeout, InviteDue, (int)InviteClientInput.TimerM);
        Start(effects, TransactionEffects.StartTimerF, t.Timeout, OtherDue, (int)NonInviteClientInput.TimerF);
        Start(effects, TransactionEffects.StartTimerK, t.T4, OtherDue, (int)NonInviteClientInput.TimerK);
    }

    private void Start(TransactionEffects effects, TransactionEffects which, TimeSpan after, TimerDue due, int input)
    {
        if (effects.HasFlag(which))
        {
            limit?.Cancel();
            limit = shard.Timers.Start(after, due, this, input);
        }
    }

    private static void InviteDue(object transaction, int input) => ((ClientTransaction)transaction).Step((InviteClientInput)input);

    private static void OtherDue(object transaction, int input) => ((ClientTransaction)transaction).Step((NonInviteClientInput)input);

    private void StopTimers()
    {
        repeat?.Cancel();
        limit?.Cancel();
        repeat = limit = null;
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
