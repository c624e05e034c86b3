using Microsoft.Extensions.Logging;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Sip;

namespace Sentiric.Calls;

/// <summary>A call that somebody wants to be placed.</summary>
public sealed record RequestedCall(Guid CallId, string Tenant, CallRequested Wish);

/// <summary>The story of an outgoing call on one screen: look whom we call, dial their phones or trunk after trunk, open media, talk, end.</summary>
public sealed partial class PlacedCall(
    IUsers users, IMediaSessions media, Conversation conversation, OutgoingLines lines, LiveCalls calls, SipLadder ladder, FactWriter facts, CallOptions options, TimeProvider clock,
    ILogger<PlacedCall> logger)
{
    private const string Actor = "sip";

    /// <summary>A wish that waited longer is not carried out: nobody expects the telephone to ring for it any more.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    public async Task RunAsync(RequestedCall requested, CancellationToken stopping)
    {
        var call = new LiveCall(requested.CallId, new CallLog(facts, requested.CallId, Actor));
        call.Log.BelongsTo(requested.Tenant);
        var story = new Story(call, requested, clock.GetUtcNow());
        using var stop = stopping.Register(() => call.End(CallEndReason.Shutdown, HungUpBy.System));
        try
        {
            var end = calls.TryAdd(call) && !facts.IsFull ? await PlaceAsync(story) : new(CallEndReason.Capacity, HungUpBy.System);
            await FinishAsync(story, end);
        }
        catch (Exception e)
        {
            LogFailed(e, call.Id);
            await FinishAsync(story, new(CallEndReason.Failed, HungUpBy.System));
        }
        finally
        {
            calls.Remove(call);
            story.Dialled.ForEach(ladder.Forget);
        }
    }

    private async Task<CallEnd> PlaceAsync(Story story)
    {
        if (story.BeganAt - story.Wish.At > LongestWait)
        {
            LogTooLate(story.Call.Id, LongestWait.TotalSeconds);
            return new(CallEndReason.Failed, HungUpBy.System);
        }

        using var givenUp = new CancellationTokenSource();
        _ = story.Call.EndAsked.ContinueWith(_ => givenUp.Cancel(), givenUp.Token, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return await IdentifyAsync(story)
            ?? await DialAsync(story, givenUp.Token)
            ?? await AcceptAsync(story)
            ?? await TalkAsync(story);
    }

    /// <summary>A user whom the tenant has disabled is not called.</summary>
    private async Task<CallEnd?> IdentifyAsync(Story story)
    {
        using var limit = new CancellationTokenSource(options.SetUpTime, clock);
        var found = await users.IdentifyAsync(
            new(story.Requested.Tenant, story.Wish.To, GuestPolicy.StayUnknown, story.Wish.Resolution.Language, story.Call.Id), limit.Token);
        if (found.Refusal is not null)
        {
            return new(CallEndReason.Policy, HungUpBy.System);
        }

        (story.CalleeName, story.CalleeId) = (found.Value.Name, found.Value.UserId);
        if (found.Value is { UserId: { } id, Name: { } name, Type: { } type } known)
        {
            story.Log.Note(new UserIdentifiedForCall(clock.GetUtcNow(), id, name, type, known.Language, known.Contact));
        }

        return null;
    }

    private async Task<CallEnd?> DialAsync(Story story, CancellationToken givenUp)
    {
        var line = new OutgoingLine
        {
            To = story.Wish.To,
            From = story.Wish.From,
            Withheld = story.Wish.Withheld,
            RingTime = TimeSpan.FromSeconds(story.Wish.RingSeconds),
            Offer = trunk => OfferAsync(story, trunk),
            OfferHandler = offered => conversation.ReinviteAsync(story.Talk, offered),
            Placed = (trunk, placed) => Dialled(story, trunk, placed),
        };
        if (await lines.CallAsync(story.Requested.Tenant, line, clock, givenUp) is not { } result)
        {
            return new(CallEndReason.Failed, HungUpBy.System);
        }

        if (result.Result is { Dialog: { } dialog } answered)
        {
            (story.Talk.Dialog, story.Talk.Trunk, story.Talk.MaxTalk, story.Answer) = (dialog, result.Trunk, result.MaxTalk, answered.Sdp);
            return null;
        }

        return await NotAnsweredAsync(story, result);
    }

    private async Task<CallEnd> NotAnsweredAsync(Story story, TrunkCallResult result)
    {
        if (OutgoingLines.RuleOf(result.Toll) is { } rule)
        {
            LogForbidden(story.Call.Id, rule);
            story.Log.Note(new CallTollRefused(clock.GetUtcNow(), rule));
            return new(CallEndReason.Policy, HungUpBy.System, null, result.Result.StatusCode);
        }

        return story.Call.EndAsked.IsCompleted ? (await story.Call.EndAsked) with { Heard = 487 }
            : story.MediaRefused ? new(CallEndReason.Capacity, HungUpBy.System)
            : result.Result.WasCancelled ? new(CallEndReason.NoAnswer, HungUpBy.System, null, result.Result.StatusCode)
            : CallEnd.OfResponse(result.Result.StatusCode);
    }

    /// <summary>A session for this trunk's equipment; the one that was offered to the trunk before is of no use.</summary>
    private async ValueTask<string?> OfferAsync(Story story, SipTrunk? trunk)
    {
        if (story.Talk.Offered is { } earlier)
        {
            story.Talk.Offered = null;
            await media.CloseAsync(earlier.SessionId, CancellationToken.None);
        }

        var offered = await media.OfferAsync(new(story.Call.Id, story.Requested.Tenant, OutgoingLines.ProfileOf(trunk)), CancellationToken.None);
        if (offered.Refusal is { } refusal)
        {
            LogMediaRefused(story.Call.Id, refusal.Code, refusal.Why);
            story.MediaRefused = refusal.Code == "media.ports_exhausted";
            return null;
        }

        story.Talk.Offered = offered.Value;
        return offered.Value.SdpOffer;
    }

    private void Dialled(Story story, SipTrunk? trunk, OutgoingCall placed)
    {
        story.Call.Trunk = trunk?.Name;
        story.Dialled.Add(placed.CallId);
        story.Log.Note(new CallDialled(clock.GetUtcNow(), placed.CallId, trunk?.Name));
        ladder.Follow(placed.CallId, story.Log);
        _ = NoteRingingAsync(story, placed);
    }

    private async Task NoteRingingAsync(Story story, OutgoingCall placed)
    {
        await foreach (var progress in placed.Progress.ReadAllAsync())
        {
            // 180 rings; 183 lets the callee's network be heard, which most often rings too.
            if (progress.StatusCode is 180 or 183 && !story.HasRung)
            {
                story.HasRung = true;
                story.Log.Note(new CallRinging(clock.GetUtcNow()));
            }
        }
    }

    private async Task<CallEnd?> AcceptAsync(Story story)
    {
        story.AnsweredAt = clock.GetUtcNow();
        var opened = story.Answer is { } sdp
            ? await media.AcceptAsync(story.Talk.Offered!.SessionId, sdp, CancellationToken.None)
            : new Refusal("media.bad_offer", "The answer carries no session description.");
        if (opened.Refusal is { } refusal)
        {
            // Nobody has talked: to the tenant's bill it was never answered.
            story.AnsweredAt = null;
            LogMediaRefused(story.Call.Id, refusal.Code, refusal.Why);
            return new(CallEndReason.NoCommonCodec, HungUpBy.System);
        }

        story.Talk.Media = opened.Value;
        story.Log.Note(new MediaStarted(clock.GetUtcNow(), opened.Value.SessionId, opened.Value.LocalAddress, opened.Value.RemoteAddress, opened.Value.Codec));
        return null;
    }

    private async Task<CallEnd> TalkAsync(Story story)
    {
        var (opened, answeredAt) = (story.Talk.Media!, story.AnsweredAt!.Value);
        if (story.Wish.Resolution.Data.Record)
        {
            await conversation.RecordAsync(story.Talk, new(story.Wish.To, story.CalleeId));
        }

        story.Log.Note(new CallAnswered(answeredAt, Ms(answeredAt - story.BeganAt)));
        story.Log.Note(new CallStarted(
            answeredAt, story.Wish.From, story.Wish.To, CallDirection.Outbound, story.Wish.Resolution, story.CalleeName,
            new(opened.SessionId, opened.LocalAddress, opened.RemoteAddress, opened.Codec)));
        return await conversation.RunAsync(story.Talk);
    }

    private async Task FinishAsync(Story story, CallEnd end)
    {
        var now = clock.GetUtcNow();
        if (story.Talk.Dialog is { } dialog)
        {
            await conversation.HangUpAsync(dialog, end);
        }

        if (story.Talk.SessionId is { } session)
        {
            await conversation.CloseMediaAsync(story.Call, session);
        }

        var answered = story.AnsweredAt is not null;
        var talk = answered ? Ms(now - story.AnsweredAt!.Value) : 0;
        story.Log.Note(new CallEnded(
            now, end.Reason, end.By, answered ? 200 : end.SipStatus, end.Q850Cause, answered, Ms((story.AnsweredAt ?? now) - story.BeganAt), talk, talk));
        LogEnded(story.Call.Id, end.Reason, end.By, answered, talk);
    }

    private static long Ms(TimeSpan span) => (long)span.TotalMilliseconds;

    [LoggerMessage(Level = LogLevel.Information, Message = "Outgoing call {CallId} ended: {Reason} by {By}, answered {Answered}, talked {TalkMs} ms")]
    private partial void LogEnded(Guid callId, CallEndReason reason, HungUpBy by, bool answered, long talkMs);

    [LoggerMessage(Level = LogLevel.Error, Message = "Outgoing call {CallId} failed")]
    private partial void LogFailed(Exception e, Guid callId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Outgoing call {CallId} is not placed: it was asked for more than {Seconds} s ago; was the sip role down, or the bus?")]
    private partial void LogTooLate(Guid callId, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Outgoing call {CallId} is not placed: the toll rules forbid it ({Rule})")]
    private partial void LogForbidden(Guid callId, TollRule rule);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Outgoing call {CallId}: media refused with {Code}: {Why}")]
    private partial void LogMediaRefused(Guid callId, string code, string why);

    // Owned by the call's own task; what is told while it is dialled comes between its steps.
    private sealed class Story(LiveCall call, RequestedCall requested, DateTimeOffset beganAt)
    {
        public LiveCall Call { get; } = call;

        public CallLog Log => Call.Log;

        public RequestedCall Requested { get; } = requested;

        public CallRequested Wish => Requested.Wish;

        public DateTimeOffset BeganAt { get; } = beganAt;

        public Talk Talk { get; } = new(call, CallDirection.Outbound) { Plan = requested.Wish.Resolution, OurNumber = requested.Wish.From, OtherNumber = requested.Wish.To };

        public string? CalleeName { get; set; }

        public Guid? CalleeId { get; set; }

        /// <summary>The Call-ID of each attempt.</summary>
        public List<string> Dialled { get; } = [];

        public bool HasRung { get; set; }

        public bool MediaRefused { get; set; }

        /// <summary>The callee's session description.</summary>
        public string? Answer { get; set; }

        public DateTimeOffset? AnsweredAt { get; set; }
    }
}
