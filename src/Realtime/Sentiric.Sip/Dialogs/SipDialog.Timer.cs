namespace Sentiric.Sip;

/// <summary>Session timers (RFC 4028): the part of the dialog that refreshes.</summary>
public sealed partial class SipDialog
{
    private const string ExpiredReason = "SIP;cause=408;text=\"Session expired\"";

    /// <summary>How long the call may live without a refresh, and whether we refresh; null without a session timer.</summary>
    public (TimeSpan Interval, bool WeRefresh)? SessionInterval =>
        extras?.Timer?.Terms is { } terms ? (TimeSpan.FromSeconds(terms.Seconds), terms.WeRefresh) : null;

    /// <summary>Begins an interval by terms of our own 2xx; null ends the timer. Gives the terms on.</summary>
    internal SessionTerms? Renew(SessionTerms? terms, SipMessage from)
    {
        if (terms is { } agreed)
        {
            (More.Timer ??= new SessionTimer(this)).Begin(agreed, from);
        }
        else if (extras?.Timer is { } running)
        {
            // RFC 4028 9: a refresh without the header, which we do not ask for ourselves, ends the timer.
            running.Stop();
            extras.Timer = null;
        }

        return terms;
    }

    /// <summary>Begins an interval by a 2xx of theirs.</summary>
    internal void RenewFrom(SipResponse response) => Renew(SessionTerms.OfUac(response), response);

    /// <summary>Keeps what the first exchange described, for a refresh that must say it again.</summary>
    internal void Describe(string? sdp) => Described(sdp);

    internal void RefreshSession()
    {
        if (HasEnded || extras is not { Timer: { } timer })
        {
            return;
        }

        if (extras.Attempt is not null || session is not { Offer: OfferState.Stable, Invite: InviteState.Idle })
        {
            // A change is under way, which refreshes as well; if it fails, the end of the interval ends the call.
            return;
        }

        bool byUpdate = timer.ByUpdate || extras.LocalSdp is null;
        var attempt = byUpdate ? new OfferAttempt(SipMethod.Update, null, null) : new OfferAttempt(SipMethod.Invite, extras.LocalSdp, null);
        Start(attempt);
        _ = FollowRefreshAsync(attempt, byUpdate);
    }

    private async Task FollowRefreshAsync(OfferAttempt attempt, bool byUpdate)
    {
        SipReinviteResult result = await attempt.Done.Task.ConfigureAwait(false);
        if (byUpdate && result.StatusCode is 405 or 501)
        {
            shard.Queue.Post(() =>
            {
                if (extras is { LocalSdp: not null, Timer: { } timer })
                {
                    timer.UpdateIsUnknown();
                    RefreshSession();
                }
            });
        }
    }

    internal void SessionExpired() => _ = StartBye(SipDialogEndCause.SessionExpired, ExpiredReason);
}
