namespace Sentiric.Sip;

/// <summary>How far the offers and answers of a dialog are (RFC 3264 4, RFC 6337 2).</summary>
public enum OfferState : byte
{
    /// <summary>Nothing was ever offered.</summary>
    None,

    /// <summary>What was offered is answered, or refused and therefore as before.</summary>
    Stable,

    /// <summary>Our offer waits for its answer.</summary>
    OfferSent,

    /// <summary>Their offer waits for ours.</summary>
    OfferReceived,

    /// <summary>Our INVITE left without an offer: theirs comes with the first reliable response (RFC 3261 13.2.1).</summary>
    OfferAwaited,

    /// <summary>Their INVITE came without an offer: the first reliable response carries ours.</summary>
    OfferOwed,
}

/// <summary>The INVITE that is under way in a dialog; never more than one in both directions together (RFC 3261 14).</summary>
public enum InviteState : byte
{
    Idle,

    /// <summary>Ours has no final response yet.</summary>
    Sent,

    /// <summary>Theirs has no final response yet.</summary>
    Received,

    /// <summary>Our 2xx waits for its ACK.</summary>
    Accepted,
}

/// <summary>Both halves together: an UPDATE may carry an offer while an INVITE is under way, and an INVITE may last longer than its offer.</summary>
public readonly record struct SessionState(OfferState Offer, InviteState Invite);

/// <summary>What can happen to it. An offer in a PRACK and one in an UPDATE are the same to it.</summary>
public enum SessionInput : byte
{
    SendInvite,
    SendInviteOffer,
    ReceiveInvite,
    ReceiveInviteOffer,

    /// <summary>In an UPDATE or a PRACK.</summary>
    SendOffer,
    ReceiveOffer,

    /// <summary>In a 2xx or a reliable 18x to an INVITE that had none.</summary>
    SendLateOffer,
    ReceiveLateOffer,
    SendAnswer,
    ReceiveAnswer,

    /// <summary>The request with our offer was refused.</summary>
    OfferRefused,

    /// <summary>We refuse the request with theirs.</summary>
    RefuseOffer,

    /// <summary>Our 2xx leaves.</summary>
    Accept,

    /// <summary>The ACK of our 2xx came, or ours left for theirs.</summary>
    Acknowledge,

    /// <summary>A final response other than 2xx ended the INVITE.</summary>
    InviteFailed,
}

/// <summary>What the user agent does with the message.</summary>
public enum SessionVerdict : byte
{
    Go,

    /// <summary>491: ours is under way (RFC 3261 14.2, RFC 3311 5.2).</summary>
    RequestPending,

    /// <summary>500 with Retry-After: theirs before it is not done (RFC 3261 14.2, RFC 3311 5.2).</summary>
    Overlapping,

    /// <summary>We may not send this now.</summary>
    NotNow,

    /// <summary>Without meaning here: a second answer, which must be the same as the first (RFC 6337 2.1).</summary>
    Ignore,
}

public readonly record struct SessionStep(SessionState Next, SessionVerdict Verdict);

/// <summary>
/// Who may offer when in one dialog: RFC 3264 4, the six patterns of RFC 6337 table 1, RFC 3261 14 and RFC 3311 5. Pure; a dialog keeps
/// the state and does what the verdict says.
/// </summary>
public static class OfferAnswerMachine
{
    public static SessionState Begin => new(OfferState.None, InviteState.Idle);

    public static SessionStep Step(SessionState state, SessionInput input) => input switch
    {
        SessionInput.SendInvite => SendInvite(state, OfferState.OfferAwaited),
        SessionInput.SendInviteOffer => SendInvite(state, OfferState.OfferSent),
        SessionInput.ReceiveInvite => ReceiveInvite(state, OfferState.OfferOwed),
        SessionInput.ReceiveInviteOffer => ReceiveInvite(state, OfferState.OfferReceived),
        // RFC 3311 5.1: an UPDATE offers nothing while any offer of either side is open.
        // Before the ACK of our 2xx we wait, for the peer may not know yet that it is a 2xx.
        SessionInput.SendOffer => state.Invite == InviteState.Accepted ? new(state, SessionVerdict.NotNow)
            : When(state, OfferState.Stable, OfferState.OfferSent, SessionVerdict.NotNow),
        SessionInput.ReceiveOffer => ReceiveOffer(state),
        SessionInput.SendLateOffer => When(state, OfferState.OfferOwed, OfferState.OfferSent, SessionVerdict.NotNow),
        SessionInput.ReceiveLateOffer => When(state, OfferState.OfferAwaited, OfferState.OfferReceived, SessionVerdict.Ignore),
        SessionInput.SendAnswer => When(state, OfferState.OfferReceived, OfferState.Stable, SessionVerdict.NotNow),
        SessionInput.ReceiveAnswer => When(state, OfferState.OfferSent, OfferState.Stable, SessionVerdict.Ignore),
        // RFC 3264 8: a refused offer leaves everything as it was.
        SessionInput.OfferRefused => When(state, OfferState.OfferSent, OfferState.Stable, SessionVerdict.Ignore),
        SessionInput.RefuseOffer => When(state, OfferState.OfferReceived, OfferState.Stable, SessionVerdict.Ignore),
        SessionInput.Accept => state.Invite == InviteState.Received ? Go(state.Offer, InviteState.Accepted) : new(state, SessionVerdict.Ignore),
        SessionInput.Acknowledge => Acknowledge(state),
        SessionInput.InviteFailed => state.Invite is InviteState.Sent or InviteState.Received ? Go(Settled(state.Offer), InviteState.Idle) : new(state, SessionVerdict.Ignore),
    };

    private static SessionStep SendInvite(SessionState state, OfferState offer) =>
        state.Invite == InviteState.Idle && IsSettled(state.Offer) ? Go(offer, InviteState.Sent) : new(state, SessionVerdict.NotNow);

    private static SessionStep ReceiveInvite(SessionState state, OfferState offer) => state switch
    {
        // 14.2: before the first has its final response; before our 2xx has its ACK it is no better.
        { Invite: InviteState.Received or InviteState.Accepted } => new(state, SessionVerdict.Overlapping),
        { Invite: InviteState.Sent } or { Offer: OfferState.OfferSent } => new(state, SessionVerdict.RequestPending),
        { Offer: OfferState.OfferReceived } => new(state, SessionVerdict.Overlapping),
        _ => Go(offer, InviteState.Received),
    };

    private static SessionStep ReceiveOffer(SessionState state) => state.Offer switch
    {
        OfferState.Stable => Go(OfferState.OfferReceived, state.Invite),
        OfferState.OfferSent or OfferState.OfferAwaited => new(state, SessionVerdict.RequestPending),
        OfferState.OfferReceived or OfferState.OfferOwed or OfferState.None => new(state, SessionVerdict.Overlapping),
    };

    private static SessionStep Acknowledge(SessionState state) => state.Invite switch
    {
        // What is open besides belongs to an UPDATE: the answer of the 2xx came before its ACK leaves.
        InviteState.Sent => Go(state.Offer == OfferState.OfferAwaited ? OfferState.Stable : state.Offer, InviteState.Idle),
        // An ACK that owed an answer and brought none leaves everything as it was.
        InviteState.Accepted => Go(state.Offer == OfferState.OfferReceived ? state.Offer : Settled(state.Offer), InviteState.Idle),
        InviteState.Idle or InviteState.Received => new(state, SessionVerdict.Ignore),
    };

    private static SessionStep When(SessionState state, OfferState needed, OfferState next, SessionVerdict otherwise) =>
        state.Offer == needed ? Go(next, state.Invite) : new(state, otherwise);

    private static bool IsSettled(OfferState offer) => offer is OfferState.None or OfferState.Stable;

    private static OfferState Settled(OfferState offer) => offer == OfferState.None ? offer : OfferState.Stable;

    private static SessionStep Go(OfferState offer, InviteState invite) => new(new(offer, invite), SessionVerdict.Go);
}
