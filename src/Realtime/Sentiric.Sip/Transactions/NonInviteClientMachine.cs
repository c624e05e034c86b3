namespace Sentiric.Sip;

public enum NonInviteClientState
{
    Trying,
    Proceeding,
    Completed,
    Terminated,
}

public enum NonInviteClientInput
{
    Receive1xx,
    ReceiveFinal,
    TimerE,
    TimerF,
    TimerK,
    TransportError,
}

/// <summary>The non-INVITE client transaction, RFC 3261 17.1.2 (figure 6).</summary>
public static class NonInviteClientMachine
{
    private const TransactionEffects None = TransactionEffects.None;

    /// <summary>17.1.2.2: the request leaves; timer E repeats it over unreliable transports, timer F gives up.</summary>
    public static TransactionStep<NonInviteClientState> Begin(bool reliable) => new(
        NonInviteClientState.Trying,
        TransactionEffects.SendRequest | TransactionEffects.StartTimerF | (reliable ? None : TransactionEffects.StartTimerE));

    public static TransactionStep<NonInviteClientState> Step(NonInviteClientState state, NonInviteClientInput input, bool reliable) => state switch
    {
        NonInviteClientState.Trying or NonInviteClientState.Proceeding => Waiting(state, input, reliable),
        NonInviteClientState.Completed => input == NonInviteClientInput.TimerK
            ? new(NonInviteClientState.Terminated, TransactionEffects.Terminate)
            : new(NonInviteClientState.Completed, None),
        NonInviteClientState.Terminated => new(NonInviteClientState.Terminated, None),
    };

    // Both waiting states act alike; only the interval of timer E differs (T2 at once in Proceeding), which the runner knows.
    private static TransactionStep<NonInviteClientState> Waiting(NonInviteClientState state, NonInviteClientInput input, bool reliable) => input switch
    {
        NonInviteClientInput.Receive1xx => new(NonInviteClientState.Proceeding, TransactionEffects.PassUp),
        NonInviteClientInput.ReceiveFinal => Complete(reliable),
        NonInviteClientInput.TimerE => new(state, TransactionEffects.ResendRequest | TransactionEffects.StartTimerE),
        NonInviteClientInput.TimerF => new(NonInviteClientState.Terminated, TransactionEffects.ReportTimeout | TransactionEffects.Terminate),
        NonInviteClientInput.TransportError => new(NonInviteClientState.Terminated, TransactionEffects.ReportTransportError | TransactionEffects.Terminate),
        NonInviteClientInput.TimerK => new(state, None),
    };

    // Timer K is T4 over unreliable transports and zero over reliable ones.
    private static TransactionStep<NonInviteClientState> Complete(bool reliable) => reliable
        ? new(NonInviteClientState.Terminated, TransactionEffects.StopTimers | TransactionEffects.PassUp | TransactionEffects.Terminate)
        : new(NonInviteClientState.Completed, TransactionEffects.StopTimers | TransactionEffects.PassUp | TransactionEffects.StartTimerK);
}
