using System.Globalization;

namespace Sentiric.Sip;

/// <summary>
/// A REFER in a call: the peer asks us to call somebody else (RFC 3515). The application decides in <see cref="SipDialog.ReferHandler"/>; once it has
/// accepted, it places the call and reports. Members may be called from any thread.
/// </summary>
public sealed class IncomingReferral
{
    private const string SipFrag = "message/sipfrag;version=2.0";
    private readonly SipDialog dialog;
    private readonly bool first;

    /// <summary>Owned by the shard's queue, like what follows.</summary>
    private SipTimer? lifetime;
    private DateTimeOffset until;
    private bool begun;
    private bool reporting;

    /// <summary>What the application said before its acceptance had left: a call that fails at once is no quieter than another.</summary>
    private (int StatusCode, string Reason, string? Over)? early;

    internal IncomingReferral(SipDialog dialog, SipRequest request, NameAddr target, bool first)
    {
        this.dialog = dialog;
        this.first = first;
        Request = request;
        ReferTo = target;
        // RFC 4488 4.1: the peer wants no reports.
        WantsReports = !(request.Header("Refer-Sub") ?? "").StartsWith("false", StringComparison.OrdinalIgnoreCase);
    }

    public SipRequest Request { get; }

    /// <summary>Whom to call, headers included.</summary>
    public NameAddr ReferTo { get; }

    /// <summary>Who says so (RFC 3892); unproven.</summary>
    public string? ReferredBy => Request.Header("Referred-By") ?? Request.Header("b");

    /// <summary>The call that the new one shall replace at its callee (RFC 3891): an attended transfer.</summary>
    public string? Replaces => HeaderOf("Replaces");

    /// <summary>False when the peer asked not to be told (RFC 4488).</summary>
    public bool WantsReports { get; }

    /// <summary>The call to place: target, Replaces and Referred-By as the REFER says. Other headers of its URI are left out: they are the peer's words, not ours.</summary>
    public OutgoingInvite ToInvite(NameAddr from, string? offer)
    {
        string uri = ReferTo.Uri.ToString();
        int question = uri.IndexOf('?', StringComparison.Ordinal);
        List<KeyValuePair<string, string>> headers = [];
        if (Replaces is { } replaces)
        {
            headers.Add(new("Replaces", replaces));
            headers.Add(new("Require", SipCapabilities.Replaces));
        }

        if (ReferredBy is { } by)
        {
            headers.Add(new("Referred-By", by));
        }

        return new OutgoingInvite { Target = SipUri.Parse(question < 0 ? uri : uri[..question]), From = from, Offer = offer, Headers = headers };
    }

    /// <summary>Tells the peer how the new call fares (RFC 3515 2.4.5): a final status ends the reports. Quiet when nobody listens any more.</summary>
    public Task NotifyAsync(int statusCode, string? reason = null)
    {
        if (statusCode is < 100 or > 699)
        {
            throw new ArgumentOutOfRangeException(nameof(statusCode), statusCode, "A status is 100 to 699.");
        }

        return dialog.Shard.Queue.InvokeAsync(() =>
        {
            Report(statusCode, reason ?? SipReasonPhrases.Of(statusCode), statusCode < 200 ? null : "noresource");
            return true;
        });
    }

    /// <summary>Reports every response of a call until its end; gives its result.</summary>
    public async Task<OutgoingCallResult> FollowAsync(OutgoingCall call)
    {
        await foreach (SipProgress progress in call.Progress.ReadAllAsync().ConfigureAwait(false))
        {
            await NotifyAsync(progress.StatusCode, progress.Reason).ConfigureAwait(false);
        }

        OutgoingCallResult result = await call.Completed.ConfigureAwait(false);
        await NotifyAsync(result.StatusCode, result.Reason).ConfigureAwait(false);
        return result;
    }

    /// <summary>RFC 3515 2.4.4: accepting it is a subscription, whose first report leaves at once.</summary>
    internal void Begin()
    {
        begun = reporting = true;
        TimeSpan life = dialog.Shard.Options.Sessions.ReferralLifetime;
        until = dialog.Shard.Options.TimeProvider.GetUtcNow() + life;
        lifetime = dialog.Shard.Timers.Start(life, static (referral, _) => ((IncomingReferral)referral).Report(100, "Trying", "timeout"), this);
        Report(100, "Trying", null);
        if (early is { } said)
        {
            Report(said.StatusCode, said.Reason, said.Over);
        }
    }

    internal void End()
    {
        reporting = false;
        lifetime?.Cancel();
    }

    /// <param name="over">Why this is the last report; null: it is not (RFC 6665 4.1.3).</param>
    private void Report(int statusCode, string reason, string? over)
    {
        if (!begun)
        {
            early = (statusCode, reason, over);
            return;
        }

        if (!reporting || dialog.HasEnded)
        {
            return;
        }

        long left = Math.Max(0, (long)(until - dialog.Shard.Options.TimeProvider.GetUtcNow()).TotalSeconds);
        string state = over is null ? string.Create(CultureInfo.InvariantCulture, $"active;expires={left}") : "terminated;reason=" + over;
        if (over is not null)
        {
            End();
            dialog.Forget(this);
        }

        dialog.Notify(Event, state, SipFrag, string.Create(CultureInfo.InvariantCulture, $"SIP/2.0 {statusCode} {reason}\r\n"), result =>
        {
            // RFC 6665 4.2.2: 481 says that nobody listens.
            if (result.StatusCode is 481 or 408)
            {
                End();
                dialog.Forget(this);
            }
        });
    }

    /// <summary>RFC 3515 2.4.6: from the second REFER of a dialog on, its CSeq number tells which one is meant.</summary>
    private string Event => first ? "refer" : string.Create(CultureInfo.InvariantCulture, $"refer;id={Request.CSeq.Number}");

    private string? HeaderOf(string name)
    {
        foreach (string header in (ReferTo.Uri.Headers ?? "").Split('&'))
        {
            int equals = header.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0 && header.AsSpan(0, equals).Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                string value = SipUri.Unescape(header[(equals + 1)..]);
                return WireText.IsUnsafe(value) ? null : value;
            }
        }

        return null;
    }
}
