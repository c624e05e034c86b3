using System.Globalization;
using System.Text;

namespace Sentiric.Sip;

/// <summary>Transfers: REFER in both directions (RFC 3515, 4488), Replaces (RFC 3891), and the reports by NOTIFY (RFC 6665).</summary>
public sealed partial class SipDialog
{
    internal const string ReplacedReason = "SIP;cause=200;text=\"Replaced\"";
    private const string ReferEvent = "refer";

    /// <summary>REFERs of one call that are reported about at the same time; more are refused with 486.</summary>
    private const int MaxReferrals = 4;

    /// <summary>The application decides about a REFER within this; it may place the call later.</summary>
    private static readonly TimeSpan ReferPatience = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Decides about a REFER of the peer by policy: an answer of 200 to 299 accepts it, and the application then calls (<see cref="IncomingReferral.ToInvite"/>,
    /// <see cref="IncomingReferral.FollowAsync"/>). Called like every call of the application. Without a handler REFERs are refused with 603.
    /// </summary>
    public Func<IncomingReferral, Task<SipAnswer>>? ReferHandler
    {
        get => extras?.ReferHandler;
        set => More.ReferHandler = value;
    }

    /// <summary>The call being placed that this dialog is an early part of, or was.</summary>
    internal UacInvite? Placed { get; init; }

    /// <summary>
    /// A URI for Refer-To by which somebody else takes our place in this call: its peer with Replaces (RFC 3891 2), for an attended transfer.
    /// </summary>
    public SipUri ReplacingUri()
    {
        string target = RemoteTarget.ToString();
        int question = target.IndexOf('?', StringComparison.Ordinal);
        return SipUri.Parse($"{(question < 0 ? target : target[..question])}?Replaces={Uri.EscapeDataString(Replacement.ValueFor(this))}");
    }

    /// <summary>Asks the peer to call somebody else: a number (blind), or <see cref="ReplacingUri"/> of another call of ours (attended).</summary>
    /// <param name="reports">False asks not to be told (RFC 4488); the peer may do so all the same.</param>
    /// <param name="referredBy">A Referred-By value (RFC 3892); null: the local URI of this call.</param>
    public async Task<OutgoingReferral> ReferAsync(SipUri target, bool reports = true, string? referredBy = null)
    {
        var referral = new OutgoingReferral();
        await shard.Queue.InvokeAsync(() =>
        {
            StartRefer(referral, target, reports, referredBy);
            return true;
        }).ConfigureAwait(false);
        return referral;
    }

    /// <summary>RFC 3891 3: the call that replaces this one was answered.</summary>
    internal void GiveWay()
    {
        if (IsConfirmed)
        {
            _ = StartBye(SipDialogEndCause.Replaced, ReplacedReason);
        }
        else
        {
            Placed?.GiveWay();
        }
    }

    /// <summary>A NOTIFY of this dialog; its failure says nothing about the call (RFC 5057 5.1).</summary>
    internal void Notify(string @event, string subscription, string contentType, string body, Action<OutgoingRequestResult> done) =>
        Send(state.Request(SipMethod.Notify) with
        {
            Contact = state.Contact,
            Headers = [new("Event", @event), new("Subscription-State", subscription)],
            ContentType = contentType,
            Sdp = body,
        }, done);

    internal void Forget(IncomingReferral referral) => extras?.Accepted?.Remove(referral);

    // Theirs.

    private void TakeRefer(ServerTransaction transaction)
    {
        SipRequest request = transaction.Request;
        if (TargetOf(request) is not { } target)
        {
            // RFC 3515 2.4.2: exactly one Refer-To.
            UasCore.Respond(shard, transaction, 400, "One Refer-To Needed", LocalTag);
        }
        else if (!IsConfirmed || ReferHandler is not { } handler)
        {
            Respond(transaction, 603);
        }
        else if (More.Accepted is { Count: >= MaxReferrals })
        {
            Respond(transaction, 486);
        }
        else
        {
            bool first = More.Accepted is null;
            More.Accepted ??= [];
            _ = DecideAsync(handler, transaction, new IncomingReferral(this, request, target, first));
        }
    }

    private static NameAddr? TargetOf(SipRequest request)
    {
        List<string> values = [.. request.Headers("Refer-To"), .. request.Headers("r")];
        return values.Count == 1 && NameAddr.TryParse(Encoding.Latin1.GetBytes(WireText.FromText(values[0])), out NameAddr? target)
            && target.Uri.Scheme is "sip" or "sips" or "tel" ? target : null;
    }

    private async Task DecideAsync(Func<IncomingReferral, Task<SipAnswer>> handler, ServerTransaction transaction, IncomingReferral referral)
    {
        SipAnswer answer;
        try
        {
            answer = await shard.Calling.AskAsync(() => handler(referral)).WaitAsync(ReferPatience, shard.Options.TimeProvider).ConfigureAwait(false);
        }
        catch (Exception fault)
        {
            SipLog.ApplicationFaulted(shard.Options.Logger, CallId, fault);
            answer = new SipAnswer(500);
        }

        shard.Queue.Post(() => Decided(transaction, referral, answer));
    }

    private void Decided(ServerTransaction transaction, IncomingReferral referral, SipAnswer answer)
    {
        if (answer.StatusCode is < 200 or >= 300)
        {
            Respond(transaction, answer);
            return;
        }

        // RFC 6665 4.2.1.1 prefers 200; RFC 3515 2.4.2 says 202, which every peer knows. RFC 4488 4.1: the header says that no reports come.
        KeyValuePair<string, string>[] silent = referral.WantsReports ? [] : [new("Refer-Sub", "false")];
        UasCore.Respond(shard, transaction, 202, null, LocalTag, [new("Contact", state.Contact), .. silent]);
        if (referral.WantsReports && !HasEnded)
        {
            More.Accepted?.Add(referral);
            referral.Begin();
        }
    }

    // Ours.

    private void StartRefer(OutgoingReferral referral, SipUri target, bool reports, string? referredBy)
    {
        if (HasEnded || !IsConfirmed)
        {
            referral.End();
            return;
        }

        RequestDraft draft = state.Request(SipMethod.Refer) with
        {
            Contact = state.Contact,
            Headers =
            [
                new("Refer-To", WireText.ToText($"<{target}>")),
                new("Referred-By", referredBy ?? WireText.ToText($"<{LocalUri}>")),
                .. reports ? Array.Empty<KeyValuePair<string, string>>() : [new("Refer-Sub", "false"), new("Supported", SipCapabilities.NoReferSubscription)],
            ],
        };
        Dictionary<uint, OutgoingReferral> asking = More.Asking ??= [];
        asking[draft.CSeq] = referral;
        referral.Lifetime = shard.Timers.Start(
            shard.Options.Sessions.ReferralLifetime + shard.Options.Timers.Timeout, (one, _) => EndReferral((OutgoingReferral)one), referral);
        Exchange(draft, result => Referred(referral, result), (sent, _) =>
        {
            // A challenge may have given it another number, which the reports then name.
            asking.Remove(draft.CSeq);
            asking[sent.CSeq] = referral;
        });
    }

    private void Referred(OutgoingReferral referral, OutgoingRequestResult result)
    {
        referral.Answer(result.StatusCode);
        bool silent = (result.Response?.Header("Refer-Sub") ?? "").StartsWith("false", StringComparison.OrdinalIgnoreCase);
        if (result.StatusCode is < 200 or >= 300 || silent)
        {
            EndReferral(referral);
        }
    }

    private void TakeNotify(ServerTransaction transaction)
    {
        SipRequest request = transaction.Request;
        string[] parts = (request.Header("Event") ?? request.Header("o") ?? "").Split(';', StringSplitOptions.TrimEntries);
        if (!parts[0].Equals(ReferEvent, StringComparison.OrdinalIgnoreCase))
        {
            Respond(transaction, 489, new KeyValuePair<string, string>("Allow-Events", ReferEvent));
        }
        else if (ReferralOf(parts) is not { } referral)
        {
            Respond(transaction, 481);
        }
        else
        {
            Respond(transaction, 200);
            TakeReport(referral, request);
        }
    }

    private OutgoingReferral? ReferralOf(string[] parts)
    {
        string? id = parts.Skip(1).FirstOrDefault(part => part.StartsWith("id=", StringComparison.OrdinalIgnoreCase))?[3..];
        return extras?.Asking is not { Count: > 0 } asking ? null
            : id is null ? asking.Values.First()
            : uint.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) ? asking.GetValueOrDefault(number) : null;
    }

    private void TakeReport(OutgoingReferral referral, SipRequest notify)
    {
        if (FragmentOf(notify) is { } report)
        {
            referral.Report(report);
        }

        bool over = (notify.Header("Subscription-State") ?? "").StartsWith("terminated", StringComparison.OrdinalIgnoreCase);
        if (over)
        {
            EndReferral(referral);
        }
    }

    /// <summary>RFC 3515 2.4.5: the body begins with the status line of the new call's response.</summary>
    private static SipReferralProgress? FragmentOf(SipRequest notify)
    {
        if (!notify.ContentTypeIs("message/sipfrag"))
        {
            return null;
        }

        string line = Encoding.UTF8.GetString(notify.Body.Span).Split('\r', '\n')[0];
        string[] parts = line.Split(' ', 3);
        bool isStatus = parts.Length >= 2 && parts[0].Equals("SIP/2.0", StringComparison.OrdinalIgnoreCase);
        return isStatus && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int status) && status is >= 100 and <= 699
            ? new SipReferralProgress(status, parts.Length > 2 ? parts[2] : "") : null;
    }

    private void EndReferral(OutgoingReferral referral)
    {
        foreach ((uint number, OutgoingReferral known) in extras?.Asking ?? [])
        {
            if (ReferenceEquals(known, referral))
            {
                extras?.Asking?.Remove(number);
                break;
            }
        }

        referral.End();
    }

    private void EndReferrals()
    {
        foreach (IncomingReferral accepted in extras?.Accepted ?? [])
        {
            accepted.End();
        }

        foreach (OutgoingReferral asked in extras?.Asking?.Values.ToList() ?? [])
        {
            EndReferral(asked);
        }
    }
}
