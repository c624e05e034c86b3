namespace Sentiric.Sip;

/// <summary>
/// The session timer of one dialog (RFC 4028): refreshes at half of the interval when that is our part (section 7.2), and ends the call shortly
/// before the interval is over without a refresh (section 10). Owned by the shard's queue.
/// </summary>
internal sealed class SessionTimer(SipDialog dialog)
{
    /// <summary>RFC 4028 10: BYE leaves this long before the end, or a third of the interval when that is less.</summary>
    private static readonly TimeSpan LongestMargin = TimeSpan.FromSeconds(32);

    private SessionTerms terms;
    private uint? leastSeconds;
    private SipTimer? refresh;
    private SipTimer? end;

    /// <summary>The peer named UPDATE in Allow: a refresh then needs no offer (RFC 4028 7.4).</summary>
    public bool ByUpdate { get; private set; }

    public SessionTerms Terms => terms;

    /// <summary>An interval begins.</summary>
    public void Begin(SessionTerms agreed, SipMessage from)
    {
        Stop();
        terms = agreed;
        ByUpdate |= from.Allows(SipMethod.Update);
        var interval = TimeSpan.FromSeconds(agreed.Seconds);
        TimeSpan margin = interval / 3 < LongestMargin ? interval / 3 : LongestMargin;
        refresh = agreed.WeRefresh ? dialog.Shard.Timers.Start(interval / 2, static (timer, _) => ((SessionTimer)timer).Refresh(), this) : null;
        end = dialog.Shard.Timers.Start(interval - margin, static (timer, _) => ((SessionTimer)timer).Expire(), this);
    }

    /// <summary>What a target refresh of ours asks for: the same again, by the same side (RFC 4028 7.4).</summary>
    public IEnumerable<KeyValuePair<string, string>> Headers() =>
        SessionTerms.Asking(Math.Max(terms.Seconds, leastSeconds ?? 0), leastSeconds, terms.WeRefresh);

    /// <summary>RFC 4028 7.3: 422 names a longer interval. False when it names none.</summary>
    public bool Raise(SipResponse? response)
    {
        if (SessionTerms.Demanded(response) is not { } least || least <= (leastSeconds ?? 0))
        {
            return false;
        }

        leastSeconds = least;
        return true;
    }

    /// <summary>405 or 501 to our UPDATE: from now on by re-INVITE.</summary>
    public void UpdateIsUnknown() => ByUpdate = false;

    public void Stop()
    {
        refresh?.Cancel();
        end?.Cancel();
        refresh = end = null;
    }

    private void Refresh()
    {
        refresh = null;
        dialog.RefreshSession();
    }

    private void Expire()
    {
        Stop();
        dialog.SessionExpired();
    }
}
