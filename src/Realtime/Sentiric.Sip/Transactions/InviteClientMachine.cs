namespace Sentiric.Sip;

public enum InviteClientState
{
    Calling,
    Proceeding,
    Completed,
    Accepted,
    Terminated,
}

public enum InviteClientInput
{
    Receive1xx,
    Receive2xx,
    Receive3xxTo6xx,
    TimerA,
    TimerB,
    TimerD,
    TimerM,
    TransportError,
}

/// <summary>The INVITE client transaction, RFC 3261 17.1.1 (figure 5) with the Accepted state of RFC 6026 7.2.</summary>
public static class InviteClientMachine
{
    private const TransactionEffects None = TransactionEffects.None;

    /// <summary>17.1.1.2: the INVITE leaves; timer A repeats it over unreliable transports, timer B gives up.</summary>
    public static TransactionStep<InviteClientState> Begin(bool reliable) => new(
        InviteClientState.Calling,
        TransactionEffects.SendRequest | TransactionEffects.StartTimerB | (reliable ? None : TransactionEffects.StartTimerA));

    public static TransactionStep<InviteClientState> Step(InviteClientState state, InviteClientInput input, bool reliable) => state switch
    {
        InviteClientState.Calling => Calling(input, reliable),
        InviteClientState.Proceeding => Proceeding(input, reliable),
        InviteClientState.Completed => Completed(input),
        InviteClientState.Accepted => Accepted(input),
        InviteClientState.Terminated => new(InviteClientState.Terminated, None),
    };

    private static TransactionStep<InviteClientState> Calling(InviteClientInput input, bool reliable) => input switch
    {
        InviteClientInput.TimerA => new(InviteClientState.Calling, TransactionEffects.ResendRequest | TransactionEffects.StartTimerA),
        InviteClientInput.TimerB => new(InviteClientState.Terminated, TransactionEffects.ReportTimeout | TransactionEffects.Terminate),
        InviteClientInput.Receive1xx => new(InviteClientState.Proceeding, TransactionEffects.StopTimers | TransactionEffects.PassUp),
        InviteClientInput.Receive2xx => Accept(),
        InviteClientInput.Receive3xxTo6xx => Complete(reliable),
        InviteClientInput.TransportError => new(InviteClientState.Terminated, TransactionEffects.ReportTransportError | TransactionEffects.Terminate),
        InviteClientInput.TimerD or InviteClientInput.TimerM => new(InviteClientState.Calling, None),
    };

    private static TransactionStep<InviteClientState> Proceeding(InviteClientInput input, bool reliable) => input switch
    {
        InviteClientInput.Receive1xx => new(InviteClientState.Proceeding, TransactionEffects.PassUp),
        InviteClientInput.Receive2xx => Accept(),
        InviteClientInput.Receive3xxTo6xx => Complete(reliable),
        InviteClientInput.TimerA or InviteClientInput.TimerB or InviteClientInput.TimerD or InviteClientInput.TimerM or InviteClientInput.TransportError
            => new(InviteClientState.Proceeding, None),
    };

    private static TransactionStep<InviteClientState> Completed(InviteClientInput input) => input switch
    {
        // 17.1.1.2: a repeated final response gets the ACK again and goes no further up.
        InviteClientInput.Receive3xxTo6xx => new(InviteClientState.Completed, TransactionEffects.SendAck),
        InviteClientInput.TimerD => new(InviteClientState.Terminated, TransactionEffects.Terminate),
        InviteClientInput.TransportError => new(InviteClientState.Terminated, TransactionEffects.ReportTransportError | TransactionEffects.Terminate),
        InviteClientInput.Receive1xx or InviteClientInput.Receive2xx or InviteClientInput.TimerA or InviteClientInput.TimerB or InviteClientInput.TimerM
            => new(InviteClientState.Completed, None),
    };

    private static TransactionStep<InviteClientState> Accepted(InviteClientInput input) => input switch
    {
        // RFC 6026 7.2: every 2xx goes up, copies and those of other forks alike; the core sends the ACKs.
        InviteClientInput.Receive2xx => new(InviteClientState.Accepted, TransactionEffects.PassUp),
        InviteClientInput.TimerM => new(InviteClientState.Terminated, TransactionEffects.Terminate),
        InviteClientInput.Receive1xx or InviteClientInput.Receive3xxTo6xx or InviteClientInput.TimerA or InviteClientInput.TimerB
            or InviteClientInput.TimerD or InviteClientInput.TransportError => new(InviteClientState.Accepted, None),
    };

    private static TransactionStep<InviteClientState> Accept() => new(
        InviteClientState.Accepted,
        TransactionEffects.StopTimers | TransactionEffects.PassUp | TransactionEffects.StartTimerM);

    // Timer D is at least 32 s over unreliable transports and zero over reliable ones.
    private static TransactionStep<InviteClientState> Complete(bool reliable) => reliable
        ? new(InviteClientState.Terminated, TransactionEffects.StopTimers | TransactionEffects.SendAck | TransactionEffects.PassUp | TransactionEffects.Terminate)
        : new(InviteClientState.Completed, TransactionEffects.StopTimers | TransactionEffects.SendAck | TransactionEffects.PassUp | TransactionEffects.StartTimerD);
}
