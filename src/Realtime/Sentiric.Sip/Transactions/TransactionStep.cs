namespace Sentiric.Sip;

/// <summary>What the runner does after a step, in the order of the bits.</summary>
[Flags]
public enum TransactionEffects
{
    None = 0,
    StopTimers = 1 << 0,
    SendRequest = 1 << 1,
    ResendRequest = 1 << 2,
    SendAck = 1 << 3,
    SendResponse = 1 << 4,
    ResendResponse = 1 << 5,

    /// <summary>The message goes to the user agent core.</summary>
    PassUp = 1 << 6,
    ReportTimeout = 1 << 7,
    ReportTransportError = 1 << 8,
    StartTimerA = 1 << 9,
    StartTimerB = 1 << 10,
    StartTimerD = 1 << 11,
    StartTimerE = 1 << 12,
    StartTimerF = 1 << 13,
    StartTimerG = 1 << 14,
    StartTimerH = 1 << 15,
    StartTimerI = 1 << 16,
    StartTimerJ = 1 << 17,
    StartTimerK = 1 << 18,
    StartTimerL = 1 << 19,
    StartTimerM = 1 << 20,

    /// <summary>The transaction leaves its table.</summary>
    Terminate = 1 << 21,
}

/// <summary>The next state and what to do.</summary>
public readonly record struct TransactionStep<TState>(TState Next, TransactionEffects Effects);
