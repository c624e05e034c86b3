using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Sip;

namespace Sentiric.Calls;

/// <summary>One call and its other party, whoever called whom. Owned by the call's own task; the handler of offers runs while that task waits.</summary>
public sealed class Talk(LiveCall call, CallDirection direction)
{
    public LiveCall Call { get; } = call;

    public CallLog Log => Call.Log;

    /// <summary>The one at the other end: who called us, or whom we called.</summary>
    public HungUpBy Other { get; } = direction == CallDirection.Outbound ? HungUpBy.Callee : HungUpBy.Caller;

    /// <summary>What we are; a number that the call is transferred to takes our place.</summary>
    public HungUpBy We => Other == HungUpBy.Caller ? HungUpBy.Callee : HungUpBy.Caller;

    /// <summary>Null for a phone's.</summary>
    public SipTrunk? Trunk { get; set; }

    /// <summary>The tenant's number in this call: who we are for whom we call next.</summary>
    public string OurNumber { get; set; } = "";

    /// <summary>The other party's, as we know it; null: withheld, or not known.</summary>
    public string? OtherNumber { get; set; }

    public DialplanResolution? Plan { get; set; }

    public MediaOpened? Media { get; set; }

    /// <summary>Our offer, while it is not answered.</summary>
    public MediaOffered? Offered { get; set; }

    public string? SessionId => Media?.SessionId ?? Offered?.SessionId;

    public SipDialog? Dialog { get; set; }

    public bool OnHold { get; set; }

    /// <summary>The media of the number that it was transferred to, while both talk.</summary>
    public string? JoinedSessionId { get; set; }

    /// <summary>An outgoing call must end by then; null: only the limit of every call counts.</summary>
    public TimeSpan? MaxTalk { get; set; }
}
