using Microsoft.Extensions.Logging;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Sip;

namespace Sentiric.Calls;

/// <summary>
/// An answered call until its end, whoever called: wait for an agent, keep the media agreed, note keys, transfer when that is wanted, hang up. Transfers have a file of their own.
/// </summary>
public sealed partial class Conversation(
    IMediaSessions media, FailSafeVoice failSafe, SipLadder ladder, OutgoingLines lines, CallOptions options, TimeProvider clock, ILogger<Conversation> logger)
{
    private static readonly TimeSpan ByePatience = TimeSpan.FromSeconds(2);

    public async Task<CallEnd> RunAsync(Talk talk)
    {
        using var over = new CancellationTokenSource();
        var digits = NoteDigitsAsync(talk, over.Token);
        try
        {
            return await UntilTheEndAsync(talk, over.Token);
        }
        finally
        {
            // Otherwise every call that has ended would keep its timers for hours.
            await over.CancelAsync();
            await digits;
        }
    }

    // A disk that is full must not cost the call.
    public async Task RecordAsync(Talk talk, RecordedPerson person)
    {
        var recording = await media.RecordAsync(talk.SessionId!, person, CancellationToken.None);
        if (recording.Refusal is { } refusal)
        {
            LogNotRecorded(talk.Call.Id, refusal.Why);
        }
        else
        {
            talk.Log.Note(new RecordingStarted(clock.GetUtcNow(), recording.Value.Uri));
        }
    }

    public async Task<SipReinviteAnswer> ReinviteAsync(Talk talk, SipReinvite reinvite)
    {
        if (talk.SessionId is not { } session)
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

        if (answer.Value.OnHold != talk.OnHold)
        {
            talk.OnHold = answer.Value.OnHold;
            talk.Log.Note(talk.OnHold ? new CallHeld(clock.GetUtcNow()) : new CallResumed(clock.GetUtcNow()));
            await MusicAsync(talk.Call, talk.JoinedSessionId, talk.OnHold);
        }

        return SipReinviteAnswer.Accept(answer.Value.SdpAnswer);
    }

    // Silence is a blemish, not a reason to lose the call.
    private async Task MusicAsync(LiveCall call, string? sessionId, bool on)
    {
        if (sessionId is null)
        {
            return;
        }

        try
        {
            if ((await media.MusicAsync(sessionId, on, CancellationToken.None)).Refusal is { } refusal)
            {
                LogNoMusic(call.Id, refusal.Why);
            }
        }
        catch (Exception e)
        {
            LogNoMusic(call.Id, e.Message);
        }
    }

    // A peer that is gone answers no BYE, and SIP tries for 32 s (RFC 3261 17.1.2.2): the port and the story of the call do not wait so long.
    public async Task HangUpAsync(SipDialog dialog, CallEnd end)
    {
        var answered = dialog.ByeAsync($"Q.850;cause={end.Q850Cause}");
        if (await Task.WhenAny(answered, Task.Delay(ByePatience, clock, CancellationToken.None)) == answered)
        {
            await answered;
        }
    }

    /// <summary>Closes the session and notes what it measured and recorded.</summary>
    public async Task CloseMediaAsync(LiveCall call, string sessionId)
    {
        if (await CloseAsync(call, sessionId) is not { } closed)
        {
            return;
        }

        if (closed.Quality is { } quality)
        {
            call.Log.Note(quality);
        }

        if (closed.Recording is { } recording)
        {
            call.Log.Note(recording);
        }
    }

    private async Task<MediaClosed?> CloseAsync(LiveCall call, string sessionId)
    {
        try
        {
            var closed = await media.CloseAsync(sessionId, CancellationToken.None);
            return closed.Ok ? closed.Value : null;
        }
        catch (Exception e)
        {
            // The call has ended all the same, and its end must be written. A media role that cannot be reached keeps the port until it restarts.
            LogNotClosed(e, call.Id);
            return null;
        }
    }

    // Keys that a gateway sends by INFO; those by RTP are noted by the media role.
    private async Task NoteDigitsAsync(Talk talk, CancellationToken over)
    {
        try
        {
            await foreach (var digit in talk.Dialog!.Digits.ReadAllAsync(over))
            {
                talk.Log.Note(new DtmfReceived(clock.GetUtcNow(), digit.Key.ToString(), digit.Duration is { } held ? (int)held.TotalMilliseconds : 0));
            }
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // The call is over before its dialog.
        }
    }

    private async Task<CallEnd> UntilTheEndAsync(Talk talk, CancellationToken over)
    {
        var (call, opened) = (talk.Call, talk.Media!);
        var deadline = Task.Delay(talk.MaxTalk is { } most && most < options.MaxCallTime ? most : options.MaxCallTime, clock, over);
        var takeOver = Task.Delay(options.TakeOverTime, clock, over);
        var first = await Task.WhenAny(talk.Dialog!.Ended, call.EndAsked, call.TakenOver, takeOver, deadline);
        if (first == takeOver && !call.TakenOver.IsCompleted)
        {
            LogNobodyCame(call.Id, options.TakeOverTime.TotalSeconds);
            await failSafe.SayAsync(opened.SessionId, talk.Plan!.Language);
            return new(CallEndReason.AgentFailed, HungUpBy.System);
        }

        while (true)
        {
            var transfer = call.Transfers.WaitToReadAsync(over).AsTask();
            first = await Task.WhenAny(talk.Dialog.Ended, call.EndAsked, deadline, transfer);
            if (first != transfer)
            {
                return first == talk.Dialog.Ended ? EndOf(await talk.Dialog.Ended, talk.Other)
                    : first == deadline ? new(CallEndReason.Policy, HungUpBy.System)
                    : await call.EndAsked;
            }

            if (call.Transfers.TryRead(out var to) && await TransferAsync(talk, to, deadline) is { } end)
            {
                return end;
            }
        }
    }

    private static CallEnd EndOf(SipDialogEnd end, HungUpBy other) => end.Cause switch
    {
        SipDialogEndCause.RemoteBye => new(CallEndReason.Normal, other),
        SipDialogEndCause.Replaced => new(CallEndReason.Normal, other),
        SipDialogEndCause.LocalBye => new(CallEndReason.Normal, HungUpBy.System),
        SipDialogEndCause.AckTimeout => new(CallEndReason.AckTimeout, HungUpBy.System),
        SipDialogEndCause.RemoteGone or SipDialogEndCause.SessionExpired => new(CallEndReason.Failed, HungUpBy.System),
        SipDialogEndCause.Shutdown => new(CallEndReason.Shutdown, HungUpBy.System),
    };

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

    [LoggerMessage(Level = LogLevel.Error, Message = "Call {CallId}: the media session could not be closed; is the media role up?")]
    private partial void LogNotClosed(Exception e, Guid callId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Session {SessionId}: the answer to our later offer does not fit, the media stay as they were: {Why}")]
    private partial void LogAnswerUnfit(string sessionId, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "Session {SessionId}: the answer to our later offer could not be handed to the media role")]
    private partial void LogAnswerLost(Exception e, string sessionId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Call {CallId}: the music of who waits could not be switched: {Why}")]
    private partial void LogNoMusic(Guid callId, string why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Call {CallId} is not recorded: {Why}")]
    private partial void LogNotRecorded(Guid callId, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "Call {CallId}: no agent took it over within {Seconds} s; is the agent role up and the bus reachable?")]
    private partial void LogNobodyCame(Guid callId, double seconds);
}
