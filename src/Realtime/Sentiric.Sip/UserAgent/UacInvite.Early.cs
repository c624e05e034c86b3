namespace Sentiric.Sip;

/// <summary>The early dialogs of a call being placed, one per callee that rings (RFC 3261 12.1.2), and their reliable responses (RFC 3262 4).</summary>
internal sealed partial class UacInvite
{
    /// <summary>Callees whose ringing is kept apart; those beyond are only told as progress.</summary>
    private const int MaxForks = 16;

    private Dictionary<string, Fork>? forks;

    private void TakeProvisional(SipResponse response)
    {
        sawProvisional = true;
        if (response.StatusCode is 180 or 183)
        {
            Reached();
        }

        if (response.StatusCode > 100 && TakeEarly(response))
        {
            progress.Writer.TryWrite(new SipProgress(response.StatusCode, response.Reason, response.Sdp, response));
        }

        if (cancelWanted)
        {
            SendCancel();
        }
    }

    /// <summary>False for a copy of a reliable response, or one that came before its turn: the callee sends it again (RFC 3262 4).</summary>
    private bool TakeEarly(SipResponse response)
    {
        Fork? fork = answered ? null : ForkOf(response);
        if (fork is null || !response.Requires(SipCapabilities.Reliable) || response.Number("RSeq") is not { } number)
        {
            return true;
        }

        if (fork.LastReliable is { } last && number != last + 1)
        {
            return false;
        }

        fork.LastReliable = number;
        var acknowledged = new RAck(number, response.CSeq.Number, response.CSeq.Method);
        if (response.Sdp is { } sdp)
        {
            fork.ReliableSdp ??= sdp;
            if (fork.Dialog.Offers == OfferState.OfferAwaited)
            {
                AnswerInPrack(fork.Dialog, acknowledged, sdp);
                return true;
            }

            bool answers = fork.Dialog.Apply(SessionInput.ReceiveAnswer) == SessionVerdict.Go;
            if (answers && invite.PrackOffer is { } more)
            {
                OfferInPrack(fork, acknowledged, sdp, more);
                return true;
            }
        }

        Prack(fork.Dialog, acknowledged, null);
        return true;
    }

    /// <summary>RFC 3262 5: what the first answer was good for is known, and something better is wanted before the call is answered.</summary>
    private void OfferInPrack(Fork fork, RAck acknowledged, string answer, PrackOffer more) => _ = LateAnswer.AskAsync(shard, CallId, more.Make, answer, offer =>
    {
        // The callee may have offered by UPDATE meanwhile: then this one comes too late.
        if (offer is null || fork.Dialog.Apply(SessionInput.SendOffer) != SessionVerdict.Go)
        {
            Prack(fork.Dialog, acknowledged, null);
            return;
        }

        Prack(fork.Dialog, acknowledged, offer, result =>
        {
            string? theirs = result.StatusCode is >= 200 and < 300 ? result.Response?.Sdp : null;
            fork.Dialog.Apply(theirs is null ? SessionInput.OfferRefused : SessionInput.ReceiveAnswer);
            if (theirs is not null)
            {
                (fork.Offered, fork.ReliableSdp) = (offer, theirs);
            }

            more.Answered?.Invoke(theirs);
        });
    });

    private void AnswerInPrack(SipDialog dialog, RAck acknowledged, string offer)
    {
        dialog.Apply(SessionInput.ReceiveLateOffer);
        _ = LateAnswer.AskAsync(shard, CallId, invite.LateAnswer, offer, answer =>
        {
            dialog.Apply(answer is null ? SessionInput.RefuseOffer : SessionInput.SendAnswer);
            Prack(dialog, acknowledged, answer);
            if (answer is null)
            {
                Cancel(LateAnswer.NoAnswerReason);
            }
        });
    }

    private static void Prack(SipDialog dialog, RAck acknowledged, string? sdp, Action<OutgoingRequestResult>? done = null)
    {
        RequestDraft prack = dialog.State.Request(SipMethod.Prack) with { Sdp = sdp, Headers = [new("RAck", acknowledged.ToString())] };
        // A refused PRACK changes nothing here: the callee gives the call up when it misses one (RFC 3262 3).
        dialog.Send(prack, done ?? (_ => { }));
    }

    private Fork? ForkOf(SipResponse response)
    {
        if (response.To.Tag is not { } tag || exchange.Transaction is not { } transaction)
        {
            return null;
        }

        forks ??= [];
        if (forks.TryGetValue(tag, out Fork? known) || forks.Count >= MaxForks)
        {
            return known;
        }

        SipDialog dialog = NewDialog(transaction.Draft, response, exchange.Way);
        dialog.Enter(confirmed: false);
        return forks[tag] = new Fork(dialog);
    }

    private SipDialog NewDialog(RequestDraft sent, SipResponse response, SipTarget flow)
    {
        var session = new SessionState(invite.Offer is null ? OfferState.OfferAwaited : OfferState.OfferSent, InviteState.Sent);
        return new SipDialog(shard, DialogState.OfUac(sent, response, invite.Target, flow), invite.Credentials, session)
        {
            ReinviteHandler = invite.OfferHandler,
            Placed = this,
        };
    }

    private void DropForks(SipDialog? kept = null)
    {
        foreach (Fork fork in forks?.Values ?? Enumerable.Empty<Fork>())
        {
            if (fork.Dialog != kept && !fork.Dialog.IsConfirmed)
            {
                fork.Dialog.Drop();
            }
        }

        forks = null;
    }

    /// <summary>One callee that rings.</summary>
    private sealed class Fork(SipDialog dialog)
    {
        public SipDialog Dialog { get; } = dialog;

        /// <summary>RSeq of the last reliable response.</summary>
        public uint? LastReliable { get; set; }

        /// <summary>The first SDP that came reliably: the answer, or the callee's offer.</summary>
        public string? ReliableSdp { get; set; }

        /// <summary>Our newer offer, where the callee has answered one.</summary>
        public string? Offered { get; set; }
    }
}
