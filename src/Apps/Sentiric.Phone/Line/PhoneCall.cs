using System.Net;
using Sentiric.Media;
using Sentiric.Sip;

namespace Sentiric.Phone;

/// <summary>What became of a call attempt. <paramref name="Status"/> is that of the final response; 200 for an answered call.</summary>
public sealed record Establishment(bool IsAnswered, int Status, string Reason);

/// <summary>
/// One call of a <see cref="LoopbackPhone"/>, placed or taken. Audio goes through <see cref="Media"/> (8 kHz, 20 ms frames).
/// Members may be called from any thread. Disposing closes the media; what is still up then ends with its phone.
/// </summary>
public sealed class PhoneCall : IAsyncDisposable
{
    private static readonly IPEndPoint Nowhere = new(IPAddress.Loopback, 9); // the discard port (RFC 863)

    private readonly LoopbackPhone phone;
    private readonly IncomingInvite? invite;
    private readonly Lock gate = new();
    private readonly List<int> statuses = []; // under gate
    private readonly TaskCompletionSource<SipDialogEnd> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private OutgoingCall? placed; // set once, before the call is handed out
    private volatile SipDialog? dialog;
    private volatile bool abandoned;
    private int played;

    internal PhoneCall(LoopbackPhone phone, MediaSession session, MediaCapabilities capabilities, IncomingInvite? invite = null)
    {
        (this.phone, Media, Capabilities, this.invite) = (phone, session, capabilities, invite);
        CallId = invite?.CallId ?? "";
        From = invite?.From;
        Established = Task.FromResult(new Establishment(false, 180, "Ringing"));
    }

    public string CallId { get; private set; }

    /// <summary>Who calls, for an incoming call.</summary>
    public NameAddr? From { get; }

    public MediaSession Media { get; }

    /// <summary>Completes when a placed call was answered or has failed; never faults.</summary>
    public Task<Establishment> Established { get; private set; }

    /// <summary>Completes when an answered call has ended, by whichever side.</summary>
    public Task<SipDialogEnd> Ended => ended.Task;

    /// <summary>The responses to our INVITE in order, 100 left out.</summary>
    public IReadOnlyList<int> Statuses
    {
        get { lock (gate) return [.. statuses]; }
    }

    internal MediaCapabilities Capabilities { get; }

    /// <summary>Takes an incoming call. False when the caller gave up, sent no offer that fits, or never acknowledged.</summary>
    public async Task<bool> AnswerAsync()
    {
        var ringing = invite ?? throw new InvalidOperationException("Only an incoming call can be answered.");
        var answer = Media.Answer(ringing.Offer ?? "", Capabilities);
        if (answer.Sdp is not { } sdp)
        {
            await ringing.RejectAsync(488);
            return false;
        }

        (ringing.OfferHandler, ringing.ReferHandler) = (AnswerOfferAsync, DecideAsync); // before the 200: an offer may come right behind the ACK
        var result = await ringing.AnswerAsync(sdp);
        if (result.IsEstablished) Take(result.Dialog);
        return result.IsEstablished;
    }

    /// <summary>Refuses an incoming call with a status of 300 to 699.</summary>
    public async Task RejectAsync(int status = 486)
    {
        if (invite is not null) await invite.RejectAsync(status);
        await Media.CloseAsync();
    }

    /// <summary>Gives up a placed call that still rings.</summary>
    public Task CancelAsync() => placed?.CancelAsync() ?? Task.CompletedTask;

    /// <summary>Speaks these 8 kHz samples behind what waits already.</summary>
    public PlaybackHandle Play(ReadOnlyMemory<short> pcm) => Media.Play($"say-{Interlocked.Increment(ref played)}", pcm);

    public MediaListener Listen() => Media.Listen();

    /// <summary>Presses keys (RFC 4733). False when the other side does not take them.</summary>
    public bool SendDtmf(string digits) => Media.SendDtmf(digits);

    /// <summary>
    /// Offers the media anew: SendOnly or Inactive hold the other side, SendRecv takes it back. Null when the call is not up.
    /// An accepted answer is in force when this returns.
    /// </summary>
    public async Task<SipReinviteResult?> ReinviteAsync(MediaDirection direction)
    {
        if (dialog is not { } up) return null;
        var wanted = Capabilities with { Direction = direction };
        var result = await up.ReinviteAsync(Media.Offer(wanted));
        if (result is { IsAccepted: true, Sdp: { } sdp }) Media.AcceptAnswer(sdp, wanted);
        return result;
    }

    /// <summary>Asks the other side to call somebody else (REFER); null when the call is not up.</summary>
    public async Task<OutgoingReferral?> TransferAsync(SipUri target) => dialog is { } up ? await up.ReferAsync(target) : null;

    /// <summary>For another call of ours: by this URI its other side takes our place here (Replaces); null when the call is not up.</summary>
    public SipUri? ReplacingUri() => dialog?.ReplacingUri();

    /// <summary>Ends the call with BYE, or cancels it while it rings. Quiet when it is over or was abandoned.</summary>
    public async Task HangUpAsync(string? reason = null)
    {
        if (abandoned) return;
        if (dialog is { } up) await up.ByeAsync(reason);
        else await CancelAsync();
    }

    /// <summary>Dies in the middle of the call: no more RTP or RTCP, no BYE, no answer to anything. The whole phone is dead then.</summary>
    public void Abandon()
    {
        abandoned = true;
        phone.PullCable();
        if (Media.Audio is { } audio)
        {
            Media.Renegotiate(audio with { Remote = Nowhere, RemoteRtcp = Nowhere, Direction = MediaDirection.Inactive });
        }
    }

    /// <summary>Hangs up where necessary and closes the media; gives what was measured and recorded. Again: the same.</summary>
    public async Task<MediaClosed> CloseAsync()
    {
        await HangUpAsync();
        return await Media.CloseAsync();
    }

    public async ValueTask DisposeAsync() => await Media.CloseAsync();

    internal void Ringing(OutgoingCall call)
    {
        (placed, CallId) = (call, call.CallId);
        Established = FollowAsync(call);
    }

    private async Task<Establishment> FollowAsync(OutgoingCall call)
    {
        await foreach (var progress in call.Progress.ReadAllAsync()) Note(progress.StatusCode);
        var result = await call.Completed;
        Note(result.StatusCode);
        if (!result.IsAnswered) return new(false, result.StatusCode, result.Reason);
        var answer = Media.AcceptAnswer(result.Sdp ?? "", Capabilities);
        Take(result.Dialog);
        if (answer.Refusal is not { } no) return new(true, result.StatusCode, result.Reason);
        await result.Dialog.ByeAsync("Q.850;cause=88;text=\"Incompatible destination\"");
        return new(false, 488, $"the answer's SDP does not fit: {no.Detail}");
    }

    private void Take(SipDialog up)
    {
        (up.ReinviteHandler, up.ReferHandler) = (AnswerOfferAsync, DecideAsync);
        dialog = up;
        _ = TellEndAsync(up);
    }

    private Task<SipReinviteAnswer> AnswerOfferAsync(SipReinvite offered) => Task.FromResult(
        Media.Answer(offered.Offer ?? "", Capabilities).Sdp is { } sdp ? SipReinviteAnswer.Accept(sdp) : SipReinviteAnswer.Refuse(488));

    private Task<SipAnswer> DecideAsync(IncomingReferral referral) => phone.ReferHandler?.Invoke(referral) ?? Task.FromResult(new SipAnswer(603));

    private async Task TellEndAsync(SipDialog up) => ended.TrySetResult(await up.Ended);

    private void Note(int status)
    {
        lock (gate) statuses.Add(status);
    }
}
