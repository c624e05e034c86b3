using Microsoft.Extensions.Logging;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Contracts.Text;
using Sentiric.Sip;

namespace Sentiric.Calls;

/// <summary>Settings of the call story.</summary>
/// <param name="MaxCallTime">An answered call ends after this, whatever happens.</param>
/// <param name="TakeOverTime">An answered call that no agent takes over within this hears the fail-safe and ends.</param>
/// <param name="SetUpTime">Identify, resolve and open media must be done within this.</param>
public sealed record CallOptions(TimeSpan MaxCallTime, TimeSpan TakeOverTime, TimeSpan SetUpTime)
{
    public static CallOptions Default { get; } = new(TimeSpan.FromHours(4), TimeSpan.FromSeconds(6), TimeSpan.FromSeconds(5));
}

/// <summary>The story of an incoming call on one screen: identify, resolve, open media, answer, announce, wait for the end.</summary>
public sealed partial class IncomingCall(
    IUsers users, IDialplans dialplans, IMediaSessions media, FailSafeVoice failSafe, LiveCalls calls, SipLadder ladder, FactWriter facts,
    CallOptions options, TimeProvider clock, ILogger<IncomingCall> logger)
{
    private const string Actor = "sip";
    private static readonly TimeSpan ByePatience = TimeSpan.FromSeconds(2);

    public async Task RunAsync(IncomingInvite invite, CancellationToken stopping)
    {
        var callId = Guid.CreateVersion7(clock.GetUtcNow());
        var call = new LiveCall(callId, new CallLog(facts, callId, Actor));
        var story = new Story(call, invite, clock.GetUtcNow());
        Receive(story);
        using var stop = stopping.Register(() => call.End(CallEndReason.Shutdown, HungUpBy.System));
        try
        {
            var end = calls.TryAdd(call) && !facts.IsFull ? await AnswerAsync(story) : new(CallEndReason.Capacity, HungUpBy.System);
            await FinishAsync(story, end);
        }
        catch (Exception e)
        {
            LogFailed(e, callId);
            await FinishAsync(story, new(CallEndReason.Failed, HungUpBy.System));
        }
        finally
        {
            calls.Remove(call);
            ladder.Forget(invite.CallId);
        }
    }

    private void Receive(Story story)
    {
        var invite = story.Invite;
        // What a carrier within the trust domain asserts counts more than what its customer wrote (RFC 3325).
        story.From = PhoneNumber.Normalize(invite.Caller.Caller.Uri.ToString());
        story.To = PhoneNumber.Normalize(invite.Request.Uri.ToString());
        story.Log.Note(new CallReceived(
            story.ReceivedAt, invite.CallId, story.From, invite.From.Display ?? "", story.To, CallDirection.Inbound,
            invite.Transport.ToString().ToLowerInvariant(), invite.Source.ToString()));
        ladder.Follow(invite.CallId, story.Log);
    }

    private async Task<CallEnd> AnswerAsync(Story story)
    {
        using var limit = new CancellationTokenSource(options.SetUpTime, clock);
        using var setUp = CancellationTokenSource.CreateLinkedTokenSource(story.Invite.Cancelled, limit.Token);
        try
        {
            return await IdentifyAsync(story, setUp.Token)
                ?? await ResolveAsync(story, setUp.Token)
                ?? await OpenMediaAsync(story, setUp.Token)
                ?? await PickUpAsync(story)
                ?? await TalkAsync(story);
        }
        catch (OperationCanceledException) when (story.Invite.Cancelled.IsCancellationRequested)
        {
            return await GivenUpAsync(story);
        }
        catch (OperationCanceledException)
        {
            LogSlow(story.Call.Id, options.SetUpTime.TotalSeconds);
            return new(CallEndReason.Failed, HungUpBy.System, "Server Internal Error");
        }
    }

    private async Task<CallEnd?> IdentifyAsync(Story story, CancellationToken ct)
    {
        var found = await dialplans.FindRouteAsync(new(story.From, story.To, story.ReceivedAt), ct);
        if (found.Refusal is not null)
        {
            return new(CallEndReason.UnknownNumber, HungUpBy.System);
        }

        var route = found.Value;
        story.Log.BelongsTo(route.Tenant);
        if (!route.IdentifyCaller)
        {
            return null;
        }

        var identified = await users.IdentifyAsync(new(route.Tenant, story.From, route.GuestPolicy, route.Language, story.Call.Id), ct);
        if (identified.Refusal is not null)
        {
            return new(CallEndReason.Policy, HungUpBy.System);
        }

        story.Caller = identified.Value;
        NoteCaller(story, identified.Value);
        return null;
    }

    private void NoteCaller(Story story, CallerIdentity caller)
    {
        if (caller is { UserId: { } id, Name: { } name, Type: { } type })
        {
            story.Log.Note(caller.Created
                ? new UserCreatedForCall(clock.GetUtcNow(), id, name, type, caller.Language, caller.Contact)
                : new UserIdentifiedForCall(clock.GetUtcNow(), id, name, type, caller.Language, caller.Contact));
        }
    }

    private async Task<CallEnd?> ResolveAsync(Story story, CancellationToken ct)
    {
        story.Plan = await dialplans.ResolveAsync(new(story.From, story.To, story.ReceivedAt, story.Caller), ct);
        story.Log.BelongsTo(story.Plan.Tenant);
        story.Log.Note(new CallRouteResolved(clock.GetUtcNow(), story.Plan));
        return story.Plan.Action switch
        {
            DialplanAction.Reject => new(RejectReason(story.Plan), HungUpBy.System),
            DialplanAction.StartAiConversation or DialplanAction.ProcessGuestCall or DialplanAction.PlayAnnouncement or DialplanAction.EchoTest
                or DialplanAction.BridgeCall or DialplanAction.EnqueueCall => null,
        };
    }

    private static CallEndReason RejectReason(DialplanResolution plan) => plan.Data.SipStatus switch
    {
        486 or 600 => CallEndReason.Busy,
        480 => CallEndReason.NoAnswer,
        404 or 604 => CallEndReason.UnknownNumber,
        _ => plan.Why == "normal" ? CallEndReason.Rejected : CallEndReason.Policy,
    };

    private async Task<CallEnd?> OpenMediaAsync(Story story, CancellationToken ct)
    {
        if (story.Invite.Offer is { } offer)
        {
            var opened = await media.OpenAsync(new(story.Call.Id, story.Log.Tenant, offer, story.Profile), ct);
            return opened.Refusal is { } no ? Refused(story, no) : Started(story, opened.Value);
        }

        // An INVITE without an offer wants ours; the answer comes with the ACK (RFC 3261 13.2.1).
        var offered = await media.OfferAsync(new(story.Call.Id, story.Log.Tenant, story.Profile), ct);
        if (offered.Refusal is { } refusal)
        {
            return Refused(story, refusal);
        }

        story.Offered = offered.Value;
        return null;
    }

    private CallEnd Refused(Story story, Refusal refusal)
    {
        LogMediaRefused(story.Call.Id, refusal.Code, refusal.Why);
        return new(refusal.Code == "media.ports_exhausted" ? CallEndReason.Capacity : CallEndReason.NoCommonCodec, HungUpBy.System);
    }

    private CallEnd? Started(Story story, MediaOpened opened)
    {
        story.Media = opened;
        story.Log.Note(new MediaStarted(clock.GetUtcNow(), opened.SessionId, opened.LocalAddress, opened.RemoteAddress, opened.Codec));
        return null;
    }

    private async Task<CallEnd?> PickUpAsync(Story story)
    {
        // From here on the caller may change the media, also before the answer (RFC 3311).
        story.Invite.OfferHandler = offered => ReinviteAsync(story, offered);
        await story.Invite.RingingAsync();
        story.Log.Note(new CallRinging(clock.GetUtcNow()));
        if (story.Plan!.Data.Record)
        {
            await RecordAsync(story);
        }

        var answer = await story.Invite.AnswerAsync(story.Media?.SdpAnswer ?? story.Offered!.SdpOffer);
        story.AnsweredAt = answer.IsEstablished ? clock.GetUtcNow() : null;
        story.Dialog = answer.Dialog;
        return answer.Failure switch
        {
            SipAnswerFailure.None => story.Media is null ? await AcceptAsync(story, answer.AckSdp) : null,
            SipAnswerFailure.Cancelled or SipAnswerFailure.AlreadyEnded => await GivenUpAsync(story),
            SipAnswerFailure.AckTimeout => new(CallEndReason.AckTimeout, HungUpBy.System),
        };
    }

    // The answer to our offer; a caller whose ACK has none, or one that does not fit, hears BYE.
    private async Task<CallEnd?> AcceptAsync(Story story, string? sdp)
    {
        var opened = sdp is null
            ? new Refusal("media.bad_offer", "The ACK carries no answer to our offer.")
            : await media.AcceptAsync(story.Offered!.SessionId, sdp, CancellationToken.None);
        if (opened.Refusal is not { } refusal)
        {
            return Started(story, opened.Value);
        }

        // Nobody has talked: to the caller's bill it was never answered.
        story.AnsweredAt = null;
        return Refused(story, refusal);
    }

    // The stack gives a ringing call up for the caller, and for us when we stop.
    private static async Task<CallEnd> GivenUpAsync(Story story) =>
        story.Call.EndAsked.IsCompleted ? await story.Call.EndAsked : new(CallEndReason.Cancelled, HungUpBy.Caller);

    // A disk that is full must not cost the call.
    private async Task RecordAsync(Story story)
    {
        var recording = await media.RecordAsync(story.SessionId!, new RecordedPerson(story.From, story.Caller?.UserId), CancellationToken.None);
        if (recording.Refusal is { } refusal)
        {
            LogNotRecorded(story.Call.Id, refusal.Why);
        }
        else
        {
            story.Log.Note(new RecordingStarted(clock.GetUtcNow(), recording.Value.Uri));
        }
    }

    private async Task<CallEnd> TalkAsync(Story story)
    {
        var (opened, answeredAt) = (story.Media!, story.AnsweredAt!.Value);
        story.Log.Note(new CallAnswered(answeredAt, Ms(answeredAt - story.ReceivedAt)));
        story.Log.Note(new CallStarted(
            answeredAt, story.From, story.To, CallDirection.Inbound, story.Plan!, story.Caller?.Name,
            new(opened.SessionId, opened.LocalAddress, opened.RemoteAddress, opened.Codec)));

        using var over = new CancellationTokenSource();
        var digits = NoteDigitsAsync(story, over.Token);
        try
        {
            return await UntilTheEndAsync(story, over.Token);
        }
        finally
        {
            // Otherwise every call that has ended would keep its timers for hours.
            await over.CancelAsync();
            await digits;
        }
    }

    // Keys that a gateway sends by INFO; those by RTP are noted by the media role.
    private async Task NoteDigitsAsync(Story story, CancellationToken over)
    {
        try
        {
            await foreach (var digit in story.Dialog!.Digits.ReadAllAsync(over))
            {
                story.Log.Note(new DtmfReceived(clock.GetUtcNow(), digit.Key.ToString(), digit.Duration is { } held ? (int)held.TotalMilliseconds : 0));
            }
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // The call is over before its dialog.
        }
    }

    private async Task<CallEnd> UntilTheEndAsync(Story story, CancellationToken over)
    {
        var (call, opened) = (story.Call, story.Media!);
        var deadline = Task.Delay(options.MaxCallTime, clock, over);
        var takeOver = Task.Delay(options.TakeOverTime, clock, over);
        var first = await Task.WhenAny(story.Dialog!.Ended, call.EndAsked, call.TakenOver, takeOver);
        if (first == takeOver && !call.TakenOver.IsCompleted)
        {
            LogNobodyCame(call.Id, options.TakeOverTime.TotalSeconds);
            await failSafe.SayAsync(opened.SessionId, story.Plan!.Language);
            return new(CallEndReason.AgentFailed, HungUpBy.System);
        }

        first = await Task.WhenAny(story.Dialog.Ended, call.EndAsked, deadline);
        return first == story.Dialog.Ended ? EndOf(await story.Dialog.Ended)
            : first == deadline ? new(CallEndReason.Policy, HungUpBy.System)
            : await call.EndAsked;
    }

    private static CallEnd EndOf(SipDialogEnd end) => end.Cause switch
    {
        SipDialogEndCause.RemoteBye => new(CallEndReason.Normal, HungUpBy.Caller),
        SipDialogEndCause.Replaced => new(CallEndReason.Normal, HungUpBy.Caller),
        SipDialogEndCause.LocalBye => new(CallEndReason.Normal, HungUpBy.System),
        SipDialogEndCause.AckTimeout => new(CallEndReason.AckTimeout, HungUpBy.System),
        SipDialogEndCause.RemoteGone or SipDialogEndCause.SessionExpired => new(CallEndReason.Failed, HungUpBy.System),
        SipDialogEndCause.Shutdown => new(CallEndReason.Shutdown, HungUpBy.System),
    };

    private async Task<SipReinviteAnswer> ReinviteAsync(Story story, SipReinvite reinvite)
    {
        if (story.SessionId is not { } session)
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

        if (answer.Value.OnHold != story.OnHold)
        {
            story.OnHold = answer.Value.OnHold;
            story.Log.Note(story.OnHold ? new CallHeld(clock.GetUtcNow()) : new CallResumed(clock.GetUtcNow()));
        }

        return SipReinviteAnswer.Accept(answer.Value.SdpAnswer);
    }

    // A re-INVITE without an offer (music servers, transfers by the other side) wants ours; its ACK brings the answer.
    private async Task<SipReinviteAnswer> OfferAgainAsync(string session, SipReinvite reinvite)
    {
        var offered = await media.OfferAgainAsync(session, CancellationToken.None);
        if (offered.Refusal is not null)
        {
            return SipReinviteAnswer.Refuse(488);
        }

        _ = AcceptAgainAsync(session, reinvite.AckSdp);
        return SipReinviteAnswer.Accept(offered.Value.SdpOffer);
    }

    // Without an answer, or with one that does not fit, the media stay as they were (RFC 3264 8).
    private async Task AcceptAgainAsync(string session, Task<string?> acked)
    {
        try
        {
            if (await acked is { } sdp && (await media.AcceptAsync(session, sdp, CancellationToken.None)).Refusal is { } refusal)
            {
                LogAnswerUnfit(session, refusal.Why);
            }
        }
        catch (Exception e)
        {
            LogAnswerLost(e, session);
        }
    }

    private async Task FinishAsync(Story story, CallEnd end)
    {
        var now = clock.GetUtcNow();
        if (story.Dialog is { } dialog)
        {
            await HangUpAsync(dialog, end);
        }
        else
        {
            await story.Invite.RejectAsync(end.SipStatus, end.Phrase);
        }

        if (story.SessionId is { } session)
        {
            await CloseMediaAsync(story, session);
        }

        var answered = story.AnsweredAt is not null;
        var talk = answered ? Ms(now - story.AnsweredAt!.Value) : 0;
        story.Log.BelongsTo(story.Log.Tenant);
        story.Log.Note(new CallEnded(
            now, end.Reason, end.By, answered ? 200 : end.SipStatus, end.Q850Cause, answered,
            Ms((story.AnsweredAt ?? now) - story.ReceivedAt), talk, talk));
        LogEnded(story.Call.Id, end.Reason, end.By, answered, talk);
    }

    // A peer that is gone answers no BYE, and SIP tries for 32 s (RFC 3261 17.1.2.2): the port and the story of the call do not wait so long.
    private async Task HangUpAsync(SipDialog dialog, CallEnd end)
    {
        var answered = dialog.ByeAsync($"Q.850;cause={end.Q850Cause}");
        if (await Task.WhenAny(answered, Task.Delay(ByePatience, clock, CancellationToken.None)) == answered)
        {
            await answered;
        }
    }

    private async Task CloseMediaAsync(Story story, string sessionId)
    {
        Result<MediaClosed> closed;
        try
        {
            closed = await media.CloseAsync(sessionId, CancellationToken.None);
        }
        catch (Exception e)
        {
            // The call has ended all the same, and its end must be written. A media role that cannot be reached keeps the port until it restarts.
            LogNotClosed(e, story.Call.Id);
            return;
        }

        if (closed.Ok && closed.Value.Quality is { } quality)
        {
            story.Log.Note(quality);
        }

        if (closed.Ok && closed.Value.Recording is { } recording)
        {
            story.Log.Note(recording);
        }
    }

    private static long Ms(TimeSpan span) => (long)span.TotalMilliseconds;

    [LoggerMessage(Level = LogLevel.Information, Message = "Call {CallId} ended: {Reason} by {By}, answered {Answered}, talked {TalkMs} ms")]
    private partial void LogEnded(Guid callId, CallEndReason reason, HungUpBy by, bool answered, long talkMs);

    [LoggerMessage(Level = LogLevel.Error, Message = "Call {CallId}: the media session could not be closed; is the media role up?")]
    private partial void LogNotClosed(Exception e, Guid callId);

    [LoggerMessage(Level = LogLevel.Error, Message = "Call {CallId} failed")]
    private partial void LogFailed(Exception e, Guid callId);

    [LoggerMessage(Level = LogLevel.Error, Message = "Call {CallId} could not be set up within {Seconds} s: the users, dialplans or media service is slow")]
    private partial void LogSlow(Guid callId, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Call {CallId}: media refused with {Code}: {Why}")]
    private partial void LogMediaRefused(Guid callId, string code, string why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Session {SessionId}: the answer to our later offer does not fit, the media stay as they were: {Why}")]
    private partial void LogAnswerUnfit(string sessionId, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "Session {SessionId}: the answer to our later offer could not be handed to the media role")]
    private partial void LogAnswerLost(Exception e, string sessionId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Call {CallId} is not recorded: {Why}")]
    private partial void LogNotRecorded(Guid callId, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "Call {CallId}: no agent took it over within {Seconds} s; is the agent role up and the bus reachable?")]
    private partial void LogNobodyCame(Guid callId, double seconds);

    // Owned by the call's own task; the handler of offers runs while that task waits.
    private sealed class Story(LiveCall call, IncomingInvite invite, DateTimeOffset receivedAt)
    {
        public LiveCall Call { get; } = call;

        public CallLog Log => Call.Log;

        public IncomingInvite Invite { get; } = invite;

        public DateTimeOffset ReceivedAt { get; } = receivedAt;

        /// <summary>What the trunk's equipment bears; null for a caller who came over none.</summary>
        public MediaProfile? Profile { get; } = invite.Trunk is { Profile: var profile } ? new(profile.Codecs, profile.TelephoneEvent) : null;

        public string From { get; set; } = PhoneNumber.Anonymous;

        public string To { get; set; } = "";

        public CallerIdentity? Caller { get; set; }

        public DialplanResolution? Plan { get; set; }

        public MediaOpened? Media { get; set; }

        /// <summary>Our offer, when the caller sent none.</summary>
        public MediaOffered? Offered { get; set; }

        public string? SessionId => Media?.SessionId ?? Offered?.SessionId;

        public SipDialog? Dialog { get; set; }

        public DateTimeOffset? AnsweredAt { get; set; }

        public bool OnHold { get; set; }
    }
}
