using System.Globalization;
using System.Security.Cryptography;

namespace Sentiric.Sip;

/// <summary>Offers after the first, in both directions: re-INVITE (RFC 3261 14) and UPDATE (RFC 3311).</summary>
public sealed partial class SipDialog
{
    /// <summary>RFC 3311 5.2: an UPDATE is answered at once; an application that takes longer lets it fail with 504.</summary>
    private static readonly TimeSpan UpdatePatience = TimeSpan.FromSeconds(10);

    /// <summary>RFC 3261 14.1 asks for one more attempt after glare; a peer that is always busy is no reason to go on for ever.</summary>
    private const int MaxGlareRetries = 3;

    /// <summary>RFC 3261 14.2: the wait that we name is a random number of 0 to 10 s; a longer one in theirs is not waited for.</summary>
    private const int MaxRetryAfterSeconds = 10;

    /// <summary>
    /// Answers the offers of the peer: hold, resume, new ports, by re-INVITE or by UPDATE. Called on the thread pool. Without a handler
    /// they are refused with 488 and the call goes on as it was.
    /// </summary>
    public Func<SipReinvite, Task<SipReinviteAnswer>>? ReinviteHandler { get; set; }

    /// <summary>
    /// Offers a new session description by re-INVITE; one at a time. It waits until what is under way is done, and glare is tried again after the
    /// time that RFC 3261 14.1 says; 491 comes back when the peer's own change won, for the offer must then be made anew.
    /// </summary>
    public Task<SipReinviteResult> ReinviteAsync(string offer) => OfferAsync(new OfferAttempt(SipMethod.Invite, offer, null));

    /// <summary>Asks for an offer: a re-INVITE without one. <paramref name="answer"/> makes the answer for the ACK; null ends the call (RFC 3261 13.2.2.4).</summary>
    public Task<SipReinviteResult> ReinviteAsync(Func<string, Task<string?>> answer) => OfferAsync(new OfferAttempt(SipMethod.Invite, null, answer));

    /// <summary>
    /// Offers by UPDATE, without the peer's user being asked; also before the call is answered, once the first offer is. Null refreshes
    /// target and session timer only. 405 or 501 come from a peer that does not know UPDATE.
    /// </summary>
    public Task<SipReinviteResult> UpdateAsync(string? offer = null) => OfferAsync(new OfferAttempt(SipMethod.Update, offer, null));

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

    // Their offers.

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
                ? await Task.Run(() => handler(new SipReinvite(asked.Transaction.Request, asked.Offer, asked.AckSdp.Task))).ConfigureAwait(false)
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
            .WithRecordRoutes(transaction.Request)
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

    // Our offers.

    private async Task<SipReinviteResult> OfferAsync(OfferAttempt attempt)
    {
        await shard.Queue.InvokeAsync(() =>
        {
            Start(attempt);
            return true;
        }).ConfigureAwait(false);
        return await attempt.Done.Task.ConfigureAwait(false);
    }

    private void Start(OfferAttempt attempt)
    {
        if (HasEnded || extras?.Attempt is not null)
        {
            attempt.Done.TrySetResult(new SipReinviteResult(HasEnded ? 481 : 491, null));
            return;
        }

        attempt.SeenPeerOffers = More.PeerOffers;
        Try(attempt);
    }

    private void Try(OfferAttempt attempt)
    {
        SessionStep step = attempt.Input is { } input ? OfferAnswerMachine.Step(session, input) : new SessionStep(session, SessionVerdict.Go);
        More.Attempt = attempt;
        if (step.Verdict != SessionVerdict.Go)
        {
            Wait(attempt);
            return;
        }

        session = step.Next;
        SessionTimer? timer = extras?.Timer;
        RequestDraft draft = state.Request(attempt.Method) with
        {
            Contact = state.Contact,
            Sdp = attempt.Offer,
            Allow = shard.Allow,
            Headers = [new("Supported", shard.Supported), .. timer?.Headers() ?? []],
        };
        Exchange(draft, result => Tried(attempt, result), (sent, response) => Agreed(attempt, sent, response));
    }

    /// <summary>
    /// Something else is not done yet, such as the ACK of our last 2xx: it leaves when that is, and not at all after 64*T1. An early dialog
    /// says no at once, for nobody knows how long the ringing lasts.
    /// </summary>
    private void Wait(OfferAttempt attempt)
    {
        if (!IsConfirmed)
        {
            Finish(attempt, new SipReinviteResult(491, null));
            return;
        }

        attempt.IsWaiting = true;
        More.Retry?.Cancel();
        More.Retry = shard.Timers.Start(shard.Options.Timers.Timeout, static (dialog, _) => ((SipDialog)dialog).WaitedInVain(), this);
    }

    private void TryWaiting()
    {
        if (extras is { Attempt: { IsWaiting: true } attempt } && OfferAnswerMachine.Step(session, attempt.Input ?? SessionInput.SendOffer).Verdict == SessionVerdict.Go)
        {
            attempt.IsWaiting = false;
            extras.Retry?.Cancel();
            TryAgain();
        }
    }

    private void WaitedInVain()
    {
        if (extras is { Attempt: { IsWaiting: true } attempt })
        {
            extras.Retry = null;
            Finish(attempt, new SipReinviteResult(491, null));
        }
    }

    /// <summary>Every 2xx, copies included.</summary>
    private void Agreed(OfferAttempt attempt, RequestDraft sent, SipResponse response)
    {
        bool isInvite = sent.Method == SipMethod.Invite;
        if (isInvite && More.ReinviteAck is { } known && known.Sequence == sent.CSeq)
        {
            shard.Send(known.Ack, known.Target, null);
            return;
        }

        if (attempt.Agreed)
        {
            // A copy of a 2xx whose answer the application still makes.
            return;
        }

        attempt.Agreed = true;
        Retarget(response);
        if (attempt.Offer is null && isInvite)
        {
            AnswerLate(attempt, sent, response);
            return;
        }

        Apply(SessionInput.ReceiveAnswer);
        if (isInvite)
        {
            Acknowledge(sent, null);
        }

        RenewFrom(response);
        Described(attempt.Offer);
    }

    /// <summary>The offer came with the 2xx, so the answer goes into the ACK (RFC 3261 13.2.2.4).</summary>
    private void AnswerLate(OfferAttempt attempt, RequestDraft sent, SipResponse response)
    {
        Apply(SessionInput.ReceiveLateOffer);
        _ = LateAnswer.AskAsync(shard, CallId, attempt.LateAnswer, response.Sdp, answer =>
        {
            Apply(answer is null ? SessionInput.RefuseOffer : SessionInput.SendAnswer);
            Acknowledge(sent, answer);
            RenewFrom(response);
            Described(answer);
            Finish(attempt, new SipReinviteResult(answer is null ? 488 : response.StatusCode, response.Sdp));
            if (answer is null)
            {
                _ = StartBye(SipDialogEndCause.LocalBye, LateAnswer.NoAnswerReason);
            }
        });
    }

    private void Tried(OfferAttempt attempt, OutgoingRequestResult result)
    {
        if (result.StatusCode is >= 200 and < 300)
        {
            if (attempt.Offer is not null || attempt.Method != SipMethod.Invite)
            {
                Finish(attempt, new SipReinviteResult(result.StatusCode, result.Response?.Sdp));
            }

            return;
        }

        if (attempt.Input is not null)
        {
            Apply(attempt.Method == SipMethod.Invite ? SessionInput.InviteFailed : SessionInput.OfferRefused);
        }

        if (RetryDelay(attempt, result) is { } delay && !HasEnded)
        {
            attempt.Tries++;
            More.Retry = shard.Timers.Start(delay, static (dialog, _) => ((SipDialog)dialog).TryAgain(), this);
            return;
        }

        Finish(attempt, new SipReinviteResult(result.StatusCode, result.Response?.Sdp));
    }

    /// <summary>
    /// RFC 3261 14.1 and RFC 3311 5.3: after 491 the owner of the Call-ID waits 2.1 to 4 s and the other 0 to 2 s, in steps of 10 ms; after
    /// 500 what Retry-After says (14.2), and after 422 nothing (RFC 4028 7.4). Null: it is final.
    /// </summary>
    private TimeSpan? RetryDelay(OfferAttempt attempt, OutgoingRequestResult result)
    {
        if (attempt.Tries >= MaxGlareRetries)
        {
            return null;
        }

        return result.StatusCode switch
        {
            491 => TimeSpan.FromMilliseconds(10 * (state.OwnsCallId ? RandomNumberGenerator.GetInt32(210, 401) : RandomNumberGenerator.GetInt32(0, 201))),
            500 when RetryAfter(result.Response) is { } seconds => TimeSpan.FromSeconds(seconds),
            422 when extras?.Timer?.Raise(result.Response) == true => TimeSpan.Zero,
            _ => null,
        };
    }

    private static uint? RetryAfter(SipResponse? response)
    {
        string value = response?.Header("Retry-After") ?? "";
        int end = value.AsSpan().IndexOfAnyExceptInRange('0', '9');
        return uint.TryParse(end < 0 ? value : value[..end], NumberStyles.None, CultureInfo.InvariantCulture, out uint seconds)
            && seconds <= MaxRetryAfterSeconds ? seconds : null;
    }

    private void TryAgain()
    {
        if (extras is not { Attempt: { } attempt })
        {
            return;
        }

        extras.Retry = null;
        if (extras.PeerOffers != attempt.SeenPeerOffers && attempt.Offer is not null)
        {
            // Their change came first: an offer made before it describes what is no longer so.
            Finish(attempt, new SipReinviteResult(491, null));
            return;
        }

        Try(attempt);
    }

    private void Finish(OfferAttempt attempt, SipReinviteResult result)
    {
        if (extras is not null && ReferenceEquals(extras.Attempt, attempt))
        {
            extras.Attempt = null;
        }

        attempt.Done.TrySetResult(result);
    }

    private void WithdrawAttempt()
    {
        if (extras?.Attempt is { } attempt && extras.Retry is not null)
        {
            // It waits for its next try, which never comes; one on its way gets its response.
            Finish(attempt, new SipReinviteResult(481, null));
        }
    }

    private void Acknowledge(RequestDraft sent, string? answer)
    {
        Apply(SessionInput.Acknowledge);
        RequestDraft ack = state.Request(SipMethod.Ack, sent.CSeq) with { Headers = sent.Credentials(), Sdp = answer };
        shard.Routes.Resolve(state.NextHop, null, state.Flow, target =>
        {
            if (target is { } way)
            {
                byte[] bytes = ack.Build(shard.ViaFor(way, SipShard.NewBranch()), shard.Options.UserAgentName);
                More.ReinviteAck = (bytes, way, sent.CSeq);
                shard.Send(bytes, way, null);
            }
        });
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

/// <summary>A re-INVITE or UPDATE of ours, over all its tries.</summary>
internal sealed class OfferAttempt(string method, string? offer, Func<string, Task<string?>>? lateAnswer)
{
    public string Method { get; } = method;

    public string? Offer { get; } = offer;

    /// <summary>Answers the offer that comes with the 2xx, when <see cref="Offer"/> is null.</summary>
    public Func<string, Task<string?>>? LateAnswer { get; } = lateAnswer;

    public TaskCompletionSource<SipReinviteResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int Tries { get; set; }

    public int SeenPeerOffers { get; set; }

    /// <summary>It has not left yet, because something else is under way.</summary>
    public bool IsWaiting { get; set; }

    /// <summary>A 2xx came.</summary>
    public bool Agreed { get; set; }

    /// <summary>Null for an UPDATE that offers nothing: it may leave at any time.</summary>
    public SessionInput? Input => (Method, Offer) switch
    {
        (SipMethod.Update, null) => null,
        (SipMethod.Update, _) => SessionInput.SendOffer,
        (_, null) => SessionInput.SendInvite,
        _ => SessionInput.SendInviteOffer,
    };
}

/// <summary>Asks the application for the answer to an offer that came in a response.</summary>
internal static class LateAnswer
{
    /// <summary>Said with the BYE of a call whose offer we could not answer.</summary>
    public const string NoAnswerReason = "SIP;cause=488;text=\"Not Acceptable Here\"";

    /// <summary>Continues on the shard's queue; null when there is no offer, nobody to answer it, or no answer.</summary>
    public static async Task AskAsync(SipShard shard, string callId, Func<string, Task<string?>>? handler, string? offer, Action<string?> then)
    {
        string? answer = null;
        try
        {
            if (handler is not null && offer is not null)
            {
                answer = await Task.Run(() => handler(offer)).ConfigureAwait(false);
            }
        }
        catch (Exception fault)
        {
            SipLog.ApplicationFaulted(shard.Options.Logger, callId, fault);
        }

        shard.Queue.Post(() => then(answer));
    }
}
