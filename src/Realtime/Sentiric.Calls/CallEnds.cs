using Sentiric.Contracts.Events;

namespace Sentiric.Calls;

/// <summary>How a call ended, before it is written down.</summary>
/// <param name="Phrase">SIP reason phrase; null for the usual one.</param>
/// <param name="Heard">What the other side's final response was, for a call that we placed.</param>
public sealed record CallEnd(CallEndReason Reason, HungUpBy By, string? Phrase = null, int? Heard = null)
{
    /// <summary>The final response to the INVITE of a call that was never answered (RFC 3261 21).</summary>
    public int SipStatus => Heard ?? Reason switch
    {
        CallEndReason.Normal => 200,
        CallEndReason.Cancelled => 487,
        CallEndReason.Busy => 486,
        CallEndReason.NoAnswer => 480,
        CallEndReason.Rejected => 403,
        CallEndReason.UnknownNumber => 404,
        CallEndReason.NoCommonCodec => 488,
        CallEndReason.Policy => 403,
        CallEndReason.Maintenance => 503,
        CallEndReason.AfterHours => 480,
        CallEndReason.Capacity => 503,
        CallEndReason.AckTimeout => 408,
        CallEndReason.MediaTimeout => 200,
        CallEndReason.AgentFailed => 200,
        CallEndReason.Terminated => 200,
        CallEndReason.Transferred => 200,
        CallEndReason.Shutdown => 503,
        CallEndReason.Failed => 500,
    };

    /// <summary>ITU-T Q.850 cause value.</summary>
    public int Q850Cause => Reason switch
    {
        CallEndReason.Normal or CallEndReason.Cancelled or CallEndReason.Terminated or CallEndReason.Transferred => 16,
        CallEndReason.Busy => 17,
        CallEndReason.NoAnswer => 19,
        CallEndReason.Rejected or CallEndReason.Policy => 21,
        CallEndReason.UnknownNumber => 1,
        CallEndReason.NoCommonCodec => 88,
        CallEndReason.Maintenance or CallEndReason.AfterHours => 31,
        CallEndReason.Capacity or CallEndReason.Shutdown => 42,
        CallEndReason.AckTimeout or CallEndReason.MediaTimeout => 102,
        CallEndReason.AgentFailed or CallEndReason.Failed => 41,
    };

    /// <summary>Why a call of ours was not answered, from the final response (RFC 3261 21, RFC 3398 8.2.6.1).</summary>
    public static CallEnd OfResponse(int status) => new(
        status switch
        {
            486 or 600 => CallEndReason.Busy,
            408 or 480 or 487 => CallEndReason.NoAnswer,
            404 or 410 or 484 or 485 or 604 => CallEndReason.UnknownNumber,
            401 or 403 or 407 or 433 or 603 or 607 => CallEndReason.Rejected,
            415 or 488 or 606 => CallEndReason.NoCommonCodec,
            _ => CallEndReason.Failed,
        },
        HungUpBy.Callee, null, status);
}
