using System.Globalization;
using System.Security.Cryptography;

namespace Sentiric.Sip;

/// <summary>Offers of ours after the first: re-INVITE (RFC 3261 14) and UPDATE (RFC 3311), glare, late answers.</summary>
public sealed partial class SipDialog
{
    /// <summary>RFC 3261 14.1 asks for one more attempt after glare; a peer that is always busy is no reason to go on for ever.</summary>
    private const int MaxGlareRetries = 3;

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
                answer = await shard.Calling.AskAsync(() => handler(offer)).ConfigureAwait(false);
            }
        }
        catch (Exception fault)
        {
            SipLog.ApplicationFaulted(shard.Options.Logger, callId, fault);
        }

        shard.Queue.Post(() => then(answer));
    }
}
