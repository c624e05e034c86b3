using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Media;

namespace Sentiric.Calls.Media;

/// <summary>How a session stands.</summary>
/// <param name="PlaybackId">What is being said; absent when nothing is.</param>
/// <param name="HeardMs">How much of it left for the wire.</param>
/// <param name="WaitingMs">How much is queued behind that point, over all playbacks.</param>
/// <param name="Recording">Address of the recording that runs.</param>
public sealed record MediaState(
    string SessionId, Guid CallId, string? Codec, string? RemoteAddress, string? PlaybackId, long HeardMs, long WaitingMs, string? Recording, bool RecordingPaused)
{
    /// <summary>How much of the text was heard, where whoever plays has said what it says.</summary>
    public WordsHeard? Heard { get; init; }
}

/// <param name="Words">Words that were heard to their end.</param>
/// <param name="Of">Words of the text.</param>
/// <param name="Text">Those that were heard.</param>
/// <param name="From">word_times: the voice told when each word ends; estimated: by the length of the words.</param>
public sealed record WordsHeard(int Words, int Of, string Text, string From);

/// <summary>A playback that ended, or was cut off.</summary>
public sealed record PlaybackEnd(string PlaybackId, bool Interrupted, long HeardMs, long QueuedMs)
{
    /// <summary>The same in words, where the text is known.</summary>
    public WordsHeard? Heard { get; init; }
}

/// <summary>
/// What the session port of the media service asks beside <see cref="IMediaSessions"/>. Everything names the tenant: a session of another one does not exist.
/// </summary>
public sealed partial class MediaSessions
{
    private static readonly Refusal NotRecording = new("media.not_recording", "Nothing is being recorded in this session.");

    /// <summary>Whether a call has a session, whosever it is.</summary>
    public bool IsOpen(Guid callId) => _legs.ContainsKey(IdOf(callId));

    /// <summary>Whether the session is there and is the tenant's.</summary>
    public bool Has(string tenant, string sessionId) => Find(tenant, sessionId) is not null;

    public Result<MediaState> State(string tenant, string sessionId)
    {
        if (Find(tenant, sessionId) is not { } leg)
        {
            return UnknownSession;
        }

        var where = leg.Session.Where();
        return new MediaState(
            sessionId, leg.CallId, leg.Session.Audio?.Codec.EncodingName(), leg.Session.Audio?.Remote.ToString(), where.PlaybackId, where.PlayedMs, where.WaitingMs,
            leg.RecordingUri, leg.RecordingPaused) { Heard = Words(where.Heard) };
    }

    public Result<MediaQualityMeasured> QualityOf(string tenant, string sessionId) =>
        Find(tenant, sessionId) is { } leg ? Quality(leg.Session.Quality(), summary: false) : UnknownSession;

    /// <summary>
    /// Queues samples behind what is there and ends the playback. Refusal <c>media.queue_full</c> at the bound of the queue; nothing is queued then. The task ends
    /// with the playback.
    /// </summary>
    /// <param name="words">What is said; null where nobody knows.</param>
    public Result<Task<PlaybackEnd>> Queue(string tenant, string sessionId, string playbackId, ReadOnlyMemory<short> pcm, SpokenWords? words = null)
    {
        if (Find(tenant, sessionId) is not { } leg)
        {
            return UnknownSession;
        }

        var playback = leg.Session.Play(playbackId);
        if (words is not null)
        {
            playback.Say(words);
        }

        if (!playback.Enqueue(pcm))
        {
            playback.Complete();
            return new Refusal("media.queue_full", "The queue of this session takes no more, or a playback of this name has been completed.");
        }

        playback.Complete();
        return EndOf(playback.Finished);
    }

    /// <summary>Silence from the next tick on; what was cut off, with how much of it was heard.</summary>
    public Result<IReadOnlyList<PlaybackEnd>> Silence(string tenant, string sessionId) =>
        Find(tenant, sessionId) is { } leg ? leg.Session.Clear().Select(End).ToList() : UnknownSession;

    /// <summary>The timeline of the recording goes on in silence. Refusal <c>media.not_recording</c>.</summary>
    public Result<Done> PauseRecording(string tenant, string sessionId, bool paused)
    {
        if (Find(tenant, sessionId) is not { } leg)
        {
            return UnknownSession;
        }

        if (!leg.Session.PauseRecording(paused))
        {
            return NotRecording;
        }

        leg.RecordingPaused = paused;
        return Done.It;
    }

    /// <summary>Ends the recording before the call and tells the call. Refusals: <c>media.not_recording</c>, <c>media.recording_failed</c>.</summary>
    public async ValueTask<Result<RecordingAvailable>> StopRecordingAsync(string tenant, string sessionId)
    {
        if (Find(tenant, sessionId) is not { } leg)
        {
            return UnknownSession;
        }

        if (leg.RecordingUri is not { } uri || await leg.Session.StopRecordingAsync() is not { } file)
        {
            return NotRecording;
        }

        (leg.RecordingUri, leg.RecordingEnded) = (null, true);

        if (file.Error is { } error)
        {
            LogRecordingFailed(sessionId, error);
            return new Refusal("media.recording_failed", error);
        }

        var available = shelf.Available(uri, file);
        leg.Tell(available);
        _ = shelf.CarryAsync(uri, CancellationToken.None); // nobody waits for it: what fails is logged and tried again
        return available;
    }

    /// <summary>Refusal <c>media.digits_refused</c>: the other side takes no telephone events, or they are no digits.</summary>
    public Result<Done> SendDigits(string tenant, string sessionId, string digits) => Find(tenant, sessionId) is not { } leg ? UnknownSession
        : leg.Session.SendDtmf(digits) ? Done.It
        : new Refusal("media.digits_refused", "The other side takes no telephone events, these are not 1 to 64 of 0-9 * # A-D, or too many wait.");

    private Leg? Find(string tenant, string sessionId) => _legs.TryGetValue(sessionId, out var leg) && leg.Tenant == tenant ? leg : null;

    private static async Task<PlaybackEnd> EndOf(Task<PlaybackResult> finished) => End(await finished);

    private static PlaybackEnd End(PlaybackResult result) => new(result.PlaybackId, result.Interrupted, result.HeardMs, result.QueuedMs) { Heard = Words(result.Heard) };

    private static WordsHeard? Words(HeardWords? heard) =>
        heard is null ? null : new(heard.Words, heard.Of, heard.Text, heard.Estimated ? "estimated" : "word_times");
}
