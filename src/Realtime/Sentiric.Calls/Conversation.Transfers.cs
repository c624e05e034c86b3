using Microsoft.Extensions.Logging;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Sip;

namespace Sentiric.Calls;

/// <summary>
/// Connecting the other party with a number: by the carrier where its trunk says that it can (REFER, RFC 3515), else by a second call of ours whose media are joined with the
/// first here. Until the number has answered the agent stays, and there is music where it is silent; when it does not, everything is as before.
/// </summary>
public sealed partial class Conversation
{
    private const string SecondLeg = "transfer";
    private static readonly TimeSpan RingTime = TimeSpan.FromSeconds(45);

    /// <summary>Null when the call goes on with us.</summary>
    /// <param name="deadline">Completes when the call has lasted too long.</param>
    private async Task<CallEnd?> TransferAsync(Talk talk, string to, Task deadline)
    {
        if (await lines.TrunksAsync(clock, CancellationToken.None) is not { } trunks)
        {
            return Failed(talk, to, CallEndReason.Failed, 0);
        }

        await MusicAsync(talk.Call, talk.SessionId, on: true);
        // A carrier can reach numbers; our phones only we can.
        var end = talk.Trunk is { TakesRefer: true, Target: not null } carrier && !OutgoingLines.MayBePhone(to)
            ? await ReferAsync(talk, to, trunks, carrier, deadline)
            : await BridgeAsync(talk, to, deadline);
        if (end is null)
        {
            await MusicAsync(talk.Call, talk.SessionId, on: false);
        }

        return end;
    }

    private CallEnd? Failed(Talk talk, string to, CallEndReason reason, int sipCode)
    {
        LogNotTransferred(talk.Call.Id, reason, sipCode);
        talk.Log.Note(new TransferFailed(clock.GetUtcNow(), to, reason, sipCode));
        return null;
    }

    private CallEnd? Forbidden(Talk talk, string to, TollRule rule)
    {
        talk.Log.Note(new CallTollRefused(clock.GetUtcNow(), rule));
        return Failed(talk, to, CallEndReason.Policy, 0);
    }

    // By the carrier. The call of the number is its own then: it is not among ours, and its minutes are not counted here.

    private async Task<CallEnd?> ReferAsync(Talk talk, string to, TrunkKeeper trunks, SipTrunk carrier, Task deadline)
    {
        if (OutgoingLines.RuleOf(trunks.Check(to)) is { } rule)
        {
            return Forbidden(talk, to, rule);
        }

        var dialog = talk.Dialog!;
        var referral = await dialog.ReferAsync(TrunkKeeper.TargetAt(carrier, to));
        var status = await referral.Answered;
        if (status is < 200 or >= 300)
        {
            return Failed(talk, to, CallEnd.OfResponse(status).Reason, status);
        }

        var first = await Task.WhenAny(referral.Completed, talk.Call.EndAsked, deadline);
        if (first != referral.Completed)
        {
            Failed(talk, to, CallEndReason.Cancelled, status);
            return talk.Call.EndAsked.IsCompleted ? await talk.Call.EndAsked : new(CallEndReason.Policy, HungUpBy.System);
        }

        // A carrier that reports nothing, and one that takes its call away at once, have done what they said they would.
        var last = await referral.Completed;
        if (last is { StatusCode: >= 300 })
        {
            return Failed(talk, to, CallEnd.OfResponse(last.StatusCode).Reason, last.StatusCode);
        }

        talk.Log.Note(new TransferCompleted(clock.GetUtcNow(), to, TransferWay.Refer, carrier.Name, last?.StatusCode ?? status));
        return new(CallEndReason.Transferred, HungUpBy.System);
    }

    // By us.

    private async Task<CallEnd?> BridgeAsync(Talk talk, string to, Task deadline)
    {
        var second = new SecondCall(to);
        try
        {
            using var givenUp = new CancellationTokenSource();
            _ = GiveUpWithAsync(talk, deadline, givenUp);
            var line = new OutgoingLine
            {
                To = to,
                From = talk.OurNumber,
                ShownInside = talk.OtherNumber,
                RingTime = RingTime,
                Offer = trunk => OfferAsync(talk, second, trunk),
                OfferHandler = offered => AnswerAsync(talk, second, offered),
                Placed = (_, placed) => Follow(talk, second, placed),
            };
            var called = await lines.CallAsync(talk.Log.Tenant, line, clock, givenUp.Token);
            await givenUp.CancelAsync();
            return called is not { } result ? Failed(talk, to, CallEndReason.Failed, 0)
                : result.Result.Dialog is null ? await NotReachedAsync(talk, to, result, deadline) : await JoinAsync(talk, second, result, deadline);
        }
        finally
        {
            talk.JoinedSessionId = null;
            second.CallIds.ForEach(ladder.Forget);
            if (second.SessionId is { } session)
            {
                await CloseAsync(talk.Call, session);
            }
        }
    }

    private static async Task GiveUpWithAsync(Talk talk, Task deadline, CancellationTokenSource givenUp)
    {
        var placed = Task.Delay(Timeout.Infinite, givenUp.Token);
        if (await Task.WhenAny(talk.Dialog!.Ended, talk.Call.EndAsked, deadline, placed) != placed)
        {
            await givenUp.CancelAsync();
        }
    }

    private async Task<CallEnd?> NotReachedAsync(Talk talk, string to, TrunkCallResult result, Task deadline)
    {
        if (OutgoingLines.RuleOf(result.Toll) is { } rule)
        {
            return Forbidden(talk, to, rule);
        }

        var over = talk.Dialog!.Ended.IsCompleted || talk.Call.EndAsked.IsCompleted || deadline.IsCompleted;
        return Failed(talk, to, over ? CallEndReason.Cancelled : CallEnd.OfResponse(result.Result.StatusCode).Reason, result.Result.StatusCode);
    }

    private async ValueTask<string?> OfferAsync(Talk talk, SecondCall second, SipTrunk? trunk)
    {
        if (second.SessionId is { } earlier)
        {
            second.SessionId = null;
            await CloseAsync(talk.Call, earlier);
        }

        var offered = await media.OfferAsync(new(talk.Call.Id, talk.Log.Tenant, OutgoingLines.ProfileOf(trunk), SecondLeg), CancellationToken.None);
        second.SessionId = offered.Ok ? offered.Value.SessionId : null;
        return offered.Ok ? offered.Value.SdpOffer : null;
    }

    private async Task<SipReinviteAnswer> AnswerAsync(Talk talk, SecondCall second, SipReinvite reinvite)
    {
        if (second.SessionId is not { } session)
        {
            return SipReinviteAnswer.Refuse(488);
        }

        if (reinvite.Offer is not { } offer)
        {
            return await OfferAgainAsync(session, reinvite);
        }

        var answer = await media.RenegotiateAsync(session, offer, CancellationToken.None);
        if (answer.Refusal is not null)
        {
            return SipReinviteAnswer.Refuse(488);
        }

        await HoldAsync(talk, second, answer.Value.OnHold);
        return SipReinviteAnswer.Accept(answer.Value.SdpAnswer);
    }

    private async Task HoldAsync(Talk talk, SecondCall second, bool onHold)
    {
        if (onHold == second.OnHold || talk.JoinedSessionId is null)
        {
            return;
        }

        second.OnHold = onHold;
        talk.Log.Note(onHold ? new CallHeld(clock.GetUtcNow(), talk.We) : new CallResumed(clock.GetUtcNow(), talk.We));
        await MusicAsync(talk.Call, talk.SessionId, onHold);
    }

    private void Follow(Talk talk, SecondCall second, OutgoingCall placed)
    {
        second.CallIds.Add(placed.CallId);
        ladder.Follow(placed.CallId, talk.Log);
    }

    private async Task<CallEnd?> JoinAsync(Talk talk, SecondCall second, TrunkCallResult result, Task deadline)
    {
        var (dialog, answered) = (result.Result.Dialog!, result.Result);
        var joined = await OpenAsync(talk, second, answered.Sdp);
        if (joined.Refusal is { } refusal)
        {
            LogNotJoined(talk.Call.Id, refusal.Code, refusal.Why);
            await HangUpAsync(dialog, new(CallEndReason.NoCommonCodec, HungUpBy.System));
            return Failed(talk, second.Number, CallEndReason.NoCommonCodec, answered.StatusCode);
        }

        talk.JoinedSessionId = second.SessionId;
        await MusicAsync(talk.Call, talk.SessionId, on: false);
        talk.Log.Note(new TransferCompleted(clock.GetUtcNow(), second.Number, TransferWay.Bridge, result.Trunk?.Name, answered.StatusCode));
        var end = await UntilOneEndsAsync(talk, dialog, result.MaxTalk, deadline);
        await HangUpAsync(dialog, end);
        return end;
    }

    private async ValueTask<Result<Done>> OpenAsync(Talk talk, SecondCall second, string? sdp)
    {
        if (sdp is null)
        {
            return new Refusal("media.bad_offer", "The answer carries no session description.");
        }

        var opened = await media.AcceptAsync(second.SessionId!, sdp, CancellationToken.None);
        return opened.Refusal is { } refusal ? refusal : await media.JoinAsync(talk.SessionId!, second.SessionId!, CancellationToken.None);
    }

    private async Task<CallEnd> UntilOneEndsAsync(Talk talk, SipDialog second, TimeSpan maxTalk, Task deadline)
    {
        using var over = new CancellationTokenSource();
        var used = Task.Delay(maxTalk < options.MaxCallTime ? maxTalk : options.MaxCallTime, clock, over.Token);
        var first = await Task.WhenAny(talk.Dialog!.Ended, second.Ended, talk.Call.EndAsked, deadline, used);
        await over.CancelAsync();
        return first == talk.Dialog.Ended ? EndOf(await talk.Dialog.Ended, talk.Other)
            : first == second.Ended ? EndOf(await second.Ended, talk.We)
            : first == talk.Call.EndAsked ? await talk.Call.EndAsked
            : new(CallEndReason.Policy, HungUpBy.System);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Call {CallId} was not transferred: {Reason}, SIP {SipCode}; it goes on as it was")]
    private partial void LogNotTransferred(Guid callId, CallEndReason reason, int sipCode);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Call {CallId}: the number that it was transferred to could not be joined with it: {Code} {Why}")]
    private partial void LogNotJoined(Guid callId, string code, string why);

    // Owned by the call's own task, which waits while the number is being called.
    private sealed class SecondCall(string number)
    {
        public string Number { get; } = number;

        public List<string> CallIds { get; } = [];

        public string? SessionId { get; set; }

        public bool OnHold { get; set; }
    }
}
