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
    IUsers users, IDialplans dialplans, IMediaSessions media, Conversation conversation, LiveCalls calls, SipLadder ladder, FactWriter facts,
    CallOptions options, TimeProvider clock, ILogger<IncomingCall> logger)
{
    private const string Actor = "sip";

    public async Task RunAsync(IncomingInvite invite, CancellationToken stopping)
    {
        var callId = Guid.CreateVersion7(clock.GetUtcNow());
        var call = new LiveCall(callId, new CallLog(facts, callId, Actor)) { Trunk = invite.Trunk?.Name };
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
        story.To = story.Talk.OurNumber = PhoneNumber.Normalize(invite.Request.Uri.ToString());
        story.Talk.OtherNumber = story.From == PhoneNumber.Anonymous ? null : story.From;
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
        story.Invite.OfferHandler = offered => conversation.ReinviteAsync(story.Talk, offered);
        await story.Invite.RingingAsync();
        story.Log.Note(new CallRinging(clock.GetUtcNow()));
        if (story.Plan!.Data.Record)
        {
            await conversation.RecordAsync(story.Talk, new(story.From, story.Caller?.UserId));
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

    private async Task<CallEnd> TalkAsync(Story story)
    {
        var (opened, answeredAt) = (story.Media!, story.AnsweredAt!.Value);
        story.Log.Note(new CallAnswered(answeredAt, Ms(answeredAt - story.ReceivedAt)));
        story.Log.Note(new CallStarted(
            answeredAt, story.From, story.To, CallDirection.Inbound, story.Plan!, story.Caller?.Name,
            new(opened.SessionId, opened.LocalAddress, opened.RemoteAddress, opened.Codec)));
        return await conversation.RunAsync(story.Talk);
    }

    private async Task FinishAsync(Story story, CallEnd end)
    {
        var now = clock.GetUtcNow();
        if (story.Dialog is { } dialog)
        {
            await conversation.HangUpAsync(dialog, end);
        }
        else
        {
            await story.Invite.RejectAsync(end.SipStatus, end.Phrase);
        }

        if (story.SessionId is { } session)
        {
            await conversation.CloseMediaAsync(story.Call, session);
        }

        var answered = story.AnsweredAt is not null;
        var talk = answered ? Ms(now - story.AnsweredAt!.Value) : 0;
        story.Log.BelongsTo(story.Log.Tenant);
        story.Log.Note(new CallEnded(
            now, end.Reason, end.By, answered ? 200 : end.SipStatus, end.Q850Cause, answered,
            Ms((story.AnsweredAt ?? now) - story.ReceivedAt), talk, talk));
        LogEnded(story.Call.Id, end.Reason, end.By, answered, talk);
    }

    private static long Ms(TimeSpan span) => (long)span.TotalMilliseconds;

    [LoggerMessage(Level = LogLevel.Information, Message = "Call {CallId} ended: {Reason} by {By}, answered {Answered}, talked {TalkMs} ms")]
    private partial void LogEnded(Guid callId, CallEndReason reason, HungUpBy by, bool answered, long talkMs);

    [LoggerMessage(Level = LogLevel.Error, Message = "Call {CallId} failed")]
    private partial void LogFailed(Exception e, Guid callId);

    [LoggerMessage(Level = LogLevel.Error, Message = "Call {CallId} could not be set up within {Seconds} s: the users, dialplans or media service is slow")]
    private partial void LogSlow(Guid callId, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Call {CallId}: media refused with {Code}: {Why}")]
    private partial void LogMediaRefused(Guid callId, string code, string why);

    // Owned by the call's own task; the handler of offers runs while that task waits.
    private sealed class Story(LiveCall call, IncomingInvite invite, DateTimeOffset receivedAt)
    {
        public LiveCall Call { get; } = call;

        public CallLog Log => Call.Log;

        public Talk Talk { get; } = new(call, CallDirection.Inbound) { Trunk = invite.Trunk };

        public IncomingInvite Invite { get; } = invite;

        public DateTimeOffset ReceivedAt { get; } = receivedAt;

        /// <summary>What the trunk's equipment bears; null for a caller who came over none.</summary>
        public MediaProfile? Profile { get; } = invite.Trunk is { Profile: var profile } ? new(profile.Codecs, profile.TelephoneEvent, profile.Srtp) : null;

        public string From { get; set; } = PhoneNumber.Anonymous;

        public string To { get; set; } = "";

        public CallerIdentity? Caller { get; set; }

        public DialplanResolution? Plan
        {
            get => Talk.Plan;
            set => Talk.Plan = value;
        }

        public MediaOpened? Media
        {
            get => Talk.Media;
            set => Talk.Media = value;
        }

        /// <summary>Our offer, when the caller sent none.</summary>
        public MediaOffered? Offered
        {
            get => Talk.Offered;
            set => Talk.Offered = value;
        }

        public string? SessionId => Talk.SessionId;

        public SipDialog? Dialog
        {
            get => Talk.Dialog;
            set => Talk.Dialog = value;
        }

        public DateTimeOffset? AnsweredAt { get; set; }
    }
}
