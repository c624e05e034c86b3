using System.Net;

namespace Sentiric.Sip;

/// <summary>
/// Runs the two server machines: does their effects. Lives in the shard's table from its request until it has nothing more to do than to
/// wait for copies; from there to Terminate a <see cref="FinishedTransaction"/> or a <see cref="RefusedInvite"/> stands in its place. Owned by the
/// shard's queue.
/// </summary>
internal sealed class ServerTransaction : IServerTransaction
{
    private readonly SipShard shard;

    /// <summary>Timer J or L.</summary>
    private SipTimer? limit;
    private InviteServerState inviteState = InviteServerState.Proceeding;
    private NonInviteServerState state = NonInviteServerState.Trying;
    private byte[]? lastResponse;
    private Action<string>? sendFailed;

    public ServerTransaction(SipShard shard, SipRequest request, TransactionKey key, TransactionKey? mergeKey, ISipTransport transport, IPEndPoint source)
    {
        this.shard = shard;
        Request = request;
        Transport = transport;
        Source = source;
        Key = key;
        MergeKey = mergeKey;
    }

    public SipRequest Request { get; }

    public ISipTransport Transport { get; }

    public IPEndPoint Source { get; }

    public TransactionKey Key { get; }

    public TransactionKey? MergeKey { get; }

    public bool IsInvite => Request.Is(SipMethod.Invite);

    /// <summary>A final response has been given.</summary>
    public bool IsAnswered => IsInvite ? inviteState != InviteServerState.Proceeding : state is NonInviteServerState.Completed or NonInviteServerState.Terminated;

    /// <summary>Whose call this INVITE opens or changes, for CANCEL.</summary>
    public IInviteOwner? Call { get; set; }

    public string? CallTag => Call?.LocalTag;

    /// <summary>An ACK that belongs to the 2xx (RFC 6026 7.1).</summary>
    public Action<SipRequest>? AckReceived { get; set; }

    private bool Reliable => Transport.Kind != SipTransportKind.Udp;

    /// <summary>A copy of the request, or the ACK of an INVITE.</summary>
    public void Receive(SipRequest request)
    {
        if (IsInvite)
        {
            Step(request.Is(SipMethod.Ack) ? InviteServerInput.Ack : InviteServerInput.Invite, null, request);
        }
        else
        {
            Step(NonInviteServerInput.Request, null);
        }
    }

    public void Respond(int statusCode, byte[] response)
    {
        if (IsInvite)
        {
            InviteServerInput input = statusCode < 200 ? InviteServerInput.Send1xx : statusCode < 300 ? InviteServerInput.Send2xx : InviteServerInput.Send3xxTo6xx;
            Step(input, response, null);
        }
        else
        {
            Step(statusCode < 200 ? NonInviteServerInput.Send1xx : NonInviteServerInput.SendFinal, response);
        }
    }

    public void CancelCall(SipRequest cancel) => Call?.Cancel(cancel);

    /// <summary>The 2xx is acknowledged: from here on copies are only absorbed.</summary>
    public void Acknowledged()
    {
        if (IsInvite && inviteState == InviteServerState.Accepted)
        {
            Finish(FinishedTransaction.Absorbing(shard, this));
        }
    }

    private void Step(InviteServerInput input, byte[]? response, SipRequest? received)
    {
        var step = InviteServerMachine.Step(inviteState, input, Reliable);
        inviteState = step.Next;
        if (input == InviteServerInput.Send3xxTo6xx && step.Effects.HasFlag(TransactionEffects.SendResponse) && response is not null)
        {
            Refuse(response);
            return;
        }

        Do(step.Effects, response);
        if (step.Effects.HasFlag(TransactionEffects.PassUp) && received is not null)
        {
            AckReceived?.Invoke(received);
        }
    }

    private void Step(NonInviteServerInput input, byte[]? response)
    {
        var step = NonInviteServerMachine.Step(state, input, Reliable);
        state = step.Next;
        Do(step.Effects, response);
        if (step.Effects.HasFlag(TransactionEffects.StartTimerJ) && lastResponse is not null)
        {
            Finish(FinishedTransaction.Repeating(shard, this, lastResponse));
        }
    }

    /// <summary>The refusal leaves, and another repeats it until the ACK comes.</summary>
    private void Refuse(byte[] response)
    {
        var rest = new RefusedInvite(shard, this, response);
        if (shard.TryReplace(rest))
        {
            rest.Begin();
        }

        Do(TransactionEffects.SendResponse, response);
    }

    /// <summary>Another waits in its place for the copies, as long as this one would have.</summary>
    private void Finish(FinishedTransaction rest)
    {
        if (limit is { } timer && shard.TryReplace(rest))
        {
            StopTimers();
            shard.Timers.StartLoosely(rest, timer.AtMs);
        }
    }

    private void Do(TransactionEffects effects, byte[]? response)
    {
        if (effects.HasFlag(TransactionEffects.StopTimers))
        {
            StopTimers();
        }

        if (effects.HasFlag(TransactionEffects.SendResponse))
        {
            lastResponse = response;
        }

        if ((effects & (TransactionEffects.SendResponse | TransactionEffects.ResendResponse)) != 0 && lastResponse is not null)
        {
            if (effects.HasFlag(TransactionEffects.ResendResponse))
            {
                shard.Meter.ResponseSentAgain();
            }

            shard.SendResponse(lastResponse, Request.TopVia, Transport, Source, sendFailed ??= TransportFailed);
        }

        StartTimers(effects);
        if (effects.HasFlag(TransactionEffects.Terminate))
        {
            StopTimers();
            shard.Remove(this);
        }
    }

    private void StartTimers(TransactionEffects effects)
    {
        SipTimers t = shard.Options.Timers;
        Start(effects, TransactionEffects.StartTimerL, t.Timeout, InviteDue, (int)InviteServerInput.TimerL);
        Start(effects, TransactionEffects.StartTimerJ, t.Timeout, OtherDue, (int)NonInviteServerInput.TimerJ);
    }

    private void Start(TransactionEffects effects, TransactionEffects which, TimeSpan after, TimerDue due, int input)
    {
        if (effects.HasFlag(which))
        {
            limit?.Cancel();
            limit = shard.Timers.Start(after, due, this, input);
        }
    }

    private static void InviteDue(object transaction, int input) => ((ServerTransaction)transaction).Step((InviteServerInput)input, null, null);

    private static void OtherDue(object transaction, int input) => ((ServerTransaction)transaction).Step((NonInviteServerInput)input, null);

    private void StopTimers()
    {
        limit?.Cancel();
        limit = null;
    }

    private void TransportFailed(string why) => shard.Queue.Post(() =>
    {
        shard.ResponseNotSent(this, why);
        if (IsInvite)
        {
            Step(InviteServerInput.TransportError, null, null);
        }
        else
        {
            Step(NonInviteServerInput.TransportError, null);
        }
    });
}
