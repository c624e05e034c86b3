using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Sentiric.Sip;

/// <summary>Why an answered invite did not become a call.</summary>
public enum SipAnswerFailure
{
    None,

    /// <summary>The caller gave up before the answer.</summary>
    Cancelled,

    /// <summary>The 2xx was repeated for 64*T1 and no ACK came; BYE was sent.</summary>
    AckTimeout,

    /// <summary>A final response had been sent before.</summary>
    AlreadyEnded,
}

/// <summary>What came of <see cref="IncomingInvite.AnswerAsync"/>.</summary>
/// <param name="AckSdp">SDP in the ACK: the answer, when the INVITE carried no offer (RFC 3261 13.2.1).</param>
public sealed record SipAnswerResult(SipDialog? Dialog, SipAnswerFailure Failure, string? AckSdp = null)
{
    [MemberNotNullWhen(true, nameof(Dialog))]
    public bool IsEstablished => Dialog is not null;
}

/// <summary>A call that rings here. Members may be called from any thread; after the final response they do nothing more.</summary>
public sealed class IncomingInvite
{
    private readonly UasInvite invite;

    internal IncomingInvite(UasInvite invite) => this.invite = invite;

    public SipRequest Request => invite.Transaction.Request;

    public string CallId => Request.CallId;

    public NameAddr From => Request.From;

    public NameAddr To => Request.To;

    /// <summary>SDP of the INVITE; null when the caller wants to hear an offer first.</summary>
    public string? Offer => Request.Sdp;

    /// <summary>Where the INVITE came from on the wire.</summary>
    public IPEndPoint Source => invite.Transaction.Source;

    public SipTransportKind Transport => invite.Transaction.Transport.Kind;

    /// <summary>The carrier that it comes from; null when it comes from none.</summary>
    public SipTrunk? Trunk => invite.Trunk;

    /// <summary>Who calls, as far as the source may say it.</summary>
    public SipIdentity Caller => SipIdentity.Of(Request, Trunk is { IsTrusted: true });

    /// <summary>The tag that this side has in the dialog.</summary>
    public string LocalTag => invite.LocalTag;

    /// <summary>Cancelled when the caller sends CANCEL (or BYE on the early dialog), or the ring time is over.</summary>
    public CancellationToken Cancelled => invite.Cancelled;

    /// <summary>Why the caller gave up (RFC 3326), such as <c>SIP;cause=200;text="Call completed elsewhere"</c>; empty before and without.</summary>
    public IReadOnlyList<SipReason> CancelReasons => invite.CancelReasons;

    /// <summary>The call whose place this one takes when it is answered: it then ends (RFC 3891). Whoever answers has agreed to that.</summary>
    public SipDialog? Replaced => invite.Replaced;

    /// <summary>
    /// Answers offers that come by UPDATE or PRACK before the call is answered; afterwards it is <see cref="SipDialog.ReinviteHandler"/>. Without it they
    /// are refused with 488.
    /// </summary>
    public Func<SipReinvite, Task<SipReinviteAnswer>>? OfferHandler
    {
        get => invite.OfferHandler;
        set => invite.OfferHandler = value;
    }

    /// <summary>
    /// <see cref="SipDialog.ReferHandler"/> of the call to be: set before <see cref="AnswerAsync"/>, it also gets a REFER that comes right behind the ACK.
    /// </summary>
    public Func<IncomingReferral, Task<SipAnswer>>? ReferHandler
    {
        get => invite.ReferHandler;
        set => invite.ReferHandler = value;
    }

    /// <summary>180 Ringing, or 183 Session Progress with early media when SDP is given.</summary>
    public Task<SipProgressResult> RingingAsync(string? sdp = null) => ProgressAsync(sdp is null ? 180 : 183, sdp);

    /// <summary>
    /// Any provisional response 101 to 199. One that is sent reliably (<see cref="SipSessionOptions.Reliability"/>) completes with its PRACK, and the next
    /// waits for that; the first SDP sent so is the answer, or our offer when the INVITE had none. Without a PRACK for 64*T1 the call is refused with 504.
    /// </summary>
    public Task<SipProgressResult> ProgressAsync(int statusCode, string? sdp = null) => invite.ProgressAsync(statusCode, sdp);

    /// <summary>Changes early media by UPDATE, once an answer left reliably; 491 before.</summary>
    public Task<SipReinviteResult> UpdateAsync(string offer) => invite.UpdateAsync(offer);

    /// <summary>
    /// Sends 200 with this SDP and completes when the ACK is there, or when it is certain that none comes. The dialog lives
    /// from the moment the 200 leaves: a BYE may have ended it by the time this returns. The 200 waits for an outstanding PRACK, and carries
    /// no SDP when a reliable response did (RFC 6337 3.1.1).
    /// </summary>
    public Task<SipAnswerResult> AnswerAsync(string answerSdp, IReadOnlyList<KeyValuePair<string, string>>? headers = null) =>
        invite.AnswerAsync(answerSdp, headers);

    /// <summary>Sends a final response 300 to 699. False when another final response had left before.</summary>
    public Task<bool> RejectAsync(int statusCode, string? reason = null, IReadOnlyList<KeyValuePair<string, string>>? headers = null) =>
        invite.RejectAsync(statusCode, reason, headers);
}
