using System.Threading.Channels;

namespace Sentiric.Sip;

/// <summary>A call being placed (RFC 3261 13.2): progress, the first 2xx, other forks, CANCEL. Owned by the shard's queue.</summary>
internal sealed class UacInvite
{
    private const int MaxProgressKept = 64;

    private readonly SipShard shard;
    private readonly OutgoingInvite invite;
    private readonly UacExchange exchange;
    private readonly TaskCompletionSource<OutgoingCallResult> completed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<SipProgress> progress = Channel.CreateBounded<SipProgress>(
        new BoundedChannelOptions(MaxProgressKept) { FullMode = BoundedChannelFullMode.DropOldest });

    /// <summary>ACKs by To tag, built once and sent for every copy of the 2xx (13.2.2.4).</summary>
    private readonly Dictionary<string, (byte[] Ack, SipTarget Target)?> acks = [];
    private SipTimer? ringLimit;
    private bool sawProvisional;
    private bool cancelWanted;
    private bool cancelSent;

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
            MovedOn = () => sawProvisional = false,
            Complete = (draft, way) => draft with { Contact = shard.Routes.ContactFor(way, invite.From.Uri.User is null ? null : invite.From.Uri.UserText, invite.Target.Scheme == "sips") },
        };
    }

    public string CallId { get; }

    public string LocalTag { get; }

    public ChannelReader<SipProgress> Progress => progress.Reader;

    public Task<OutgoingCallResult> Completed => completed.Task;

    public void Begin()
    {
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

        ringLimit = completed.Task.IsCompleted ? null : shard.Timers.Start(invite.MaxRingTime, static (call, _) => ((UacInvite)call).Cancel(), this);
    }

    public Task CancelAsync() => shard.Queue.InvokeAsync(() =>
    {
        Cancel();
        return true;
    });

    private RequestDraft Draft() => new()
    {
        Method = SipMethod.Invite,
        Uri = invite.Target.ToString(),
        Routes = invite.Proxy is null ? [] : [$"<{invite.Proxy}{(invite.Proxy.HasParameter("lr") ? "" : ";lr")}>"],
        From = NameAddr.Create(invite.From.Display, invite.From.Uri, LocalTag).Wire,
        To = (invite.To ?? NameAddr.Create(null, invite.Target)).Wire,
        CallId = CallId,
        CSeq = 1,
        Headers = invite.Headers,
        Sdp = invite.Offer,
        Allow = shard.Allow,
    };

    private void TakeProvisional(SipResponse response)
    {
        sawProvisional = true;
        if (response.StatusCode > 100)
        {
            progress.Writer.TryWrite(new SipProgress(response.StatusCode, response.Reason, response.Sdp, response));
        }

        if (cancelWanted)
        {
            SendCancel();
        }
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

        var state = DialogState.OfUac(sent, response, invite.Target, exchange.Way);
        var dialog = new SipDialog(shard, state, invite.Credentials);
        Acknowledge(sent, state, tag);
        if (completed.Task.IsCompleted || cancelWanted)
        {
            // 13.2.2.4 and 9.1: another fork answered first, or the 2xx crossed our CANCEL: acknowledge, then BYE.
            _ = dialog.StartBye(SipDialogEndCause.LocalBye, null);
            Complete(new OutgoingCallResult(null, null, 487, SipReasonPhrases.Of(487), true, response));
            return;
        }

        Complete(new OutgoingCallResult(dialog, response.Sdp, response.StatusCode, response.Reason, false, response));
    }

    private void Acknowledge(RequestDraft sent, DialogState state, string tag)
    {
        acks[tag] = null;
        // 13.2.2.4: the ACK carries the credentials of its INVITE.
        IReadOnlyList<KeyValuePair<string, string>> credentials = sent.Headers
            .Where(header => header.Key is "Authorization" or "Proxy-Authorization").ToList();
        RequestDraft ack = state.Request(SipMethod.Ack, sent.CSeq) with { Headers = credentials };
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

    private void Cancel()
    {
        if (completed.Task.IsCompleted)
        {
            return;
        }

        cancelWanted = true;
        exchange.Settle();
        // 9.1: not before a provisional response; until then it is only wished for.
        if (sawProvisional)
        {
            SendCancel();
        }
    }

    private void SendCancel()
    {
        if (cancelSent || exchange.Transaction is not { } transaction)
        {
            return;
        }

        cancelSent = true;
        var cancel = new ClientTransaction(shard, transaction.Draft.Cancel(), transaction.Target, transaction.Branch, _ => { }, _ => { });
        shard.Begin(cancel);
        // 9.1: without a final response in 64*T1 the call attempt counts as cancelled.
        shard.Timers.Start(shard.Options.Timers.Timeout, static (call, _) => ((UacInvite)call).CancelUnanswered(), this);
    }

    private void CancelUnanswered()
    {
        if (!completed.Task.IsCompleted)
        {
            exchange.Transaction?.Abandon();
            Complete(new OutgoingCallResult(null, null, 408, "No answer to CANCEL", true, null));
        }
    }

    /// <summary>The endpoint stops: a ringing peer is told, the caller gets its result.</summary>
    public void Shutdown()
    {
        Cancel();
        Complete(new OutgoingCallResult(null, null, 503, "The endpoint was stopped", true, null));
    }

    private void Complete(OutgoingCallResult result)
    {
        shard.Calls.Remove(this);
        ringLimit?.Cancel();
        progress.Writer.TryComplete();
        completed.TrySetResult(result);
    }
}
