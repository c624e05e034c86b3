using System.Text;

namespace Sentiric.Sip;

/// <summary>
/// A call leg (RFC 3261 12 to 15), early until its 2xx. Members may be called from any thread. This part is its life; offers, session
/// refreshes, key presses and transfers have files of their own.
/// </summary>
public sealed partial class SipDialog : IDialogUser, IInviteOwner
{
    private readonly SipShard shard;
    private readonly DialogState state;
    private readonly SipCredentials? credentials;
    private readonly TaskCompletionSource<SipDialogEnd> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Our 2xx that waits for its ACK; owned by the shard's queue, like the fields below.</summary>
    private AcceptedInvite? unacknowledged;
    private Action? endedUnacknowledged;
    private SessionState session;

    /// <summary>What most calls never need; see <see cref="More"/>.</summary>
    private DialogExtras? extras;

    internal SipDialog(SipShard shard, DialogState state, SipCredentials? credentials, SessionState session)
    {
        this.shard = shard;
        this.state = state;
        this.credentials = credentials;
        this.session = session;
    }

    public string CallId => state.Key.CallId;

    public string LocalTag => state.Key.LocalTag;

    /// <summary>Empty for an RFC 2543 peer.</summary>
    public string RemoteTag => state.Key.RemoteTag;

    public SipUri LocalUri => state.LocalUri;

    public SipUri RemoteUri => state.RemoteUri;

    /// <summary>Where the peer takes requests now: its last Contact (RFC 3261 12.2.1.1).</summary>
    public SipUri RemoteTarget => state.RemoteTarget;

    /// <summary>Completes once, when the call has ended from either side; never faults.</summary>
    public Task<SipDialogEnd> Ended => ended.Task;

    /// <summary>False until the 2xx. Owned by the shard's queue.</summary>
    internal bool IsConfirmed { get; private set; }

    internal DialogState State => state;

    internal SipShard Shard => shard;

    internal bool HasEnded => ended.Task.IsCompleted;

    /// <summary>Made when first needed, by any thread.</summary>
    private DialogExtras More => LazyInitializer.EnsureInitialized(ref extras);

    /// <summary>Ends the call; completes when the peer has answered the BYE or 64*T1 have passed. Quiet when the call is over already.</summary>
    /// <param name="reason">A Reason header such as <c>Q.850;cause=16;text="Normal call clearing"</c> (RFC 3326).</param>
    /// <exception cref="ArgumentException">The reason holds CR, LF or NUL.</exception>
    public async Task ByeAsync(string? reason = null) =>
        await (await shard.Queue.InvokeAsync(() => StartBye(SipDialogEndCause.LocalBye, reason)).ConfigureAwait(false)).ConfigureAwait(false);

    /// <summary>Takes requests from here on, early or confirmed.</summary>
    internal void Enter(bool confirmed)
    {
        IsConfirmed |= confirmed;
        shard.Dialogs.Put(state.Key, this);
    }

    /// <summary>An early dialog that comes to nothing (RFC 3261 13.2.2.3, 13.2.2.4).</summary>
    internal void Drop()
    {
        shard.Dialogs.Remove(state.Key, this);
        StopExtras();
    }

    /// <summary>Our first 2xx waits for its ACK; <paramref name="endedBefore"/> is told when the call ends before that.</summary>
    internal void Await(AcceptedInvite accepted, Action endedBefore)
    {
        unacknowledged = accepted;
        endedUnacknowledged = endedBefore;
    }

    internal void AckTimedOut()
    {
        unacknowledged = null;
        endedUnacknowledged = null;
        _ = StartBye(SipDialogEndCause.AckTimeout, null);
    }

    /// <summary>Sends BYE; the session counts as ended from here on (15.1.1).</summary>
    internal Task StartBye(SipDialogEndCause cause, string? reason)
    {
        if (HasEnded)
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

    void IDialogUser.Take(ServerTransaction transaction) => Take(transaction);

    internal void Take(ServerTransaction transaction)
    {
        if (!IsInOrder(transaction))
        {
            return;
        }

        SipRequest request = transaction.Request;
        switch (request.Method)
        {
            case SipMethod.Bye:
                TakeBye(transaction);
                break;
            case SipMethod.Invite:
                TakeReinvite(transaction);
                break;
            case SipMethod.Update:
                TakeUpdate(transaction);
                break;
            case SipMethod.Info:
                TakeInfo(transaction);
                break;
            case SipMethod.Refer:
                TakeRefer(transaction);
                break;
            case SipMethod.Notify:
                TakeNotify(transaction);
                break;
            case SipMethod.Prack:
                // RFC 3262 3: one that matches no reliable response of ours. The early dialog takes those that do.
                Respond(transaction, 481);
                break;
            default:
                UasCore.RespondToOptions(shard, transaction, LocalTag);
                break;
        }
    }

    /// <summary>12.2.2: a lower number is out of order and gets 500; the same request again was caught by its transaction.</summary>
    internal bool IsInOrder(ServerTransaction transaction)
    {
        uint number = transaction.Request.CSeq.Number;
        if (state.RemoteSequence is { } last && number < last)
        {
            Respond(transaction, 500);
            return false;
        }

        state.RemoteSequence = number;
        return true;
    }

    private void TakeBye(ServerTransaction transaction)
    {
        if (!IsConfirmed)
        {
            // 15: the callee ends an early dialog with its final response, not with BYE.
            Respond(transaction, 481);
            return;
        }

        Respond(transaction, 200);
        SipRequest request = transaction.Request;
        string? reason = request.Raw.Find(SipHeaderId.Reason) < 0 ? null : string.Join(", ", request.Headers("Reason"));
        End(SipDialogEndCause.RemoteBye, reason, null);
    }

    /// <summary>Sends a request of this dialog, answers a challenge, and ends the call when the peer no longer knows it (12.2.1.2).</summary>
    private void Exchange(RequestDraft draft, Action<OutgoingRequestResult> done, Action<RequestDraft, SipResponse>? success = null) =>
        Send(draft, result =>
        {
            if (result.StatusCode is 408 or 481 && IsConfirmed && draft.Method != SipMethod.Bye)
            {
                _ = StartBye(SipDialogEndCause.RemoteGone, null);
            }

            done(result);
        }, success);

    /// <summary>As <see cref="Exchange"/>, for requests whose failure says nothing about the call (RFC 5057 5.1).</summary>
    internal void Send(RequestDraft draft, Action<OutgoingRequestResult> done, Action<RequestDraft, SipResponse>? success = null) =>
        new UacExchange(shard, draft, state.NextHop, null, state.Flow, credentials, () => ++state.LocalSequence) { Success = success }.Begin(done);

    private void End(SipDialogEndCause cause, string? reason, int? q850)
    {
        if (HasEnded)
        {
            return;
        }

        unacknowledged?.Stop();
        unacknowledged = null;
        shard.Dialogs.Remove(state.Key, this);
        shard.Dialogs.Remember(state.Key);
        StopExtras();
        endedUnacknowledged?.Invoke();
        endedUnacknowledged = null;
        int? q850Cause = q850 ?? (reason is null ? null : SipDialogEnd.Q850Of([reason]));
        ended.TrySetResult(new SipDialogEnd(cause, reason, q850Cause, shard.Options.TimeProvider.GetUtcNow()));
    }

    private void StopExtras()
    {
        // Never made, never stopped: most calls pass here.
        if (extras is not { } some)
        {
            return;
        }

        some.Timer?.Stop();
        some.Retry?.Cancel();
        some.Digits?.Writer.TryComplete();
        WithdrawAsked();
        WithdrawAttempt();
        EndReferrals();
    }

    private void Respond(ServerTransaction transaction, int statusCode, params ReadOnlySpan<KeyValuePair<string, string>> headers) =>
        UasCore.Respond(shard, transaction, statusCode, null, LocalTag, headers);

    public override string ToString() => new StringBuilder(CallId).Append(' ').Append(LocalUri).Append(" - ").Append(RemoteUri).ToString();
}
