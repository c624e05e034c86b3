namespace Sentiric.Sip;

public enum InviteServerState
{
    Proceeding,
    Completed,
    Confirmed,
    Accepted,
    Terminated,
}

public enum InviteServerInput
{
    Invite,
    Ack,
    Send1xx,
    Send2xx,
    Send3xxTo6xx,
    TimerG,
    TimerH,
    TimerI,
    TimerL,
    TransportError,
}

/// <summary>The INVITE server transaction, RFC 3261 17.2.1 (figure 7) with the Accepted state of RFC 6026 7.1.</summary>
public static class InviteServerMachine
{
    private const TransactionEffects None = TransactionEffects.None;

    public static TransactionStep<InviteServerState> Step(InviteServerState state, InviteServerInput input, bool reliable) => state switch
    {
        InviteServerState.Proceeding => Proceeding(input, reliable),
        InviteServerState.Completed => Completed(input, reliable),
        InviteServerState.Confirmed => input == InviteServerInput.TimerI
            ? new(InviteServerState.Terminated, TransactionEffects.Terminate)
            : new(InviteServerState.Confirmed, None),
        InviteServerState.Accepted => Accepted(input),
        InviteServerState.Terminated => new(InviteServerState.Terminated, None),
    };

    private static TransactionStep<InviteServerState> Proceeding(InviteServerInput input, bool reliable) => input switch
    {
        // 17.2.1: a retransmitted INVITE gets the most recent provisional response again.
        InviteServerInput.Invite => new(InviteServerState.Proceeding, TransactionEffects.ResendResponse),
        InviteServerInput.Send1xx => new(InviteServerState.Proceeding, TransactionEffects.SendResponse),
        // RFC 6026 8.7: timer L keeps the transaction, so that a late INVITE copy is no new call.
        InviteServerInput.Send2xx => new(InviteServerState.Accepted, TransactionEffects.SendResponse | TransactionEffects.StartTimerL),
        InviteServerInput.Send3xxTo6xx => new(InviteServerState.Completed, TransactionEffects.SendResponse | TransactionEffects.StartTimerH
            | (reliable ? None : TransactionEffects.StartTimerG)),
        InviteServerInput.TransportError => new(InviteServerState.Proceeding, TransactionEffects.ReportTransportError),
        InviteServerInput.Ack or InviteServerInput.TimerG or InviteServerInput.TimerH or InviteServerInput.TimerI or InviteServerInput.TimerL
            => new(InviteServerState.Proceeding, None),
    };

    private static TransactionStep<InviteServerState> Completed(InviteServerInput input, bool reliable) => input switch
    {
        InviteServerInput.Invite => new(InviteServerState.Completed, TransactionEffects.ResendResponse),
        InviteServerInput.TimerG => new(InviteServerState.Completed, TransactionEffects.ResendResponse | TransactionEffects.StartTimerG),
        // 17.2.1: timer I absorbs further ACKs; over reliable transports it is zero.
        InviteServerInput.Ack => reliable
            ? new(InviteServerState.Terminated, TransactionEffects.StopTimers | TransactionEffects.Terminate)
            : new(InviteServerState.Confirmed, TransactionEffects.StopTimers | TransactionEffects.StartTimerI),
        InviteServerInput.TimerH => new(InviteServerState.Terminated, TransactionEffects.ReportTimeout | TransactionEffects.Terminate),
        InviteServerInput.TransportError => new(InviteServerState.Completed, TransactionEffects.ReportTransportError),
        InviteServerInput.Send1xx or InviteServerInput.Send2xx or InviteServerInput.Send3xxTo6xx or InviteServerInput.TimerI or InviteServerInput.TimerL
            => new(InviteServerState.Completed, None),
    };

    private static TransactionStep<InviteServerState> Accepted(InviteServerInput input) => input switch
    {
        // RFC 6026 7.1: copies of the INVITE are absorbed, the user agent core repeats its 2xx itself.
        InviteServerInput.Invite => new(InviteServerState.Accepted, None),
        InviteServerInput.Send2xx => new(InviteServerState.Accepted, TransactionEffects.SendResponse),
        InviteServerInput.Ack => new(InviteServerState.Accepted, TransactionEffects.PassUp),
        InviteServerInput.TimerL => new(InviteServerState.Terminated, TransactionEffects.Terminate),
        InviteServerInput.TransportError => new(InviteServerState.Accepted, TransactionEffects.ReportTransportError),
        InviteServerInput.Send1xx or InviteServerInput.Send3xxTo6xx or InviteServerInput.TimerG or InviteServerInput.TimerH or InviteServerInput.TimerI
            => new(InviteServerState.Accepted, None),
    };
}
