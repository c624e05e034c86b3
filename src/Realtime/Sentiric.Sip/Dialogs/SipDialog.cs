using System.Text;

namespace Sentiric.Sip;

/// <summary>An established call leg (RFC 3261 12 to 15). Members may be called from any thread.</summary>
public sealed class SipDialog : IDialogUser
{
    private readonly SipShard shard;
    private readonly DialogState state;
    private readonly SipCredentials? credentials;
    private readonly TaskCompletionSource<SipDialogEnd> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Our 2xx that waits for its ACK; owned by the shard's queue, like the flags below.</summary>
    private AcceptedInvite? unacknowledged;
    private Action? endedUnacknowledged;
    private bool answeringReinvite;
    private bool sendingReinvite;
    private (byte[] Ack, SipTarget Target, uint Sequence)? reinviteAck;

    internal SipDialog(SipShard shard, DialogState state, SipCredentials? credentials)
    {
        this.shard = shard;
        this.state = state;
        this.credentials = credentials;
        shard.Dialogs.Put(state.Key, this);
    }

    public string CallId => state.Key.CallId;

    public string LocalTag => state.Key.LocalTag;

    /// <summary>Empty for an RFC 2543 peer.</summary>
    public string RemoteTag => state.Key.RemoteTag;

    public SipUri LocalUri => state.LocalUri;

    public SipUri RemoteUri => state.RemoteUri;

    /// <summary>Completes once, when the call has ended from either side; never faults.</summary>
    public Task<SipDialogEnd> Ended => ended.Task;

    /// <summary>
    /// Answers re-INVITEs (hold, resume, new ports). Called on the thread pool. Without a handler they are refused with 488
    /// and the call goes on as it was.
    /// </summary>
    public Func<SipReinvite, Task<SipReinviteAnswer>>? ReinviteHandler { get; set; }

    /// <summary>Ends the call; completes when the peer has answered the BYE or 64*T1 have passed. Quiet when the call is over already.</summary>
    /// <param name="reason">A Reason header such as <c>Q.850;cause=16;text="Normal call clearing"</c> (RFC 3326).</param>
    /// <exception cref="ArgumentException">The reason holds CR, LF or NUL.</exception>
    public async Task ByeAsync(string? reason = null) =>
        await (await shard.Queue.InvokeAsync(() => StartBye(SipDialogEndCause.LocalBye, reason)).ConfigureAwait(false)).ConfigureAwait(false);

    /// <summary>Offers a new session description; one at a time.</summary>
    public async Task<SipReinviteResult> ReinviteAsync(string offer) =>
        await (await shard.Queue.InvokeAsync(() => StartReinvite(offer)).ConfigureAwait(false)).ConfigureAwait(false);

    /// <summary>The first 2xx waits for its ACK; <paramref name="endedBefore"/> is told when the call ends before that.</summary>
    internal void Await(AcceptedInvite accepted, Action endedBefore)
    {
        unacknowledged = accepted;
        endedUnacknowledged = endedBefore;
    }

    internal void Acknowledged()
    {
        unacknowledged = null;
        endedUnacknowledged = null;
    }

    internal void AckTimedOut()
    {
        Acknowledged();
        _ = StartBye(SipDialogEndCause.AckTimeout, null);
    }

    /// <summary>Sends BYE; the session counts as ended from here on (15.1.1).</summary>
    internal Task StartBye(SipDialogEndCause cause, string? reason)
    {
        if (ended.Task.IsCompleted)
        {
            return Task.CompletedTask;
        }

        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        KeyValuePair<string, string>[] headers = reason is null ? [] : [new("Reason", reason)];
        Exchange(state.Request(SipMethod.Bye) with { Headers = headers }, _ => answered.TrySetResult());
        End(cause, reason, null);
        return answered.Task;
    }

    void IDialogUser.TakeAck(SipRequest ack) => unacknowledged?.TakeAck(ack);

    void IDialogUser.Take(ServerTransaction transaction)
    {
        SipRequest request = transaction.Request;
        // 12.2.2: a lower number is out of order, the same request again was caught by its transaction.
        if (state.RemoteSequence is { } last && request.CSeq.Number < last)
        {
            Respond(transaction, 500);
            return;
        }

        state.RemoteSequence = request.CSeq.Number;
        if (request.Is(SipMethod.Bye))
        {
            Respond(transaction, 200);
            End(SipDialogEndCause.RemoteBye, request.Header("Reason"), SipDialogEnd.Q850Of(request.Headers("Reason")));
        }
        else if (request.Is(SipMethod.Invite))
        {
            TakeReinvite(transaction);
        }
        else
        {
            UasCore.RespondToOptions(shard, transaction, LocalTag);
        }
    }

    private void TakeReinvite(ServerTransaction transaction)
    {
        if (answeringReinvite || unacknowledged is not null)
        {
            // 14.2: a second INVITE before the first is done.
            Respond(transaction, 500, new KeyValuePair<string, string>("Retry-After", "3"));
            return;
        }

        if (sendingReinvite)
        {
            Respond(transaction, 491);
            return;
        }

        if (ReinviteHandler is not { } handler)
        {
            Respond(transaction, 488);
            return;
        }

        answeringReinvite = true;
        transaction.Respond(100, ResponseDraft.Begin(transaction.Request.Raw, transaction.Source, 100, null, null).End());
        _ = AskAsync(handler, transaction);
    }

    private async Task AskAsync(Func<SipReinvite, Task<SipReinviteAnswer>> handler, ServerTransaction transaction)
    {
        var ackSdp = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var reinvite = new SipReinvite(transaction.Request, transaction.Request.Sdp, ackSdp.Task);
        SipReinviteAnswer answer;
        try
        {
            answer = await Task.Run(() => handler(reinvite)).ConfigureAwait(false);
        }
        catch (Exception fault)
        {
            SipLog.ApplicationFaulted(shard.Options.Logger, CallId, fault);
            answer = SipReinviteAnswer.Refuse(500);
        }

        shard.Queue.Post(() => AnswerReinvite(transaction, answer, ackSdp));
    }

    private void AnswerReinvite(ServerTransaction transaction, SipReinviteAnswer answer, TaskCompletionSource<string?> ackSdp)
    {
        answeringReinvite = false;
        if (ended.Task.IsCompleted || answer.Sdp is null)
        {
            ackSdp.TrySetResult(null);
            Respond(transaction, ended.Task.IsCompleted ? 487 : answer.StatusCode);
            return;
        }

        // 12.2.2: a target refresh takes effect with the 2xx.
        state.RemoteTarget = transaction.Request.Contacts.Count > 0 ? transaction.Request.Contacts[0].Uri : state.RemoteTarget;
        byte[] response = ResponseDraft.Begin(transaction.Request.Raw, transaction.Source, 200, null, LocalTag)
            .WithRecordRoutes(transaction.Request)
            .WireHeader(SipHeaderId.Contact, state.Contact).Header("Allow", shard.Allow).Header("Server", shard.Options.UserAgentName)
            .EndWithSdp(answer.Sdp);
        unacknowledged = new AcceptedInvite(shard, transaction, response,
            ack =>
            {
                unacknowledged = null;
                ackSdp.TrySetResult(ack.Sdp);
            },
            () =>
            {
                ackSdp.TrySetResult(null);
                AckTimedOut();
            });
        unacknowledged.Begin();
    }

    private Task<SipReinviteResult> StartReinvite(string offer)
    {
        // 14.1: none while another INVITE is under way in either direction.
        if (ended.Task.IsCompleted || sendingReinvite || answeringReinvite || unacknowledged is not null)
        {
            return Task.FromResult(new SipReinviteResult(ended.Task.IsCompleted ? 481 : 491, null));
        }

        sendingReinvite = true;
        var done = new TaskCompletionSource<SipReinviteResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        RequestDraft draft = state.Request(SipMethod.Invite) with { Contact = state.Contact, Sdp = offer, Allow = shard.Allow };
        Exchange(draft, result =>
        {
            sendingReinvite = false;
            done.TrySetResult(new SipReinviteResult(result.StatusCode, result.Response?.Sdp));
        });
        return done.Task;
    }

    /// <summary>Sends a request of this dialog, answers a challenge, and ends the dialog when the peer no longer knows it (12.2.1.2).</summary>
    private void Exchange(RequestDraft draft, Action<OutgoingRequestResult> done)
    {
        new UacExchange(shard, draft, state.NextHop, null, state.Flow, credentials, () => ++state.LocalSequence)
        {
            Success = AcknowledgeReinvite,
        }.Begin(result =>
        {
            if (result.StatusCode is 408 or 481)
            {
                End(SipDialogEndCause.RemoteGone, null, null);
            }

            done(result);
        });
    }

    private void AcknowledgeReinvite(RequestDraft sent, SipResponse response)
    {
        if (sent.Method != SipMethod.Invite)
        {
            return;
        }

        if (reinviteAck is { } known && known.Sequence == sent.CSeq)
        {
            shard.Send(known.Ack, known.Target, null);
            return;
        }

        state.RemoteTarget = response.Contacts.Count > 0 ? response.Contacts[0].Uri : state.RemoteTarget;
        RequestDraft ack = state.Request(SipMethod.Ack, sent.CSeq);
        shard.Routes.Resolve(state.NextHop, null, state.Flow, target =>
        {
            if (target is { } way)
            {
                byte[] bytes = ack.Build(shard.ViaFor(way, SipShard.NewBranch()), shard.Options.UserAgentName);
                reinviteAck = (bytes, way, sent.CSeq);
                shard.Send(bytes, way, null);
            }
        });
    }

    private void End(SipDialogEndCause cause, string? reason, int? q850)
    {
        unacknowledged?.Stop();
        unacknowledged = null;
        shard.Dialogs.Remove(state.Key, this);
        endedUnacknowledged?.Invoke();
        endedUnacknowledged = null;
        int? q850Cause = q850 ?? (reason is null ? null : SipDialogEnd.Q850Of([reason]));
        ended.TrySetResult(new SipDialogEnd(cause, reason, q850Cause, shard.Options.TimeProvider.GetUtcNow()));
    }

    private void Respond(ServerTransaction transaction, int statusCode, params ReadOnlySpan<KeyValuePair<string, string>> headers) =>
        UasCore.Respond(shard, transaction, statusCode, null, LocalTag, headers);

    public override string ToString() => new StringBuilder(CallId).Append(' ').Append(LocalUri).Append(" - ").Append(RemoteUri).ToString();
}
