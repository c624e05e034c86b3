using System.Threading.Channels;

namespace Sentiric.Sip;

/// <summary>A call being placed (RFC 3261 13.2): the first 2xx, other forks, CANCEL; its early dialogs have a file of their own. Owned by the shard's queue.</summary>
internal sealed partial class UacInvite
{
    private const int MaxProgressKept = 64;

    private readonly SipShard shard;
    private readonly OutgoingInvite invite;
    private readonly UacExchange exchange;
    private readonly TaskCompletionSource<OutgoingCallResult> completed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<SipProgress> progress = Channel.CreateBounded<SipProgress>(
        new BoundedChannelOptions(MaxProgressKept) { FullMode = BoundedChannelFullMode.DropOldest });

    /// <summary>ACKs by To tag, built once and sent for every copy of the 2xx (13.2.2.4); null while one is being made.</summary>
    private readonly Dictionary<string, (byte[] Ack, SipTarget Target)?> acks = [];
    private SipTimer? ringLimit;
    private long beganAt;
    private bool reached;
    private bool sawProvisional;
    private bool cancelWanted;
    private bool cancelSent;
    private string? cancelReason;

    /// <summary>The first 2xx came; others are of other forks.</summary>
    private bool answered;

    public UacInvite(SipShard shard, OutgoingInvite invite)
    {
        this.shard = shard;
        this.invite = invite;
        LocalTag = SipShard.NewTag();
        CallId = RequestDraft.CallIdOf(invite.CallId);
        uint sequence = 1;
        exchange = new UacExchange(shard, Draft(), invite.Proxy ?? invite.Target, invite.Transport, null, invite.Credentials, () => ++sequence)
        {
            Provisional = TakeProvisional,
            Success = TakeSuccess,
            Through = invite.Flow,
            MovedOn = MovedOn,
            Amend = AskForLonger,
            Complete = (draft, way) => draft with { Contact = shard.Routes.ContactFor(way, invite.From.Uri.User is null ? null : invite.From.Uri.UserText, invite.Target.Scheme == "sips") },
        };
    }

    public string CallId { get; }

    public string LocalTag { get; }

    public ChannelReader<SipProgress> Progress => progress.Reader;

    public Task<OutgoingCallResult> Completed => completed.Task;

    public void Begin()
    {
        beganAt = shard.Options.TimeProvider.GetTimestamp();
        exchange.Begin(result =>
        {
            if (result.StatusCode is < 200 or >= 300)
            {
                Complete(new OutgoingCallResult(null, null, result.StatusCode, result.Reason, cancelWanted, result.Response));
            }
        });
        if (!completed.Task.IsCompleted)
        {
            shard.Calls.Add(this);
        }

        ringLimit = completed.Task.IsCompleted ? null : shard.Timers.Start(invite.MaxRingTime, static (call, _) => ((UacInvite)call).Cancel(null), this);
    }

    public Task CancelAsync(string? reason)
    {
        if (WireText.IsUnsafe(reason))
        {
            throw new ArgumentException("A reason for the wire holds CR, LF or NUL.", nameof(reason));
        }

        return shard.Queue.InvokeAsync(() =>
        {
            Cancel(reason);
            return true;
        });
    }

    /// <summary>The first sign of the callee.</summary>
    private void Reached()
    {
        if (!reached)
        {
            reached = true;
            shard.Meter.PostDialDelay(shard.Options.TimeProvider.GetElapsedTime(beganAt));
        }
    }

    private void MovedOn()
    {
        sawProvisional = false;
        DropForks();
    }

    private RequestDraft Draft() => new()
    {
        Method = SipMethod.Invite,
        Uri = invite.Target.ToString(),
        Routes = invite.Proxy is null ? [] : [$"<{invite.Proxy}{(invite.Proxy.HasParameter("lr") ? "" : ";lr")}>"],
        From = NameAddr.Create(invite.From.Display, invite.From.Uri, LocalTag).Wire,
        To = (invite.To ?? NameAddr.Create(null, invite.Target)).Wire,
        CallId = CallId,
        CSeq = 1,
        Headers = [.. invite.Headers, .. Extensions()],
        Sdp = invite.Offer,
        Allow = shard.Allow,
        MaxForwards = invite.MaxForwards.ToString(System.Globalization.CultureInfo.InvariantCulture),
    };

    private IEnumerable<KeyValuePair<string, string>> Extensions()
    {
        SipSessionOptions sessions = shard.Options.Sessions;
        yield return new("Supported", invite.TakesReliable ? shard.Supported : shard.Capabilities.SupportedUnreliably);
        if (sessions.RequireReliability && invite.TakesReliable)
        {
            yield return new("Require", SipCapabilities.Reliable);
        }

        if (sessions.Interval is { } interval)
        {
            uint seconds = Math.Max(SessionTerms.Seconds32(interval), SessionTerms.LeastSeconds);
            foreach (KeyValuePair<string, string> header in SessionTerms.Asking(seconds, null, null))
            {
                yield return header;
            }
        }
    }

    /// <summary>RFC 4028 7.3: 422 is answered by the interval that it demands.</summary>
    private RequestDraft? AskForLonger(RequestDraft refused, SipResponse response)
    {
        if (response.StatusCode != 422 || cancelWanted || SessionTerms.Demanded(response) is not { } least)
        {
            return null;
        }

        DropForks();
        IEnumerable<KeyValuePair<string, string>> kept = refused.Headers.Where(header => header.Key is not ("Session-Expires" or "Min-SE"));
        uint wanted = shard.Options.Sessions.Interval is { } interval ? SessionTerms.Seconds32(interval) : 0;
        return refused with { Headers = [.. kept, .. SessionTerms.Asking(Math.Max(wanted, least), least, null)] };
    }

    private void TakeSuccess(RequestDraft sent, SipResponse response)
    {
        string tag = response.To.Tag ?? "";
        if (acks.TryGetValue(tag, out (byte[] Ack, SipTarget Target)? known))
        {
            if (known is { } ready)
            {
                shard.Send(ready.Ack, ready.Target, null);
            }

            return;
        }

        if (exchange.Transaction is null)
        {
            return;
        }

        Reached();
        if (!answered)
        {
            shard.Meter.SetUp(shard.Options.TimeProvider.GetElapsedTime(beganAt), weCalled: true);
        }

        acks[tag] = null;
        Fork? fork = forks?.GetValueOrDefault(tag);
        SipDialog dialog = fork?.Dialog ?? NewDialog(sent, response, exchange.Way);
        dialog.State.LearnFrom(response);
        bool unwanted = answered || cancelWanted;
        answered = true;
        dialog.Enter(confirmed: true);
        if (unwanted)
        {
            End(sent, response, dialog);
        }
        else if (dialog.Offers == OfferState.OfferAwaited)
        {
            AnswerLate(sent, response, dialog);
        }
        else
        {
            Establish(sent, response, dialog, fork);
        }
    }

    /// <summary>13.2.2.4 and 9.1: another fork answered first, or the 2xx crossed our CANCEL: acknowledge, then BYE.</summary>
    private void End(RequestDraft sent, SipResponse response, SipDialog dialog)
    {
        Acknowledge(sent, dialog, null);
        _ = dialog.StartBye(SipDialogEndCause.LocalBye, cancelReason);
        if (cancelWanted)
        {
            Complete(new OutgoingCallResult(null, null, 487, SipReasonPhrases.Of(487), true, response));
        }
    }

    private void Establish(RequestDraft sent, SipResponse response, SipDialog dialog, Fork? fork)
    {
        // RFC 6337 3.1.1: after a reliable answer the SDP of the 2xx says nothing new.
        string? sdp = fork?.ReliableSdp ?? response.Sdp;
        if (fork?.ReliableSdp is null)
        {
            dialog.Apply(SessionInput.ReceiveAnswer);
        }

        Acknowledge(sent, dialog, null);
        dialog.RenewFrom(response);
        dialog.Describe(fork?.Offered ?? invite.Offer);
        Complete(new OutgoingCallResult(dialog, sdp, response.StatusCode, response.Reason, false, response), dialog);
    }

    private void AnswerLate(RequestDraft sent, SipResponse response, SipDialog dialog)
    {
        dialog.Apply(SessionInput.ReceiveLateOffer);
        _ = LateAnswer.AskAsync(shard, CallId, invite.LateAnswer, response.Sdp, answer =>
        {
            dialog.Apply(answer is null ? SessionInput.RefuseOffer : SessionInput.SendAnswer);
            Acknowledge(sent, dialog, answer);
            dialog.RenewFrom(response);
            dialog.Describe(answer);
            if (answer is null || cancelWanted)
            {
                _ = dialog.StartBye(SipDialogEndCause.LocalBye, cancelWanted ? cancelReason : LateAnswer.NoAnswerReason);
                Complete(new OutgoingCallResult(null, response.Sdp, cancelWanted ? 487 : 488, SipReasonPhrases.Of(cancelWanted ? 487 : 488), cancelWanted, response));
            }
            else
            {
                Complete(new OutgoingCallResult(dialog, response.Sdp, response.StatusCode, response.Reason, false, response), dialog);
            }
        });
    }

    private void Acknowledge(RequestDraft sent, SipDialog dialog, string? answer)
    {
        dialog.Apply(SessionInput.Acknowledge);
        DialogState state = dialog.State;
        string tag = state.Key.RemoteTag;
        RequestDraft ack = state.Request(SipMethod.Ack, sent.CSeq) with { Headers = sent.Credentials(), Sdp = answer };
        shard.Routes.Resolve(state.NextHop, null, state.Flow, target =>
        {
            if (target is { } way)
            {
                byte[] bytes = ack.Build(shard.ViaFor(way, SipShard.NewBranch()), shard.Options.UserAgentName);
                acks[tag] = (bytes, way);
                shard.Send(bytes, way, null);
            }
        });
    }

    /// <summary>Another call takes the place of this one, which still rings (RFC 3891 3).</summary>
    internal void GiveWay() => Cancel(SipDialog.ReplacedReason);

    private void Cancel(string? reason)
    {
        if (completed.Task.IsCompleted || cancelWanted)
        {
            return;
        }

        cancelWanted = true;
        exchange.Settle();
        cancelReason = reason;
        // 9.1: not before a provisional response; until then it is only wished for.
        if (sawProvisional)
        {
            SendCancel();
        }
    }

    private void SendCancel()
    {
        if (cancelSent || answered || exchange.Transaction is not { } transaction)
        {
            return;
        }

        cancelSent = true;
        RequestDraft draft = transaction.Draft.Cancel();
        draft = cancelReason is null ? draft : draft with { Headers = [new("Reason", cancelReason)] };
        var cancel = new ClientTransaction(shard, draft, transaction.Target, transaction.Branch, _ => { }, _ => { });
        shard.Begin(cancel);
        // 9.1: without a final response in 64*T1 the call attempt counts as cancelled.
        shard.Timers.Start(shard.Options.Timers.Timeout, static (call, _) => ((UacInvite)call).CancelUnanswered(), this);
    }

    private void CancelUnanswered()
    {
        if (!completed.Task.IsCompleted && !answered)
        {
            exchange.Transaction?.Abandon();
            Complete(new OutgoingCallResult(null, null, 408, "No answer to CANCEL", true, null));
        }
    }

    /// <summary>The endpoint stops: a ringing peer is told, the caller gets its result.</summary>
    public void Shutdown()
    {
        Cancel(null);
        Complete(new OutgoingCallResult(null, null, 503, "The endpoint was stopped", true, null));
    }

    private void Complete(OutgoingCallResult result, SipDialog? kept = null)
    {
        shard.Calls.Remove(this);
        ringLimit?.Cancel();
        DropForks(kept);
        progress.Writer.TryComplete();
        completed.TrySetResult(result);
    }
}
