namespace Sentiric.Contracts.Events;

// Calls that we place, and transfers. Stream call-{id}, as those that came in.

/// <summary>Somebody wants a number to be called: the first event of every outgoing call. All that the call needs is in it.</summary>
/// <param name="From">The tenant's number that is shown.</param>
/// <param name="To">Whom to call: a number, an extension, or the name of a telephone that is registered here.</param>
/// <param name="Withheld">The number called does not learn <paramref name="From"/>.</param>
/// <param name="RingSeconds">Unanswered for so long, it is given up.</param>
/// <param name="Resolution">What happens once it is answered.</param>
public sealed record CallRequested(DateTimeOffset At, string From, string To, bool Withheld, int RingSeconds, DialplanResolution Resolution) : IFact;

/// <summary>An INVITE left; again for each trunk that is tried and each telephone that rings.</summary>
/// <param name="Trunk">Null: for a telephone that is registered here.</param>
public sealed record CallDialled(DateTimeOffset At, string SipCallId, string? Trunk) : IFact;

/// <summary>The toll rules forbid the call; nothing was dialled, also not for a transfer.</summary>
public sealed record CallTollRefused(DateTimeOffset At, TollRule Rule) : IFact;

/// <summary>The other party of an answered call is to be connected with a number.</summary>
public sealed record TransferRequested(DateTimeOffset At, string To) : IFact;

/// <summary>Both talk to each other.</summary>
/// <param name="Trunk">Over which the number was reached; null: it is a telephone that is registered here.</param>
/// <param name="SipCode">What the number, or the carrier for it, said last.</param>
public sealed record TransferCompleted(DateTimeOffset At, string To, TransferWay Way, string? Trunk, int SipCode) : IFact;

/// <summary>The number could not be had; the call goes on as it was.</summary>
/// <param name="SipCode">What was said last; 0 when nothing was dialled.</param>
public sealed record TransferFailed(DateTimeOffset At, string To, CallEndReason Reason, int SipCode) : IFact;
