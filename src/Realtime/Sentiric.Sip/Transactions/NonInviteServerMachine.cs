namespace Sentiric.Sip;

public enum NonInviteServerState
{
    Trying,
    Proceeding,
    Completed,
    Terminated,
}

public enum NonInviteServerInput
{
    Request,
    Send1xx,
    SendFinal,
    TimerJ,
    TransportError,
}

/// <summary>The non-INVITE server transaction, RFC 3261 17.2.2 (figure 8).</summary>
public static class NonInviteServerMachine
{
    private const TransactionEffects None = TransactionEffects.None;

    public static TransactionStep<NonInviteServerState> Step(NonInviteServerState state, NonInviteServerInput input, bool reliable) => state switch
    {
        NonInviteServerState.Trying => Trying(input, reliable),
        NonInviteServerState.Proceeding => Proceeding(input, reliable),
        NonInviteServerState.Completed => Completed(input),
        NonInviteServerState.Terminated => new(NonInviteServerState.Terminated, None),
    };

    private static TransactionStep<NonInviteServerState> Trying(NonInviteServerInput input, bool reliable) => input switch
    {
        NonInviteServerInput.Send1xx => new(NonInviteServerState.Proceeding, TransactionEffects.SendResponse),
        NonInviteServerInput.SendFinal => Complete(reliable),
        // Copies are discarded until there is something to repeat.
        NonInviteServerInput.Request or NonInviteServerInput.TimerJ or NonInviteServerInput.TransportError => new(NonInviteServerState.Trying, None),
    };

    private static TransactionStep<NonInviteServerState> Proceeding(NonInviteServerInput input, bool reliable) => input switch
    {
        NonInviteServerInput.Request => new(NonInviteServerState.Proceeding, TransactionEffects.ResendResponse),
        NonInviteServerInput.Send1xx => new(NonInviteServerState.Proceeding, TransactionEffects.SendResponse),
        NonInviteServerInput.SendFinal => Complete(reliable),
        NonInviteServerInput.TransportError => new(NonInviteServerState.Terminated, TransactionEffects.ReportTransportError | TransactionEffects.Terminate),
        NonInviteServerInput.TimerJ => new(NonInviteServerState.Proceeding, None),
    };

    private static TransactionStep<NonInviteServerState> Completed(NonInviteServerInput input) => input switch
    {
        NonInviteServerInput.Request => new(NonInviteServerState.Completed, TransactionEffects.ResendResponse),
        NonInviteServerInput.TimerJ => new(NonInviteServerState.Terminated, TransactionEffects.Terminate),
        NonInviteServerInput.TransportError => new(NonInviteServerState.Terminated, TransactionEffects.ReportTransportError | TransactionEffects.Terminate),
        NonInviteServerInput.Send1xx or NonInviteServerInput.SendFinal => new(NonInviteServerState.Completed, None),
    };

    // Timer J is 64*T1 over unreliable transports and zero over reliable ones.
    private static TransactionStep<NonInviteServerState> Complete(bool reliable) => reliable
        ? new(NonInviteServerState.Terminated, TransactionEffects.SendResponse | TransactionEffects.Terminate)
        : new(NonInviteServerState.Completed, TransactionEffects.SendResponse | TransactionEffects.StartTimerJ);
}
