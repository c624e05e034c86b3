using Sentiric.Contracts.Events;

namespace Sentiric.Contracts.Services;

/// <summary>The media service: RTP on one side, 8 kHz 16-bit mono PCM on the other.</summary>
public interface IMediaSessions
{
    /// <summary>Opens an RTP port and answers the offer. Refusals: <c>media.no_common_codec</c>, <c>media.bad_offer</c>, <c>media.ports_exhausted</c>.</summary>
    ValueTask<Result<MediaOpened>> OpenAsync(OpenMedia request, CancellationToken ct);

    /// <summary>
    /// Opens an RTP port and offers, for a caller who sent no offer. The answer goes to <see cref="AcceptAsync"/>. Refusals: <c>media.ports_exhausted</c>,
    /// <c>media.no_common_codec</c> when the profile leaves no codec.
    /// </summary>
    ValueTask<Result<MediaOffered>> OfferAsync(OfferMedia request, CancellationToken ct);

    /// <summary>Offers anew in a session that is open, for a re-INVITE without an offer.</summary>
    ValueTask<Result<MediaOffered>> OfferAgainAsync(string sessionId, CancellationToken ct);

    /// <summary>
    /// The answer to our last offer; the media run from here on. Refusals: <c>media.no_common_codec</c>, <c>media.bad_offer</c>. <see cref="MediaOpened.SdpAnswer"/>
    /// is the peer's.
    /// </summary>
    ValueTask<Result<MediaOpened>> AcceptAsync(string sessionId, string sdpAnswer, CancellationToken ct);

    /// <summary>A re-INVITE: new offer, new answer; the session lives on. <see cref="MediaRenegotiated.OnHold"/> says whether the peer holds.</summary>
    ValueTask<Result<MediaRenegotiated>> RenegotiateAsync(string sessionId, string sdpOffer, CancellationToken ct);

    /// <summary>Plays PCM chunks of any length; completes when the last sample was sent or playback was cleared.</summary>
    ValueTask<Result<PlaybackOutcome>> PlayAsync(string sessionId, string playbackId, IAsyncEnumerable<ReadOnlyMemory<short>> pcm, CancellationToken ct);

    /// <summary>The same, of a text: how far it was heard can then be told in words (estimated by their length).</summary>
    ValueTask<Result<PlaybackOutcome>> PlayAsync(string sessionId, string playbackId, string text, IAsyncEnumerable<ReadOnlyMemory<short>> pcm, CancellationToken ct) =>
        PlayAsync(sessionId, playbackId, pcm, ct);

    /// <summary>Stops what is playing within 40 ms and empties the queue; the pending <see cref="PlayAsync(string, string, IAsyncEnumerable{ReadOnlyMemory{short}}, CancellationToken)"/> reports what was heard.</summary>
    ValueTask<Result<Done>> ClearAsync(string sessionId, CancellationToken ct);

    /// <summary>The caller's audio in 20 ms frames, in order, loss concealed, until the session closes.</summary>
    IAsyncEnumerable<AudioFrame> ListenAsync(string sessionId, CancellationToken ct);

    /// <summary>Sends the caller's audio back (echo test), until switched off.</summary>
    ValueTask<Result<Done>> EchoAsync(string sessionId, bool on, CancellationToken ct);

    /// <summary>
    /// Joins two sessions: each hears the other from here on, until one of them closes. What was being played to either is cleared. Refusal <c>media.session_unknown</c>.
    /// </summary>
    ValueTask<Result<Done>> JoinAsync(string sessionId, string otherSessionId, CancellationToken ct);

    /// <summary>Music for a peer who waits, wherever nothing else is to be heard, until switched off. Twice is quiet. Refusal <c>media.session_unknown</c>.</summary>
    ValueTask<Result<Done>> MusicAsync(string sessionId, bool on, CancellationToken ct);

    /// <summary>Starts the dual-channel recording: left the caller, right us.</summary>
    ValueTask<Result<RecordingOpened>> RecordAsync(string sessionId, CancellationToken ct);

    /// <summary>The same, sealed for this person where recordings are sealed; without a person it is sealed for whomever the call has named.</summary>
    ValueTask<Result<RecordingOpened>> RecordAsync(string sessionId, RecordedPerson person, CancellationToken ct) => RecordAsync(sessionId, ct);

    /// <summary>Closes the session and the recording, frees the port. Closing twice is quiet.</summary>
    ValueTask<Result<MediaClosed>> CloseAsync(string sessionId, CancellationToken ct);
}

/// <summary>Nothing to say but that it was done.</summary>
public sealed record Done
{
    public static readonly Done It = new();
}

/// <summary>What the equipment at the other end bears. It holds for the life of a session, in every offer and answer of ours.</summary>
/// <param name="Codecs">Names as in SDP ("PCMA"), in the order of our own offers; in answers the offerer's order rules (RFC 3264 6.1). Names that the media role does not speak count for
/// nothing; empty: all that it speaks.</param>
/// <param name="TelephoneEvent">RFC 4733 events may stand in SDP.</param>
/// <param name="Srtp">never, offered (RTP/SAVP is answered) or required; null: as the media role is set.</param>
public sealed record MediaProfile(IReadOnlyList<string> Codecs, bool TelephoneEvent = true, string? Srtp = null);

/// <param name="Profile">Null: the media role's own.</param>
/// <param name="TellsCall">False: there is no such call, so nobody hears of keys, silence, quality and recordings.</param>
public sealed record OpenMedia(Guid CallId, string Tenant, string SdpOffer, MediaProfile? Profile = null, bool TellsCall = true);

public sealed record MediaOpened(string SessionId, string SdpAnswer, string LocalAddress, string RemoteAddress, string Codec);

/// <param name="Profile">Null: the media role's own.</param>
/// <param name="Leg">A further session of a call that has one: somebody whom it is transferred to. It is not recorded, and nothing of it is told on the call but that it fell silent.</param>
/// <param name="TellsCall">As in <see cref="OpenMedia"/>.</param>
public sealed record OfferMedia(Guid CallId, string Tenant, MediaProfile? Profile = null, string? Leg = null, bool TellsCall = true);

public sealed record MediaOffered(string SessionId, string SdpOffer);

public sealed record MediaRenegotiated(string SdpAnswer, bool OnHold);

public sealed record RecordingOpened(string Uri);

/// <param name="HeardMs">How much left for the wire before the end or the clear.</param>
public sealed record PlaybackOutcome(string PlaybackId, bool Interrupted, long HeardMs);

public sealed record MediaClosed(MediaQualityMeasured? Quality, RecordingAvailable? Recording);

/// <param name="ElapsedMs">Since the session opened.</param>
/// <param name="Pcm">160 samples.</param>
/// <param name="Concealed">True when the packet was lost and the frame is a guess.</param>
public readonly record struct AudioFrame(long Index, long ElapsedMs, ReadOnlyMemory<short> Pcm, bool Concealed);
