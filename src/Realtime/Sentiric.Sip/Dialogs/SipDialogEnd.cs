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
}

/// <summary>How the dialog ended; <paramref name="Reason"/> is the Reason header of the BYE and <paramref name="Q850Cause"/> its Q.850 cause (RFC 3326).</summary>
public sealed record SipDialogEnd(SipDialogEndCause Cause, string? Reason, int? Q850Cause, DateTimeOffset At)
{
    internal static int? Q850Of(IEnumerable<string> reasons)
    {
        foreach (string reason in reasons)
        {
            string[] parts = reason.Split(';', StringSplitOptions.TrimEntries);
            string? cause = parts.FirstOrDefault(part => part.StartsWith("cause=", StringComparison.OrdinalIgnoreCase));
            if (parts[0].Equals("Q.850", StringComparison.OrdinalIgnoreCase) && cause is not null
                && int.TryParse(cause.AsSpan(6), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int number))
            {
                return number;
            }
        }

        return null;
    }
}

/// <summary>A re-INVITE that arrived in a dialog. <paramref name="Offer"/> is null when the peer wants an offer; its answer is then <paramref name="AckSdp"/>.</summary>
public sealed record SipReinvite(SipRequest Request, string? Offer, Task<string?> AckSdp);

/// <summary>The application's answer to a re-INVITE: SDP with 200, or a refusal.</summary>
public sealed record SipReinviteAnswer(string? Sdp, int StatusCode, string? Reason = null)
{
    public static SipReinviteAnswer Accept(string sdp) => new(sdp, 200);

    public static SipReinviteAnswer Refuse(int statusCode, string? reason = null) => new(null, statusCode, reason);
}

/// <summary>What came of a re-INVITE that was sent: 200 with the answer's SDP, or the refusing status (491: both sides tried at once).</summary>
public sealed record SipReinviteResult(int StatusCode, string? Sdp)
{
    public bool IsAccepted => StatusCode is >= 200 and < 300;
}
