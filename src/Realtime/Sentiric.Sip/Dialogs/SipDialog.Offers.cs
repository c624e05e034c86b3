using System.Globalization;
using System.Security.Cryptography;

namespace Sentiric.Sip;

/// <summary>Offers of the peer after the first: re-INVITE (RFC 3261 14) and UPDATE (RFC 3311), and where the machine stands.</summary>
public sealed partial class SipDialog
{
    /// <summary>RFC 3311 5.2: an UPDATE is answered at once; an application that takes longer lets it fail with 504.</summary>
    private static readonly TimeSpan UpdatePatience = TimeSpan.FromSeconds(10);

    /// <summary>RFC 3261 14.2: the wait that we name is a random number of 0 to 10 s; a longer one in theirs is not waited for.</summary>
    private const int MaxRetryAfterSeconds = 10;

    /// <summary>
    /// Answers the offers of the peer: hold, resume, new ports, by re-INVITE or by UPDATE. Called like every call of the application. Without a handler
    /// they are refused with 488 and the call goes on as it was.
    /// </summary>
    public Func<SipReinvite, Task<SipReinviteAnswer>>? ReinviteHandler { get; set; }

    /// <summary>The ACK of our first 2xx.</summary>
    internal void Acknowledged(SipRequest ack)
    {
        unacknowledged = null;
        endedUnacknowledged = null;
        TakeAckState(ack);
    }

    /// <summary>Where the machine stands; the first exchange is run by those who open the dialog.</summary>
    internal SessionVerdict Apply(SessionInput input)
    {
        SessionStep step = OfferAnswerMachine.Step(session, input);
        session = step.Next;
        if (extras?.Attempt is { IsWaiting: true })
        {
            // Behind what is being done right now.
            shard.Queue.Post(TryWaiting);
        }

        return step.Verdict;
    }

    internal OfferState Offers => session.Offer;

    /// <summary>Asks the application about an offer that came in a PRACK (RFC 3262 5), and hands on what it says.</summary>
    internal void AskAboutPrack(ServerTransaction transaction, string offer, Action<SipReinviteAnswer> then) =>
        Ask(transaction, offer, UpdatePatience, (_, answer) =>
        {
            Apply(answer.Sdp is null ? SessionInput.RefuseOffer : SessionInput.SendAnswer);
            then(answer);
        });

    private void TakeReinvite(ServerTransaction transaction)
    {
        string? offer = transaction.Request.Sdp;
        SessionStep step = OfferAnswerMachine.Step(session, offer is null ? SessionInput.ReceiveInvite : SessionInput.ReceiveInviteOffer);
        if (IsRefused(transaction, step.Verdict))
        {
            return;
        }

        if (ReinviteHandler is null)
        {
            Respond(transaction, 488);
            return;
        }

        session = step.Next;
        transaction.Call = this;
        transaction.Respond(100, ResponseDraft.Begin(transaction.Request.Raw, transaction.Source, 100, null, null).End());
        Ask(transaction, offer, shard.Options.MaxRingTime, AnswerReinvite);
    }

    private void TakeUpdate(ServerTransaction transaction)
    {
        if (transaction.Request.Sdp is not { } offer)
        {
            if (SessionTerms.Refusal(transaction.Request, shard.Options.Sessions) is { } tooShort)
            {
                Respond(transaction, tooShort);
                return;
            }

            AcceptUpdate(transaction, null);
            return;
        }

        SessionStep step = OfferAnswerMachine.Step(session, SessionInput.ReceiveOffer);
        if (IsRefused(transaction, step.Verdict))
        {
            return;
        }

        if (ReinviteHandler is null)
        {
            Respond(transaction, 488);
            return;
        }

        session = step.Next;
        Ask(transaction, offer, UpdatePatience, AnswerUpdate);
    }

    /// <summary>491, 500 with Retry-After, or 422 (RFC 4028 9).</summary>
    private bool IsRefused(ServerTransaction transaction, SessionVerdict verdict)
    {
        SipAnswer? refusal = verdict switch
        {
            SessionVerdict.Go or SessionVerdict.NotNow or SessionVerdict.Ignore => SessionTerms.Refusal(transaction.Request, shard.Options.Sessions),
            SessionVerdict.RequestPending => new SipAnswer(491),
            SessionVerdict.Overlapping => RetryLater(),
        };
        if (refusal is not null)
        {
            Respond(transaction, refusal);
        }

        return refusal is not null;
    }

    /// <summary>RFC 3261 14.2: a random number of seconds, so that two who wait do not meet again.</summary>
    internal static SipAnswer RetryLater() => new(500, null,
        [new("Retry-After", RandomNumberGenerator.GetInt32(0, MaxRetryAfterSeconds + 1).ToString(CultureInfo.InvariantCulture))]);

    private void Ask(ServerTransaction transaction, string? offer, TimeSpan patience, Action<AskedOffer, SipReinviteAnswer> answer)
    {
        var asked = new AskedOffer(transaction, offer, answer);
        More.Asked = asked;
        asked.Limit = shard.Timers.Start(patience, (which, _) => Answer((AskedOffer)which, SipReinviteAnswer.Refuse(504)), asked);
        _ = AskAsync(asked);
    }

    private async Task AskAsync(AskedOffer asked)
    {
        SipReinviteAnswer answer;
        try
        {
            answer = ReinviteHandler is { } handler
                ? await shard.Calling.AskAsync(() => handler(new SipReinvite(asked.Transaction.Request, asked.Offer, asked.AckSdp.Task))).ConfigureAwait(false)
                : SipReinviteAnswer.Refuse(488);
        }
        catch (Exception fault)
        {
            SipLog.ApplicationFaulted(shard.Options.Logger, CallId, fault);
            answer = SipReinviteAnswer.Refuse(500);
        }

        shard.Queue.Post(() => Answer(asked, answer));
    }

    private void Answer(AskedOffer asked, SipReinviteAnswer answer)
    {
        if (!ReferenceEquals(extras?.Asked, asked))
        {
            // Withdrawn: cancelled, too late, or the call is over.
            asked.AckSdp.TrySetResult(null);
            return;
        }

        extras.Asked = null;
        asked.Limit?.Cancel();
        extras.PeerOffers += answer.Sdp is null ? 0 : 1;
        asked.Answer(asked, answer);
    }

    private void AnswerReinvite(AskedOffer asked, SipReinviteAnswer answer)
    {
        if (answer.Sdp is null)
        {
            asked.AckSdp.TrySetResult(null);
            Apply(SessionInput.InviteFailed);
            UasCore.Respond(shard, asked.Transaction, answer.StatusCode, answer.Reason, LocalTag);
            return;
        }

        Apply(asked.Offer is null ? SessionInput.SendLateOffer : SessionInput.SendAnswer);
        Apply(SessionInput.Accept);
        byte[] response = Accepting(asked.Transaction, answer.Sdp).EndWithSdp(answer.Sdp);
        unacknowledged = new AcceptedInvite(shard, asked.Transaction, response,
            ack =>
            {
                unacknowledged = null;
                TakeAckState(ack);
                asked.AckSdp.TrySetResult(ack.Sdp);
            },
            () =>
            {
                asked.AckSdp.TrySetResult(null);
                AckTimedOut();
            });
        unacknowledged.Begin();
    }

    private void AnswerUpdate(AskedOffer asked, SipReinviteAnswer answer)
    {
        if (answer.Sdp is null)
        {
            Apply(SessionInput.RefuseOffer);
            UasCore.Respond(shard, asked.Transaction, answer.StatusCode, answer.Reason, LocalTag);
            return;
        }

        Apply(SessionInput.SendAnswer);
        AcceptUpdate(asked.Transaction, answer.Sdp);
    }

    private void AcceptUpdate(ServerTransaction transaction, string? sdp) =>
        transaction.Respond(200, Accepting(transaction, sdp).EndWithSdp(sdp));

    /// <summary>A 200 to a target refresh request: the new target takes effect with it (RFC 3261 12.2.2), and the session timer begins anew.</summary>
    private SipWriter Accepting(ServerTransaction transaction, string? sdp)
    {
        Retarget(transaction.Request);
        SipWriter writer = ResponseDraft.Begin(transaction.Request.Raw, transaction.Source, 200, null, LocalTag)
            .WithRecordRoutes(transaction, shard.Options.Trunks)
            .WireHeader(SipHeaderId.Contact, state.Contact).Header("Allow", shard.Allow).Header(SipHeaderId.Supported, shard.Supported)
            .Header("Server", shard.Options.UserAgentName);
        if (IsConfirmed)
        {
            Renew(SessionTerms.OfUas(transaction.Request, shard.Options.Sessions), transaction.Request)?.WriteTo(writer);
        }

        Described(sdp);
        return writer;
    }

    private void Retarget(SipMessage message) =>
        state.RemoteTarget = message.Contacts.Count > 0 ? message.Contacts[0].Uri : state.RemoteTarget;

    /// <summary>Kept only where a refresh may have to say it again.</summary>
    private void Described(string? sdp)
    {
        if (sdp is not null && extras?.Timer is not null)
        {
            extras.LocalSdp = sdp;
        }
    }

    private void TakeAckState(SipRequest ack)
    {
        if (session.Offer == OfferState.OfferSent && ack.Body.Length > 0)
        {
            Apply(SessionInput.ReceiveAnswer);
        }

        Apply(SessionInput.Acknowledge);
    }

    string IInviteOwner.LocalTag => LocalTag;

    /// <summary>RFC 3261 9.2: a re-INVITE of theirs is taken back; the call goes on as it was.</summary>
    void IInviteOwner.Cancel(SipRequest cancel)
    {
        if (extras?.Asked is { } asked && asked.Transaction.IsInvite)
        {
            WithdrawAsked();
        }
    }

    /// <summary>9.2 and 15.1.2: whatever still waits for its final response gets 487.</summary>
    private void WithdrawAsked()
    {
        if (extras?.Asked is not { } asked)
        {
            return;
        }

        extras.Asked = null;
        asked.Limit?.Cancel();
        asked.AckSdp.TrySetResult(null);
        Apply(asked.Transaction.IsInvite ? SessionInput.InviteFailed : SessionInput.RefuseOffer);
        Respond(asked.Transaction, 487);
    }

    private void Respond(ServerTransaction transaction, SipAnswer answer) =>
        UasCore.Respond(shard, transaction, answer.StatusCode, answer.Reason, LocalTag, answer.Headers?.ToArray() ?? []);
}

/// <summary>An offer of theirs while the application thinks about it.</summary>
internal sealed class AskedOffer(ServerTransaction transaction, string? offer, Action<AskedOffer, SipReinviteAnswer> answer)
{
    public ServerTransaction Transaction { get; } = transaction;

    /// <summary>Null: the re-INVITE asks for ours.</summary>
    public string? Offer { get; } = offer;

    public Action<AskedOffer, SipReinviteAnswer> Answer { get; } = answer;

    public TaskCompletionSource<string?> AckSdp { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public SipTimer? Limit { get; set; }
}
