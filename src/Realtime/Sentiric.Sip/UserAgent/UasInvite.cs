namespace Sentiric.Sip;

/// <summary>
/// An incoming call up to its final response, and the early dialog that it makes (RFC 3261 13.3); reliable progress has a file of its own.
/// Owned by the shard's queue.
/// </summary>
internal sealed partial class UasInvite : IDialogUser, IInviteOwner
{
    /// <summary>RFC 3261 13.3.1.1: proxies give up after three minutes of silence.</summary>
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMinutes(1);

    private readonly SipShard shard;
    private readonly CancellationTokenSource cancelled = new();
    private readonly DialogKey key;
    private readonly SipTarget flow;
    private readonly string contact;
    private readonly long cameAt;
    private SipTimer? ringLimit;
    private SipTimer? repeat;
    private (int StatusCode, byte[] Response) progress = (100, []);
    private bool final;
    private bool wasCancelled;

    public UasInvite(SipShard shard, ServerTransaction transaction, SipDialog? replaced)
    {
        this.shard = shard;
        cameAt = shard.Options.TimeProvider.GetTimestamp();
        Transaction = transaction;
        Replaced = replaced;
        LocalTag = SipShard.NewTag();
        key = new DialogKey(transaction.Request.CallId, LocalTag, transaction.Request.From.Tag ?? "");
        flow = new SipTarget(transaction.Transport, transaction.Source);
        contact = shard.Routes.ContactFor(flow, transaction.Request.Uri.User is null ? null : transaction.Request.Uri.UserText, transaction.Request.Uri.Scheme == "sips");
    }

    public ServerTransaction Transaction { get; }

    public string LocalTag { get; }

    /// <summary>The carrier that the call comes from.</summary>
    public SipTrunk? Trunk => shard.Options.Trunks.Find(Transaction.Source.Address);

    public CancellationToken Cancelled => cancelled.Token;

    /// <summary>The Reason values of the CANCEL or BYE (RFC 3326); set before <see cref="Cancelled"/>.</summary>
    public IReadOnlyList<SipReason> CancelReasons { get; private set; } = [];

    /// <summary>The call that this one takes the place of when it is answered (RFC 3891).</summary>
    public SipDialog? Replaced { get; }

    /// <summary>100 at once (RFC 3261 17.2.1 allows 200 ms), then the application.</summary>
    public void Begin()
    {
        shard.Dialogs.Put(key, this);
        Transaction.Respond(100, ResponseDraft.Begin(Transaction.Request.Raw, Transaction.Source, 100, null, null).End());
        ringLimit = shard.Timers.Start(shard.Options.MaxRingTime, static (call, _) => ((UasInvite)call).GiveUp(480), this);
        shard.Calling.Post(() => _ = TellApplicationAsync());
    }

    public Task<SipProgressResult> ProgressAsync(int statusCode, string? sdp)
    {
        if (statusCode is <= 100 or >= 200)
        {
            throw new ArgumentOutOfRangeException(nameof(statusCode), statusCode, "A provisional response is 101 to 199.");
        }

        Task<Task<SipProgressResult>> started = shard.Queue.InvokeAsync(() => StartProgress(statusCode, sdp));
        return started.IsCompletedSuccessfully ? started.Result : started.Unwrap();
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
            Leave();
            Transaction.Respond(statusCode, response);
            return true;
        });
    }

    /// <summary>RFC 3261 9.2: a CANCEL, or 15.1.2: a BYE in the early dialog, ends the call with 487.</summary>
    public void Cancel(SipRequest cancel)
    {
        if (!final)
        {
            CancelReasons = SipReason.Of(cancel);
        }

        GiveUp(487);
    }

    /// <summary>The endpoint stops.</summary>
    public void Shutdown() => GiveUp(503);

    void IDialogUser.TakeAck(SipRequest ack)
    {
        // Before a 2xx there is nothing to acknowledge.
    }

    void IDialogUser.Take(ServerTransaction transaction)
    {
        SipRequest request = transaction.Request;
        if (request.Is(SipMethod.Bye))
        {
            UasCore.Respond(shard, transaction, 200, null, LocalTag);
            Cancel(request);
        }
        else if (request.Is(SipMethod.Prack))
        {
            if (Early.IsInOrder(transaction))
            {
                TakePrack(transaction);
            }
        }
        else
        {
            // Also an INVITE while the first has no final response: 500 (14.2).
            Early.Take(transaction);
        }
    }

    private Task<SipAnswerResult> StartAnswer(string sdp, IReadOnlyList<KeyValuePair<string, string>>? headers)
    {
        if (final || delayedAnswer is not null)
        {
            SipAnswerFailure why = wasCancelled ? SipAnswerFailure.Cancelled : SipAnswerFailure.AlreadyEnded;
            return Task.FromResult(new SipAnswerResult(null, why));
        }

        if (reliable?.IsOpen == true)
        {
            return AnswerAfterPrack(sdp, headers);
        }

        string? description = described ? null : sdp;
        SessionTerms? terms = SessionTerms.OfUas(Transaction.Request, shard.Options.Sessions);
        SipWriter writer = Response(200, null).WireHeader(SipHeaderId.Contact, contact)
            .Header("Allow", shard.Allow).Header(SipHeaderId.Supported, shard.Supported).Headers(headers);
        terms?.WriteTo(writer);
        byte[] response = writer.EndWithSdp(description);
        Finish();
        return Establish(response, sdp, terms);
    }

    private Task<SipAnswerResult> Establish(byte[] response, string sdp, SessionTerms? terms)
    {
        // Completed by a call to the application, so that what waits for it goes on right there.
        var done = new TaskCompletionSource<SipAnswerResult>();
        void Tell(SipAnswerResult result) => shard.Calling.Post(() => done.TrySetResult(result));

        // The dialog is in its table before the 200 leaves: the ACK may come at once.
        SipDialog dialog = Early;
        if (ReferHandler is { } refer)
        {
            dialog.ReferHandler = refer;
        }

        if (!described)
        {
            dialog.Apply(dialog.Offers == OfferState.OfferOwed ? SessionInput.SendLateOffer : SessionInput.SendAnswer);
        }

        dialog.Apply(SessionInput.Accept);
        dialog.Enter(confirmed: true);
        var accepted = new AcceptedInvite(shard, Transaction, response,
            ack =>
            {
                dialog.Acknowledged(ack);
                Tell(new SipAnswerResult(dialog, SipAnswerFailure.None, ack.Sdp));
            },
            () =>
            {
                dialog.AckTimedOut();
                Tell(new SipAnswerResult(null, SipAnswerFailure.AckTimeout));
            });
        dialog.Await(accepted, () => Tell(new SipAnswerResult(dialog, SipAnswerFailure.None)));
        if (terms is not null)
        {
            dialog.Renew(terms, Transaction.Request);
            dialog.Describe(sdp);
        }

        shard.Meter.SetUp(shard.Options.TimeProvider.GetElapsedTime(cameAt), weCalled: false);
        accepted.Begin();
        Replaced?.GiveWay();
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
        Leave();
        Transaction.Respond(statusCode, Response(statusCode, null).End());
        _ = cancelled.CancelAsync();
    }

    private void Finish()
    {
        final = true;
        ringLimit?.Cancel();
        repeat?.Cancel();
        FinishReliable();
    }

    /// <summary>The early dialog ends with the refusal.</summary>
    private void Leave()
    {
        early?.Drop();
        shard.Dialogs.Remove(key, this);
    }

    private SipWriter Response(int statusCode, string? reason)
    {
        SipWriter writer = ResponseDraft.Begin(Transaction.Request.Raw, Transaction.Source, statusCode, reason, LocalTag);
        return (statusCode < 300 ? writer.WithRecordRoutes(Transaction, shard.Options.Trunks) : writer).Header("Server", shard.Options.UserAgentName);
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
