namespace Sentiric.Sip;

/// <summary>Progress of an incoming call, reliable (RFC 3262) where the caller and our options want it, and offers before the answer.</summary>
internal sealed partial class UasInvite
{
    /// <summary>RFC 3262 3: a reliable response is renewed every two and a half minutes, in place of every minute.</summary>
    private static readonly TimeSpan ReliableInterval = TimeSpan.FromSeconds(150);

    private static readonly SipProgressResult SentUnreliably = new(SipProgressOutcome.Sent);
    private static readonly Task<SipProgressResult> Sent = Task.FromResult(SentUnreliably);

    private SipDialog? early;
    private ReliableProgress? reliable;

    /// <summary>Our description left reliably before the 2xx, which then carries none (RFC 6337 3.1.1).</summary>
    private bool described;

    /// <summary>The 2xx, held back until the PRACK.</summary>
    private Action? delayedAnswer;
    private Func<SipReinvite, Task<SipReinviteAnswer>>? offerHandler;

    /// <summary>Answers offers that come before the call is answered, by UPDATE or PRACK.</summary>
    public Func<SipReinvite, Task<SipReinviteAnswer>>? OfferHandler
    {
        get => offerHandler;
        set
        {
            offerHandler = value;
            shard.Queue.Post(() =>
            {
                if (early is not null)
                {
                    early.ReinviteHandler = value;
                }
            });
        }
    }

    /// <summary>Becomes that of the dialog before the 200 leaves.</summary>
    public Func<IncomingReferral, Task<SipAnswer>>? ReferHandler { get; set; }

    /// <summary>The dialog before its 2xx; made when something needs it, at the latest by the answer.</summary>
    private SipDialog Early => early ??= new SipDialog(shard, DialogState.OfUas(Transaction.Request, LocalTag, flow, contact), null,
        new SessionState(Transaction.Request.Body.Length > 0 ? OfferState.OfferReceived : OfferState.OfferOwed, InviteState.Received))
    {
        ReinviteHandler = offerHandler,
    };

    /// <summary>Offers by UPDATE before the answer; possible once the first offer is answered reliably (RFC 3311 5.1).</summary>
    public async Task<SipReinviteResult> UpdateAsync(string offer)
    {
        SipDialog dialog = await shard.Queue.InvokeAsync(() => Early).ConfigureAwait(false);
        return await dialog.UpdateAsync(offer).ConfigureAwait(false);
    }

    private Task<SipProgressResult> StartProgress(int statusCode, string? sdp)
    {
        if (final)
        {
            return Task.FromResult(new SipProgressResult(SipProgressOutcome.Ended));
        }

        SipRequest invite = Transaction.Request;
        bool required = invite.Requires(SipCapabilities.Reliable);
        bool owesOffer = invite.Body.Length == 0 && !described && sdp is null;
        if (!required && (owesOffer || !WantsReliable(sdp) || !invite.Supports(SipCapabilities.Reliable)))
        {
            SendProgress(statusCode, Response(statusCode, null).WireHeader(SipHeaderId.Contact, contact).EndWithSdp(sdp));
            return Sent;
        }

        // RFC 3261 13.2.1 and RFC 3262 5: the first reliable response to an INVITE without an offer carries one.
        return owesOffer ? Task.FromResult(new SipProgressResult(SipProgressOutcome.NotSent)) : SendReliably(statusCode, sdp);
    }

    private bool WantsReliable(string? sdp) => shard.Options.Sessions.Reliability switch
    {
        SipReliability.WhenRequired => false,
        SipReliability.WithSdp => sdp is not null,
        SipReliability.WhenSupported => true,
    };

    private Task<SipProgressResult> SendReliably(int statusCode, string? sdp)
    {
        repeat?.Cancel();
        reliable ??= new ReliableProgress(shard, Transaction, () => _ = RejectAsync(504, null, null));
        return reliable.Send(statusCode, number =>
        {
            string? description = described ? null : sdp;
            if (description is not null)
            {
                described = true;
                Early.Apply(Early.Offers == OfferState.OfferOwed ? SessionInput.SendLateOffer : SessionInput.SendAnswer);
            }

            repeat?.Cancel();
            repeat = shard.Timers.Start(ReliableInterval, static (call, status) => _ = ((UasInvite)call).SendReliably(status, null), this, statusCode);
            return Response(statusCode, null).WireHeader(SipHeaderId.Contact, contact)
                .Header(SipHeaderId.Require, SipCapabilities.Reliable).Header("RSeq", number)
                .Header("Allow", shard.Allow).Header(SipHeaderId.Supported, shard.Supported).EndWithSdp(description);
        });
    }

    private void TakePrack(ServerTransaction prack)
    {
        if (RAck.Of(prack.Request) is not { } acknowledged)
        {
            UasCore.Respond(shard, prack, 400, "Unreadable RAck", LocalTag);
        }
        else if (reliable?.Matches(acknowledged) != true)
        {
            UasCore.Respond(shard, prack, 481, null, LocalTag);
        }
        else
        {
            reliable.StopRepeating();
            TakePrackBody(prack, prack.Request.Sdp);
        }
    }

    private void TakePrackBody(ServerTransaction prack, string? sdp)
    {
        bool awaitsAnswer = Early.Offers == OfferState.OfferSent;
        if (sdp is null || awaitsAnswer)
        {
            if (awaitsAnswer)
            {
                Early.Apply(sdp is null ? SessionInput.OfferRefused : SessionInput.ReceiveAnswer);
            }

            EndPrack(prack, 200, null, sdp);
            return;
        }

        // RFC 3262 5: a further offer, answered in the 200 to the PRACK.
        switch (Early.Apply(SessionInput.ReceiveOffer))
        {
            case SessionVerdict.Go:
                Early.AskAboutPrack(prack, sdp, answer => EndPrack(prack, answer.Sdp is null ? answer.StatusCode : 200, answer.Sdp, null));
                break;
            case SessionVerdict.RequestPending:
                EndPrack(prack, 491, null, null);
                break;
            default:
                EndPrack(prack, 500, null, null);
                break;
        }
    }

    /// <summary>Even a PRACK whose offer is refused has acknowledged its response: the caller has it.</summary>
    private void EndPrack(ServerTransaction prack, int statusCode, string? sdp, string? theirs)
    {
        SipWriter writer = ResponseDraft.Begin(prack.Request.Raw, prack.Source, statusCode, null, LocalTag);
        prack.Respond(statusCode, writer.Header("Server", shard.Options.UserAgentName).EndWithSdp(sdp));
        reliable?.Acknowledge(theirs);
        if (reliable?.IsOpen != true)
        {
            TakeDelayedAnswer();
        }
    }

    private Task<SipAnswerResult> AnswerAfterPrack(string sdp, IReadOnlyList<KeyValuePair<string, string>>? headers)
    {
        var later = new TaskCompletionSource<SipAnswerResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        delayedAnswer = () => _ = ForwardAsync(StartAnswer(sdp, headers), later);
        return later.Task;
    }

    private static async Task ForwardAsync(Task<SipAnswerResult> from, TaskCompletionSource<SipAnswerResult> to) =>
        to.TrySetResult(await from.ConfigureAwait(false));

    private void TakeDelayedAnswer()
    {
        Action? answer = delayedAnswer;
        delayedAnswer = null;
        answer?.Invoke();
    }

    private void FinishReliable()
    {
        reliable?.Stop();
        TakeDelayedAnswer();
    }
}
