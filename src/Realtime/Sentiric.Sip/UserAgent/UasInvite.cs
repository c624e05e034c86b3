namespace Sentiric.Sip;

/// <summary>An incoming call up to its final response, and the early dialog that it makes (RFC 3261 13.3). Owned by the shard's queue.</summary>
internal sealed class UasInvite : IDialogUser
{
    /// <summary>RFC 3261 13.3.1.1: proxies give up after three minutes of silence.</summary>
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMinutes(1);

    private readonly SipShard shard;
    private readonly CancellationTokenSource cancelled = new();
    private readonly DialogKey key;
    private readonly SipTarget flow;
    private readonly string contact;
    private SipTimer? ringLimit;
    private SipTimer? repeat;
    private (int StatusCode, byte[] Response) progress = (100, []);
    private bool final;
    private bool wasCancelled;

    public UasInvite(SipShard shard, ServerTransaction transaction)
    {
        this.shard = shard;
        Transaction = transaction;
        LocalTag = SipShard.NewTag();
        key = new DialogKey(transaction.Request.CallId, LocalTag, transaction.Request.From.Tag ?? "");
        flow = new SipTarget(transaction.Transport, transaction.Source);
        contact = shard.Routes.ContactFor(flow, transaction.Request.Uri.User is null ? null : transaction.Request.Uri.UserText, transaction.Request.Uri.Scheme == "sips");
    }

    public ServerTransaction Transaction { get; }

    public string LocalTag { get; }

    public CancellationToken Cancelled => cancelled.Token;

    /// <summary>100 at once (RFC 3261 17.2.1 allows 200 ms), then the application.</summary>
    public void Begin()
    {
        shard.Dialogs.Put(key, this);
        Transaction.Respond(100, ResponseDraft.Begin(Transaction.Request.Raw, Transaction.Source, 100, null, null).End());
        ringLimit = shard.Timers.Start(shard.Options.MaxRingTime, static (call, _) => ((UasInvite)call).GiveUp(480), this);
        shard.Calling.Post(() => _ = TellApplicationAsync());
    }

    public Task<bool> ProgressAsync(int statusCode, string? sdp)
    {
        if (statusCode is <= 100 or >= 200)
        {
            throw new ArgumentOutOfRangeException(nameof(statusCode), statusCode, "A provisional response is 101 to 199.");
        }

        return shard.Queue.InvokeAsync(() =>
        {
            if (final)
            {
                return false;
            }

            SendProgress(statusCode, Response(statusCode, null).WireHeader(SipHeaderId.Contact, contact).EndWithSdp(sdp));
            return true;
        });
    }

    public Task<SipAnswerResult> AnswerAsync(string sdp, IReadOnlyList<KeyValuePair<string, string>>? headers)
    {
        Task<Task<SipAnswerResult>> started = shard.Queue.InvokeAsync(() => StartAnswer(sdp, headers));
        return started.IsCompletedSuccessfully ? started.Result : started.Unwrap();
    }

    public Task<bool> RejectAsync(int statusCode, string? reason, IReadOnlyList<KeyValuePair<string, string>>? headers)
    {
        if (statusCode is < 300 or > 699)
        {
            throw new ArgumentOutOfRangeException(nameof(statusCode), statusCode, "A refusal is 300 to 699.");
        }

        return shard.Queue.InvokeAsync(() =>
        {
            if (final)
            {
                return false;
            }

            byte[] response = Response(statusCode, reason).Headers(headers).End();
            Finish();
            shard.Dialogs.Remove(key, this);
            Transaction.Respond(statusCode, response);
            return true;
        });
    }

    /// <summary>RFC 3261 9.2: a CANCEL, or 15.1.2: a BYE in the early dialog, ends the call with 487.</summary>
    public void Cancel() => GiveUp(487);

    /// <summary>The endpoint stops.</summary>
    public void Shutdown() => GiveUp(503);

    void IDialogUser.TakeAck(SipRequest ack)
    {
        // Before a 2xx there is nothing to acknowledge.
    }

    void IDialogUser.Take(ServerTransaction transaction)
    {
        if (transaction.Request.Is(SipMethod.Bye))
        {
            UasCore.Respond(shard, transaction, 200, null, LocalTag);
            Cancel();
        }
        else if (transaction.Request.Is(SipMethod.Invite))
        {
            // 14.2: an INVITE while the first has no final response.
            UasCore.Respond(shard, transaction, 500, null, LocalTag, new KeyValuePair<string, string>("Retry-After", "3"));
        }
        else
        {
            UasCore.RespondToOptions(shard, transaction, LocalTag);
        }
    }

    private Task<SipAnswerResult> StartAnswer(string sdp, IReadOnlyList<KeyValuePair<string, string>>? headers)
    {
        if (final)
        {
            SipAnswerFailure why = wasCancelled ? SipAnswerFailure.Cancelled : SipAnswerFailure.AlreadyEnded;
            return Task.FromResult(new SipAnswerResult(null, why));
        }

        byte[] response = Response(200, null).WireHeader(SipHeaderId.Contact, contact).Header("Allow", shard.Allow).Headers(headers).EndWithSdp(sdp);
        Finish();
        // Completed by a call to the application, so that what waits for it goes on right there.
        var done = new TaskCompletionSource<SipAnswerResult>();
        void Tell(SipAnswerResult result) => shard.Calling.Post(() => done.TrySetResult(result));

        // The dialog is in its table before the 200 leaves: the ACK may come at once.
        var dialog = new SipDialog(shard, DialogState.OfUas(Transaction.Request, LocalTag, flow, contact), null);
        var accepted = new AcceptedInvite(shard, Transaction, response,
            ack =>
            {
                dialog.Acknowledged();
                Tell(new SipAnswerResult(dialog, SipAnswerFailure.None, ack.Sdp));
            },
            () =>
            {
                dialog.AckTimedOut();
                Tell(new SipAnswerResult(null, SipAnswerFailure.AckTimeout));
            });
        dialog.Await(accepted, () => Tell(new SipAnswerResult(dialog, SipAnswerFailure.None)));
        accepted.Begin();
        return done.Task;
    }

    private void SendProgress(int statusCode, byte[] response)
    {
        Transaction.Respond(statusCode, response);
        repeat?.Cancel();
        progress = (statusCode, response);
        repeat = shard.Timers.Start(ProgressInterval, static (call, _) => ((UasInvite)call).RepeatProgress(), this);
    }

    private void RepeatProgress() => SendProgress(progress.StatusCode, progress.Response);

    private void GiveUp(int statusCode)
    {
        if (final)
        {
            return;
        }

        wasCancelled = true;
        Finish();
        shard.Dialogs.Remove(key, this);
        Transaction.Respond(statusCode, Response(statusCode, null).End());
        _ = cancelled.CancelAsync();
    }

    private void Finish()
    {
        final = true;
        ringLimit?.Cancel();
        repeat?.Cancel();
    }

    private SipWriter Response(int statusCode, string? reason)
    {
        SipWriter writer = ResponseDraft.Begin(Transaction.Request.Raw, Transaction.Source, statusCode, reason, LocalTag);
        return (statusCode < 300 ? writer.WithRecordRoutes(Transaction.Request) : writer).Header("Server", shard.Options.UserAgentName);
    }

    private async Task TellApplicationAsync()
    {
        try
        {
            await shard.Application.OnInviteAsync(new IncomingInvite(this), shard.Stopping.Token).ConfigureAwait(false);
        }
        catch (Exception fault)
        {
            SipLog.ApplicationFaulted(shard.Options.Logger, Transaction.Request.CallId, fault);
            await RejectAsync(500, null, null).ConfigureAwait(false);
        }
    }
}
