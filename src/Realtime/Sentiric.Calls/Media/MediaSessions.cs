using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Media;
using MediaClosed = Sentiric.Contracts.Services.MediaClosed;
using MediaOpened = Sentiric.Contracts.Services.MediaOpened;

namespace Sentiric.Calls.Media;

/// <summary>
/// The media role: <see cref="IMediaSessions"/> over the media engine. What a leg tells (digits, silence, quality) goes to the call's stream.
/// </summary>
public sealed partial class MediaSessions(
    MediaEngine engine, FactWriter facts, RecordingShelf shelf, TimeProvider clock, ILogger<MediaSessions> logger, HoldMusic? music = null) : IMediaSessions
{
    private const string Actor = "media";
    private static readonly Refusal UnknownSession = new("media.session_unknown", "There is no such media session, or it has been closed.");
    private readonly ConcurrentDictionary<string, Leg> _legs = new(StringComparer.Ordinal);

    public ValueTask<Result<MediaOpened>> OpenAsync(OpenMedia request, CancellationToken ct)
    {
        if (Open(request.CallId, request.Tenant, CapabilitiesFor(request.Profile), request.TellsCall) is not { Session: var session } leg)
        {
            return Say<MediaOpened>(PortsExhausted());
        }

        var outcome = session.Answer(request.SdpOffer, leg.Capabilities);
        if (outcome is not { Sdp: { } answer, Audio: { } audio })
        {
            _ = session.CloseAsync();
            return Say<MediaOpened>(new Refusal(CodeOf(outcome), outcome.Refusal?.Detail ?? "The offer has no audio that could be answered."));
        }

        var id = IdOf(request.CallId);
        _legs[id] = leg;
        return Say<MediaOpened>(Opened(id, answer, session, audio));
    }

    public ValueTask<Result<MediaOffered>> OfferAsync(OfferMedia request, CancellationToken ct)
    {
        var capabilities = CapabilitiesFor(request.Profile);
        if (capabilities.Codecs.Count == 0)
        {
            return Say<MediaOffered>(new Refusal("media.no_common_codec", $"None of the codecs {string.Join(", ", request.Profile!.Codecs)} is spoken here."));
        }

        if (Open(request.CallId, request.Tenant, capabilities, request.TellsCall) is not { } leg)
        {
            return Say<MediaOffered>(PortsExhausted());
        }

        var id = IdOf(request.CallId) + (request.Leg is { } further ? "-" + further : "");
        leg.IsFurther = request.Leg is not null;
        _legs[id] = leg;
        return Say<MediaOffered>(new MediaOffered(id, leg.Session.Offer(leg.Capabilities)));
    }

    public ValueTask<Result<MediaOffered>> OfferAgainAsync(string sessionId, CancellationToken ct) =>
        Say<MediaOffered>(_legs.TryGetValue(sessionId, out var leg) ? new MediaOffered(sessionId, leg.Session.Offer(leg.Capabilities)) : UnknownSession);

    public ValueTask<Result<MediaOpened>> AcceptAsync(string sessionId, string sdpAnswer, CancellationToken ct)
    {
        if (!_legs.TryGetValue(sessionId, out var leg))
        {
            return Say<MediaOpened>(UnknownSession);
        }

        var outcome = leg.Session.AcceptAnswer(sdpAnswer, leg.Capabilities);
        return outcome.Audio is { } audio
            ? Say<MediaOpened>(Opened(sessionId, sdpAnswer, leg.Session, audio))
            : Say<MediaOpened>(new Refusal(CodeOf(outcome), outcome.Refusal?.Detail ?? "The answer takes nothing of the offer."));
    }

    public ValueTask<Result<MediaRenegotiated>> RenegotiateAsync(string sessionId, string sdpOffer, CancellationToken ct)
    {
        if (!_legs.TryGetValue(sessionId, out var leg))
        {
            return Say<MediaRenegotiated>(UnknownSession);
        }

        var outcome = leg.Session.Answer(sdpOffer, leg.Capabilities);
        return outcome is { Sdp: { } answer, Audio: { } audio }
            ? Say<MediaRenegotiated>(new MediaRenegotiated(answer, !audio.Direction.Sends()))
            : Say<MediaRenegotiated>(new Refusal("media.no_common_codec", outcome.Refusal?.Detail ?? "Nothing in the offer fits."));
    }

    public ValueTask<Result<PlaybackOutcome>> PlayAsync(string sessionId, string playbackId, IAsyncEnumerable<ReadOnlyMemory<short>> pcm, CancellationToken ct) =>
        PlayAsync(sessionId, playbackId, "", pcm, ct);

    public async ValueTask<Result<PlaybackOutcome>> PlayAsync(
        string sessionId, string playbackId, string text, IAsyncEnumerable<ReadOnlyMemory<short>> pcm, CancellationToken ct)
    {
        if (!_legs.TryGetValue(sessionId, out var leg))
        {
            return UnknownSession;
        }

        var playback = leg.Session.Play(playbackId);
        if (text.Length is > 0 and <= SpokenWords.MaxLetters)
        {
            playback.Say(new SpokenWords(text));
        }

        try
        {
            await foreach (var chunk in pcm.WithCancellation(ct))
            {
                // False: it was cleared or the call ended; the rest of the speech is of no use to anybody.
                if (!playback.Enqueue(chunk))
                {
                    break;
                }
            }
        }
        finally
        {
            playback.Complete();
        }

        var result = await playback.Finished.WaitAsync(ct);
        return new PlaybackOutcome(playbackId, result.Interrupted, result.HeardMs);
    }

    public ValueTask<Result<Done>> ClearAsync(string sessionId, CancellationToken ct) => On(sessionId, leg => leg.Session.Clear());

    public ValueTask<Result<Done>> EchoAsync(string sessionId, bool on, CancellationToken ct) => On(sessionId, leg =>
    {
        if (leg.Echo is { } echo)
        {
            echo.Dispose();
            leg.Echo = null;
            leg.Session.Clear();
        }

        if (on)
        {
            var playback = leg.Session.Play("echo");
            leg.Echo = leg.Session.Listen(frame => playback.Enqueue(frame.Pcm));
        }
    });

    public ValueTask<Result<Done>> JoinAsync(string sessionId, string otherSessionId, CancellationToken ct)
    {
        if (!_legs.TryGetValue(sessionId, out var one) || !_legs.TryGetValue(otherSessionId, out var other))
        {
            return Say<Done>(UnknownSession);
        }

        foreach (var leg in new[] { one, other })
        {
            leg.Joined?.Dispose();
            leg.Session.Clear();
        }

        one.Joined = other.Joined = MediaBridge.Join(one.Session, other.Session);
        (one.Partner, other.Partner) = (other, one);
        return Say<Done>(Done.It);
    }

    public async IAsyncEnumerable<AudioFrame> ListenAsync(string sessionId, [EnumeratorCancellation] CancellationToken ct)
    {
        if (!_legs.TryGetValue(sessionId, out var leg))
        {
            yield break;
        }

        using var listener = leg.Session.Listen();
        await foreach (var frame in listener.Frames.ReadAllAsync(ct))
        {
            yield return new(frame.Index, frame.ElapsedMs, frame.Pcm, frame.Concealed);
        }

        if (listener.Dropped > 0)
        {
            LogListenerSlow(sessionId, listener.Dropped);
        }
    }

    public ValueTask<Result<RecordingOpened>> RecordAsync(string sessionId, CancellationToken ct) => StartRecordingAsync(sessionId, null, ct);

    public ValueTask<Result<RecordingOpened>> RecordAsync(string sessionId, RecordedPerson person, CancellationToken ct) => StartRecordingAsync(sessionId, person, ct);

    private async ValueTask<Result<RecordingOpened>> StartRecordingAsync(string sessionId, RecordedPerson? person, CancellationToken ct)
    {
        if (!_legs.TryGetValue(sessionId, out var leg))
        {
            return UnknownSession;
        }

        if (leg.RecordingEnded)
        {
            return new Refusal("media.recording_failed", "The recording of this call has ended; a call has one.");
        }

        if (leg.RecordingUri is { } running)
        {
            return new RecordingOpened(running);
        }

        var prepared = await shelf.PrepareAsync(leg.Tenant, leg.CallId, person, ct);
        if (prepared.Refusal is { } refusal)
        {
            return refusal;
        }

        var slot = prepared.Value;
        try
        {
            leg.RecordingUri = leg.Session.StartRecording(slot.Path, slot.Format, slot.Seal, segment => NoteSegment(leg, slot.Uri, segment)) ? slot.Uri : leg.RecordingUri;
            return leg.RecordingUri is { } started ? new RecordingOpened(started) : UnknownSession;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new Refusal("media.recording_failed", $"{slot.Path} cannot be written: {e.Message}");
        }
    }

    public async ValueTask<Result<MediaClosed>> CloseAsync(string sessionId, CancellationToken ct)
    {
        if (!_legs.TryRemove(sessionId, out var leg))
        {
            return new MediaClosed(null, null);
        }

        leg.Echo?.Dispose();
        leg.Joined?.Dispose();
        Part(leg);
        leg.Watch?.Dispose();
        var closed = await leg.Session.CloseAsync();
        var recording = closed.Recording is { Error: null } file && leg.RecordingUri is { } uri
            ? shelf.Available(uri, file)
            : null;
        if (recording is not null)
        {
            _ = shelf.CarryAsync(recording.Uri, CancellationToken.None); // nobody waits for it: what fails is logged and tried again
        }

        if (closed.Recording is { Error: { } error })
        {
            LogRecordingFailed(sessionId, error);
        }

        return new MediaClosed(Quality(closed.Quality, summary: true), recording);
    }

    private Leg? Open(Guid callId, string tenant, MediaCapabilities capabilities, bool tellsCall)
    {
        if (engine.Open() is not { Session: { } session })
        {
            LogPortsExhausted(engine.OpenSessions);
            return null;
        }

        var leg = new Leg(session, new CallLog(facts, callId, Actor), callId, tenant, capabilities);
        leg.Log.BelongsTo(tenant);
        leg.TellsCall = tellsCall;
        leg.Watch = session.Watch(told => Note(leg, told));
        return leg;
    }

    private MediaCapabilities CapabilitiesFor(MediaProfile? profile)
    {
        var ours = engine.Options.Capabilities;
        return profile is null ? ours : ours with
        {
            Codecs = profile.Codecs.Count == 0 ? ours.Codecs : [.. profile.Codecs.SelectMany(name => ours.Codecs.Where(codec => codec.EncodingName().Equals(name, StringComparison.OrdinalIgnoreCase))).Distinct()],
            TelephoneEvent = ours.TelephoneEvent && profile.TelephoneEvent,
            Srtp = profile.Srtp is { } wish && SrtpPolicies.Parse(wish) is { } policy ? policy : ours.Srtp,
        };
    }

    private Refusal PortsExhausted() =>
        new("media.ports_exhausted", $"All RTP ports are in use ({engine.OpenSessions} sessions); widen Media__PortRange.");

    private static string IdOf(Guid callId) => callId.ToString("N", CultureInfo.InvariantCulture);

    private static string CodeOf(SdpOutcome outcome) =>
        outcome.Refusal?.Code == MediaRefusal.NothingInCommon ? "media.no_common_codec" : "media.bad_offer";

    private static MediaOpened Opened(string id, string sdp, MediaSession session, NegotiatedAudio audio) =>
        new(id, sdp, session.LocalEndPoint.ToString(), audio.Remote.ToString(), audio.Codec.EncodingName());

    private void Note(Leg leg, MediaEvent told)
    {
        switch (told)
        {
            case MediaEvent.DtmfPressed or MediaEvent.QualityMeasured when leg.IsFurther:
                break;
            case MediaEvent.DtmfPressed pressed:
                leg.Tell(new DtmfReceived(clock.GetUtcNow(), pressed.Digit.ToString(), 0));
                break;
            case MediaEvent.NoRtpFor silence:
                leg.Tell(new MediaTimedOut(clock.GetUtcNow(), (int)silence.Silence.TotalSeconds));
                break;
            case MediaEvent.QualityMeasured measured:
                leg.Tell(Quality(measured.Quality, summary: false));
                break;
            case MediaEvent.SourceFound found:
                LogSource(leg.CallId, found.From.ToString());
                break;
            case MediaEvent.MarkReached or MediaEvent.RemoteBye:
                break;
        }
    }

    private MediaQualityMeasured Quality(MediaQuality q, bool summary) => new(
        clock.GetUtcNow(), summary, q.Codec?.EncodingName() ?? "", q.RemoteSsrc ?? 0, q.Sent, q.Received, q.Lost, q.Late, q.Duplicates,
        Math.Round(q.JitterMs, 2), Math.Round(q.RttMs ?? 0, 2), Math.Round(q.Mos, 2), (long)q.MaxGapMs);

    private ValueTask<Result<Done>> On(string sessionId, Action<Leg> act)
    {
        if (!_legs.TryGetValue(sessionId, out var leg))
        {
            return Say<Done>(UnknownSession);
        }

        act(leg);
        return Say<Done>(Done.It);
    }

    private void NoteSegment(Leg leg, string uri, RecordingSegment segment) => leg.Tell(new RecordingSegmentStored(
        clock.GetUtcNow(), uri, segment.Number, segment.FromMs, segment.DurationMs, segment.Offset, segment.Bytes, segment.Sha256));

    private static ValueTask<Result<T>> Say<T>(Result<T> result) => ValueTask.FromResult(result);

    [LoggerMessage(Level = LogLevel.Error, Message = "All RTP ports are in use by {Sessions} sessions: calls are refused")]
    private partial void LogPortsExhausted(int sessions);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The listener of session {SessionId} was too slow: {Frames} frames were dropped")]
    private partial void LogListenerSlow(string sessionId, long frames);

    [LoggerMessage(Level = LogLevel.Error, Message = "The recording of session {SessionId} is incomplete: {Error}")]
    private partial void LogRecordingFailed(string sessionId, string error);

    [LoggerMessage(Level = LogLevel.Information, Message = "Call {CallId}: RTP comes from {Source}")]
    private partial void LogSource(Guid callId, string source);

    private sealed class Leg(MediaSession session, CallLog log, Guid callId, string tenant, MediaCapabilities capabilities)
    {
        public MediaSession Session { get; } = session;

        public CallLog Log { get; } = log;

        public Guid CallId { get; } = callId;

        public string Tenant { get; } = tenant;

        /// <summary>What offers and answers may say, from the first to the last.</summary>
        public MediaCapabilities Capabilities { get; } = capabilities;

        public IDisposable? Watch { get; set; }

        public IDisposable? Echo { get; set; }

        /// <summary>Brings what another session hears to this one.</summary>
        public IDisposable? Joined { get; set; }

        /// <summary>The session that it is joined with, while both are open.</summary>
        public Leg? Partner { get; set; }

        /// <summary>How many sit beside the call; counted by whoever comes and goes.</summary>
        public int Supervisors;

        /// <summary>Music that is on; dispose to end it.</summary>
        public IDisposable? Music { get; set; }

        /// <summary>The call has another session that its record tells of.</summary>
        public bool IsFurther { get; set; }

        public string? RecordingUri { get; set; }

        public bool RecordingPaused { get; set; }

        public bool RecordingEnded { get; set; }

        public bool TellsCall { get; set; } = true;

        /// <summary>To the call's story, where there is a call.</summary>
        public void Tell(object fact)
        {
            if (TellsCall)
            {
                Log.Note(fact);
            }
        }
    }
}
