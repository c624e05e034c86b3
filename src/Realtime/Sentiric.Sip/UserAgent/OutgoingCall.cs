using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace Sentiric.Sip;

/// <summary>Name and password for digest challenges of one realm, or of any when <paramref name="Realm"/> is null.</summary>
public sealed record SipCredentials(string UserName, string Password, string? Realm = null);

/// <summary>A way to a peer that is open: a connection, or an address behind which a NAT lets our datagrams through (RFC 5626).</summary>
public sealed record SipFlow(SipTransportKind Transport, System.Net.IPEndPoint Remote);

/// <summary>A call to place.</summary>
public sealed record OutgoingInvite
{
    public required SipUri Target { get; init; }

    /// <summary>Who calls; a tag is added.</summary>
    public required NameAddr From { get; init; }

    /// <summary>Who is called; the target when null.</summary>
    public NameAddr? To { get; init; }

    /// <summary>SDP offer; null asks the callee for one, which <see cref="LateAnswer"/> then answers (RFC 3261 13.2.1).</summary>
    public required string? Offer { get; init; }

    /// <summary>
    /// Makes the answer for the PRACK or the ACK out of the callee's offer. Called on the thread pool, once per callee that answers or rings so. Null or
    /// no handler: the call is acknowledged and ended with BYE.
    /// </summary>
    public Func<string, Task<string?>>? LateAnswer { get; init; }

    /// <summary>Offers anew in the PRACK of the reliable response that answered <see cref="Offer"/> (RFC 3262 5), once per callee; null: nothing more is offered.</summary>
    public PrackOffer? PrackOffer { get; init; }

    /// <summary>False: we do not say that we take reliable responses, so that no callee offers before its 2xx.</summary>
    public bool TakesReliable { get; init; } = true;

    /// <summary>Answers offers of the callee by UPDATE before the call is answered, and is the dialog's <see cref="SipDialog.ReinviteHandler"/> from its beginning.</summary>
    public Func<SipReinvite, Task<SipReinviteAnswer>>? OfferHandler { get; init; }

    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    public SipCredentials? Credentials { get; init; }

    /// <summary>Null: what the target URI says, else UDP when bound, else TCP.</summary>
    public SipTransportKind? Transport { get; init; }

    /// <summary>First hop, written as a loose Route.</summary>
    public SipUri? Proxy { get; init; }

    /// <summary>The way that a registered phone holds open; the call goes there whatever the target's host is, and fails when it is gone.</summary>
    public SipFlow? Flow { get; init; }

    /// <summary>Random when null.</summary>
    public string? CallId { get; init; }

    /// <summary>RFC 3261 8.1.1.6: a call made because of another has one less than that, so that a circle of such ends.</summary>
    public int MaxForwards { get; init; } = (int)UsualForwards;

    internal const uint UsualForwards = 70;

    /// <summary>Unanswered after this long, the call is cancelled.</summary>
    public TimeSpan MaxRingTime { get; init; } = TimeSpan.FromMinutes(3);
}

/// <summary>A second offer of ours while the callee still rings.</summary>
/// <param name="Make">Given the answer to the first: the new offer, or null for none. Called like every call of the application; the PRACK waits for it.</param>
/// <param name="Answered">Told the answer in the 2xx to the PRACK; null when it was refused, and all is as the first answer said. Must return at once.</param>
public sealed record PrackOffer(Func<string, Task<string?>> Make, Action<string?>? Answered = null);

/// <summary>A provisional response 101 to 199, with SDP when there is early media.</summary>
public sealed record SipProgress(int StatusCode, string Reason, string? Sdp, SipResponse Response);

/// <summary>
/// How the call attempt ended: answered (dialog and SDP), or failed with a status. <see cref="Response"/> is null when no
/// response decided it: 408 for silence, 503 when nothing could be sent.
/// </summary>
public sealed record OutgoingCallResult(SipDialog? Dialog, string? Sdp, int StatusCode, string Reason, bool WasCancelled, SipResponse? Response)
{
    [MemberNotNullWhen(true, nameof(Dialog))]
    public bool IsAnswered => Dialog is not null;

    /// <summary>Where a 3xx points to.</summary>
    public IReadOnlyList<SipUri> Redirections =>
        StatusCode is >= 300 and < 400 ? Response?.Contacts.Select(contact => contact.Uri).ToList() ?? [] : [];
}

/// <summary>A call being placed.</summary>
public sealed class OutgoingCall
{
    private readonly UacInvite call;

    internal OutgoingCall(UacInvite call) => this.call = call;

    public string CallId => call.CallId;

    public string LocalTag => call.LocalTag;

    /// <summary>Provisional responses in order; completes with the call attempt. Holds the last 64.</summary>
    public ChannelReader<SipProgress> Progress => call.Progress;

    /// <summary>Completes when the call is answered or has failed; never faults.</summary>
    public Task<OutgoingCallResult> Completed => call.Completed;

    /// <summary>Gives up: CANCEL as soon as the RFC allows it (after a provisional response). A 2xx that crosses it is acknowledged and ended with BYE.</summary>
    /// <param name="reason">A Reason header for the CANCEL or the BYE, such as <c>SIP;cause=200;text="Call completed elsewhere"</c> (RFC 3326).</param>
    /// <exception cref="ArgumentException">The reason holds CR, LF or NUL.</exception>
    public Task CancelAsync(string? reason = null) => call.CancelAsync(reason);
}

/// <summary>A request outside dialogs, such as OPTIONS or REGISTER.</summary>
public sealed record OutgoingRequest
{
    public required string Method { get; init; }

    public required SipUri Target { get; init; }

    public required NameAddr From { get; init; }

    /// <summary>The target when null.</summary>
    public NameAddr? To { get; init; }

    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>Adds our own Contact, as REGISTER needs it.</summary>
    public bool WithContact { get; init; }

    public SipCredentials? Credentials { get; init; }

    public SipTransportKind? Transport { get; init; }

    public SipUri? Proxy { get; init; }

    /// <summary>Keep both over refreshes of a registration (RFC 3261 10.2): same Call-ID, rising CSeq.</summary>
    public string? CallId { get; init; }

    public uint CSeq { get; init; } = 1;
}

/// <summary>The final response; null <see cref="Response"/> with 408 (no answer) or 503 (could not be sent).</summary>
public sealed record OutgoingRequestResult(int StatusCode, string Reason, SipResponse? Response)
{
    /// <summary>The way that the request went last; null when none was found.</summary>
    public SipFlow? Flow { get; init; }
}
