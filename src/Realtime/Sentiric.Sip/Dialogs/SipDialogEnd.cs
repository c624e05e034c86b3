namespace Sentiric.Sip;

/// <summary>Why a dialog ended.</summary>
public enum SipDialogEndCause
{
    RemoteBye,
    LocalBye,

    /// <summary>No ACK for our 2xx within 64*T1 (RFC 3261 13.3.1.4).</summary>
    AckTimeout,

    /// <summary>A request in the dialog got 408 or 481, or no answer at all (RFC 3261 12.2.1.2).</summary>
    RemoteGone,

    /// <summary>The endpoint was shut down; BYE was sent.</summary>
    Shutdown,

    /// <summary>The session interval went by without a refresh; BYE was sent (RFC 4028 10).</summary>
    SessionExpired,

    /// <summary>Another call took its place; BYE was sent (RFC 3891 3).</summary>
    Replaced,
}

/// <summary>How the dialog ended; <paramref name="Reason"/> is the Reason header of the BYE and <paramref name="Q850Cause"/> its Q.850 cause (RFC 3326).</summary>
public sealed record SipDialogEnd(SipDialogEndCause Cause, string? Reason, int? Q850Cause, DateTimeOffset At)
{
    internal static int? Q850Of(IEnumerable<string> reasons)
    {
        foreach (SipReason reason in SipReason.Parse(reasons))
        {
            if (reason.Protocol.Equals("Q.850", StringComparison.OrdinalIgnoreCase))
            {
                return reason.Cause;
            }
        }

        return null;
    }

    /// <summary>Every reason that the BYE named.</summary>
    public IReadOnlyList<SipReason> Reasons => Reason is null ? [] : SipReason.Parse([Reason]);
}

/// <summary>
/// An offer that arrived in a dialog by re-INVITE, UPDATE or PRACK. <paramref name="Offer"/> is null when a re-INVITE wants one of ours; its answer
/// is then <paramref name="AckSdp"/>, null when the ACK brought none or the re-INVITE was taken back.
/// </summary>
public sealed record SipReinvite(SipRequest Request, string? Offer, Task<string?> AckSdp)
{
    /// <summary>The answer is due at once: no user can be asked (RFC 3311 5.2).</summary>
    public bool IsUrgent => !Request.Is(SipMethod.Invite);
}

/// <summary>The application's answer to such an offer: SDP with 200, or a refusal.</summary>
public sealed record SipReinviteAnswer(string? Sdp, int StatusCode, string? Reason = null)
{
    public static SipReinviteAnswer Accept(string sdp) => new(sdp, 200);

    public static SipReinviteAnswer Refuse(int statusCode, string? reason = null) => new(null, statusCode, reason);
}

/// <summary>
/// What came of a re-INVITE or UPDATE that was sent: 200 with the peer's SDP, or the refusing status. 491: both sides tried at once and the
/// other won, or something of ours is still under way.
/// </summary>
public sealed record SipReinviteResult(int StatusCode, string? Sdp)
{
    public bool IsAccepted => StatusCode is >= 200 and < 300;
}
