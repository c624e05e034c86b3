using System.Globalization;

namespace Sentiric.Sip;

/// <summary>How a bridged call ended. <paramref name="StatusCode"/> is 200 for one that was answered, else what the caller heard.</summary>
/// <param name="First">The leg that ended first, and how; null when the call was never answered.</param>
public sealed record SipBridgeEnd(int StatusCode, bool ByCaller, SipDialogEnd? First);

/// <summary>
/// Two calls joined by us (a back-to-back user agent, RFC 7092): a caller and whom we call for it. Descriptions are carried across as they are, so
/// the media flow between the two, or through whoever rewrites them before; progress, refusals, CANCEL, BYE, Reason, re-INVITE and UPDATE
/// are carried too. A caller without an offer gets the callee's, and its answer goes the other way. Call-ID, tags and CSeq of the two sides have nothing in common. Members may be called from any thread.
/// </summary>
public sealed class SipBridge
{
    private readonly IncomingInvite caller;
    private readonly OutgoingCall callee;
    private readonly TaskCompletionSource<SipBridgeEnd> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Each is written once, by the task that joins; offers may come from then on.</summary>
    private volatile SipDialog? callerLeg;
    private volatile SipDialog? calleeLeg;

    /// <summary>Our answer to a caller without an offer; null for every other. Written before the callee is acknowledged, and so before its call is complete.</summary>
    private volatile Task<SipAnswerResult>? late;
    private int lateOffers;

    private SipBridge(IncomingInvite caller, OutgoingCall callee)
    {
        this.caller = caller;
        this.callee = callee;
    }

    /// <summary>The side that called; null until it is answered.</summary>
    public SipDialog? CallerLeg => callerLeg;

    /// <summary>The side that we called; null until it has answered.</summary>
    public SipDialog? CalleeLeg => calleeLeg;

    /// <summary>Completes when both legs are over or hanging up; never faults.</summary>
    public Task<SipBridgeEnd> Ended => ended.Task;

    /// <summary>
    /// Calls somebody for a caller that rings here. The offer is the caller's, whatever <paramref name="invite"/> says. A caller without one is given what the callee offers with its 2xx, and the
    /// callee waits with its ACK for the caller's (RFC 3261 13.2.1); until then there are no media, for we do not say that we take reliable responses.
    /// Null: the call has been forwarded too often and was refused with 483 (8.1.1.6).
    /// </summary>
    /// <exception cref="ArgumentException"><paramref name="invite"/> names the caller's own Call-ID.</exception>
    public static async Task<SipBridge?> DialAsync(SipEndpoint endpoint, IncomingInvite caller, OutgoingInvite invite)
    {
        if (invite.CallId == caller.CallId)
        {
            throw new ArgumentException("The two sides of a bridge have Call-IDs of their own.", nameof(invite));
        }

        uint hops = caller.Request.Number("Max-Forwards") ?? OutgoingInvite.UsualForwards;
        if (hops == 0)
        {
            await caller.RejectAsync(483).ConfigureAwait(false);
            return null;
        }

        SipBridge? bridge = null;
        var made = new TaskCompletionSource<SipBridge>(TaskCreationOptions.RunContinuationsAsynchronously);
        OutgoingCall call = await endpoint.InviteAsync(invite with
        {
            Offer = caller.Offer,
            LateAnswer = async offer => await (await made.Task.ConfigureAwait(false)).CarryLateCallAsync(offer).ConfigureAwait(false),
            TakesReliable = invite.TakesReliable && caller.Offer is not null,
            MaxForwards = (int)Math.Min(hops, OutgoingInvite.UsualForwards) - 1,
            OfferHandler = offered => bridge is { } joined ? joined.CarryAsync(offered, joined.callerLeg, fromCallee: true) : Task.FromResult(SipReinviteAnswer.Refuse(491)),
        }).ConfigureAwait(false);
        bridge = new SipBridge(caller, call);
        made.SetResult(bridge);
        caller.OfferHandler = offered => bridge.CarryAsync(offered, bridge.calleeLeg, fromCallee: false);
        _ = bridge.RunAsync();
        return bridge;
    }

    private async Task RunAsync()
    {
        using CancellationTokenRegistration given = caller.Cancelled.Register(() => _ = callee.CancelAsync(Reason(caller.CancelReasons)));
        Task progress = CarryProgressAsync();
        OutgoingCallResult result = await callee.Completed.ConfigureAwait(false);
        if (result.Dialog is not { } answered)
        {
            int status = Refusal(result);
            await caller.RejectAsync(status, status == result.StatusCode ? result.Reason : null, Reasons(result.Response)).ConfigureAwait(false);
            await progress.ConfigureAwait(false);
            ended.TrySetResult(new SipBridgeEnd(status, caller.Cancelled.IsCancellationRequested, null));
            return;
        }

        calleeLeg = answered;
        SipAnswerResult taken = await (late ?? caller.AnswerAsync(result.Sdp ?? "")).ConfigureAwait(false);
        if (taken.Dialog is not { } joined)
        {
            // The caller gave up while the answer was on its way, or never acknowledged it.
            await answered.ByeAsync(Reason(caller.CancelReasons)).ConfigureAwait(false);
            ended.TrySetResult(new SipBridgeEnd(487, true, null));
            return;
        }

        callerLeg = joined;
        await HangUpTogetherAsync(joined, answered).ConfigureAwait(false);
    }

    /// <summary>
    /// The callee's offer, for a caller that sent none: it goes out with our 2xx, and what the caller's ACK brings is the answer. Null for every further callee that answers, and
    /// when the caller has gone: that callee hears BYE.
    /// </summary>
    private async Task<string?> CarryLateCallAsync(string offer)
    {
        if (Interlocked.Exchange(ref lateOffers, 1) == 1)
        {
            return null;
        }

        late = caller.AnswerAsync(offer);
        SipAnswerResult taken = await late.ConfigureAwait(false);
        if (taken is { Dialog: { } joined, AckSdp: null })
        {
            // It took our offer and did not say how: there is nothing to join. The callee does not wait for its answer to our BYE.
            _ = joined.ByeAsync();
        }

        return taken.AckSdp;
    }

    private async Task CarryProgressAsync()
    {
        await foreach (SipProgress step in callee.Progress.ReadAllAsync().ConfigureAwait(false))
        {
            // Without an offer there is nothing that early media could answer.
            await caller.ProgressAsync(step.StatusCode, caller.Offer is null ? null : step.Sdp).ConfigureAwait(false);
        }
    }

    private async Task HangUpTogetherAsync(SipDialog fromCaller, SipDialog toCallee)
    {
        Task<SipDialogEnd> first = await Task.WhenAny(fromCaller.Ended, toCallee.Ended).ConfigureAwait(false);
        bool byCaller = first == fromCaller.Ended;
        SipDialogEnd end = await first.ConfigureAwait(false);
        ended.TrySetResult(new SipBridgeEnd(200, byCaller, end));
        await (byCaller ? toCallee : fromCaller).ByeAsync(Reason(end.Reasons)).ConfigureAwait(false);
    }

    /// <summary>An offer of one side becomes an offer to the other, and its answer the answer.</summary>
    private async Task<SipReinviteAnswer> CarryAsync(SipReinvite offered, SipDialog? other, bool fromCallee)
    {
        if (offered.Offer is not { } offer)
        {
            return other is null ? SipReinviteAnswer.Refuse(491) : await CarryLateAsync(offered, other).ConfigureAwait(false);
        }

        SipReinviteResult result = (other, fromCallee) switch
        {
            (null, true) => await caller.UpdateAsync(offer).ConfigureAwait(false),
            // The callee has not answered yet: nothing can be offered to it.
            (null, false) => new SipReinviteResult(491, null),
            _ when offered.IsUrgent => await UpdateAsync(other, offer).ConfigureAwait(false),
            _ => await other.ReinviteAsync(offer).ConfigureAwait(false),
        };
        return Answer(result);
    }

    /// <summary>UPDATE as it came; a side that does not know it is asked by re-INVITE.</summary>
    private static async Task<SipReinviteResult> UpdateAsync(SipDialog other, string offer)
    {
        SipReinviteResult result = await other.UpdateAsync(offer).ConfigureAwait(false);
        return result.StatusCode is 405 or 501 ? await other.ReinviteAsync(offer).ConfigureAwait(false) : result;
    }

    /// <summary>A re-INVITE without an offer: the other side is asked for one in the same way, and its answer is what the ACK brings.</summary>
    private static async Task<SipReinviteAnswer> CarryLateAsync(SipReinvite asked, SipDialog other)
    {
        var offer = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<SipReinviteResult> carried = other.ReinviteAsync(theirs =>
        {
            offer.TrySetResult(theirs);
            return asked.AckSdp;
        });
        await Task.WhenAny(offer.Task, carried).ConfigureAwait(false);
        return offer.Task.IsCompletedSuccessfully
            ? SipReinviteAnswer.Accept(await offer.Task.ConfigureAwait(false))
            : Answer(await carried.ConfigureAwait(false));
    }

    private static SipReinviteAnswer Answer(SipReinviteResult result) => result is { IsAccepted: true, Sdp: { } sdp }
        ? SipReinviteAnswer.Accept(sdp)
        // A challenge or a redirection is between us and that side.
        : SipReinviteAnswer.Refuse(result.StatusCode is 401 or 407 or < 400 ? 488 : result.StatusCode);

    /// <summary>What the caller hears: the callee's words, but for those that are meant for us.</summary>
    private static int Refusal(OutgoingCallResult result) => result.StatusCode switch
    {
        401 or 407 => 403,
        < 400 => 480,
        503 when result.Response is not null => 500, // 16.7: a 503 would say that we are overloaded
        _ => result.StatusCode,
    };

    private static IReadOnlyList<KeyValuePair<string, string>> Reasons(SipResponse? response) =>
        response is not null && Reason(SipReason.Of(response)) is { } reason ? [new("Reason", reason)] : [];

    private static string? Reason(IReadOnlyList<SipReason> reasons) =>
        reasons.Count == 0 ? null : string.Join(", ", reasons.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one}")));
}
