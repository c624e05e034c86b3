using System.Globalization;
using System.Net.WebSockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Mvc;
using Sentiric.Calls.Media;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Media;
using MediaClosed = Sentiric.Contracts.Services.MediaClosed;
using MediaOpened = Sentiric.Contracts.Services.MediaOpened;

namespace Sentiric.Host.Gateway;

/// <summary>
/// The session port of the media service for programs that are not ours: open, answer, play, clear, where are we, listen, record, close, quality.
/// Audio is 8 kHz, 16 bits, mono. A session of a live call has the call's id without dashes.
/// </summary>
public static class MediaApi
{
    private const int MaxBodyBytes = 2 * 1024 * 1024;
    private const string Sessions = "/v1/media/sessions";
    private const string One = Sessions + "/{sessionId}";

    public static void Map(IEndpointRouteBuilder app)
    {
        var routes = app.MapGroup("").WithTags("media");
        routes.MapPost(Sessions, OpenAsync).WithName("OpenMediaSession").Produces<MediaSessionReply>(201).WithSummary("Opens a media session: answers an offer, or makes one.");
        routes.MapGet(One, (HttpContext http, MediaSessions media, string sessionId) => Answer(media.State(Tenant(http), sessionId)))
            .WithName("GetMediaSession").Produces<MediaState>().WithSummary("How a session stands: what is being said, how much of it was heard, what is recorded.");
        routes.MapGet(One + "/quality", (HttpContext http, MediaSessions media, string sessionId) => Answer(media.QualityOf(Tenant(http), sessionId)))
            .WithName("GetMediaQuality").Produces<MediaQualityMeasured>().WithSummary("Received speech quality so far.");
        routes.MapPost(One + "/answer", AcceptAsync).WithName("AnswerMediaSession").Produces<MediaSessionReply>().WithSummary("The answer to the session's offer; audio runs from here on.");
        routes.MapPost(One + "/offer", RenegotiateAsync).WithName("RenegotiateMediaSession").Produces<MediaRenegotiated>().WithSummary("A new offer of the other side, as in a re-INVITE.");
        routes.MapPut(One + "/playbacks/{playbackId}", PlayAsync).WithName("PlayInMediaSession").Produces<PlaybackEnd>()
            .WithSummary("Queues audio (audio/wav, or audio/L16 at 8 kHz, little endian) behind what waits; with ?wait=true the answer comes when it was heard or cut off. ?text= says what is said, &word_ends_ms= when each word ends; then it is told which words were heard.");
        routes.MapDelete(One + "/playbacks", (HttpContext http, MediaSessions media, string sessionId) => Answer(media.Silence(Tenant(http), sessionId)))
            .WithName("ClearMediaSession").Produces<IReadOnlyList<PlaybackEnd>>().WithSummary("Silence within 40 ms; says how much of each playback was heard.");
        routes.MapPost(One + "/digits", (HttpContext http, MediaSessions media, string sessionId, [FromBody] DigitsRequest asked) =>
            Answer(media.SendDigits(Tenant(http), sessionId, asked.Digits))).WithName("SendDigits").Produces<Done>().WithSummary("Sends keys as RFC 4733 events.");
        routes.MapPost(One + "/recording", RecordAsync).WithName("StartRecording").Produces<RecordingOpened>(201).WithSummary("Starts the dual-channel recording.");
        routes.MapPatch(One + "/recording", (HttpContext http, MediaSessions media, string sessionId, [FromBody] PauseRequest asked) =>
            Answer(media.PauseRecording(Tenant(http), sessionId, asked.Paused))).WithName("PauseRecording").Produces<Done>().WithSummary("Pauses the recording or goes on; the timeline stays.");
        routes.MapDelete(One + "/recording", async (HttpContext http, MediaSessions media, string sessionId) => Answer(await media.StopRecordingAsync(Tenant(http), sessionId)))
            .WithName("StopRecording").Produces<RecordingAvailable>().WithSummary("Ends the recording before the session.");
        routes.MapDelete(One, CloseAsync).WithName("CloseMediaSession").Produces<MediaClosed>().WithSummary("Closes the session and frees its port.");
        routes.Map(One + "/audio", ListenAsync).ExcludeFromDescription();
    }

    /// <param name="CallId">The call whose story hears of digits, quality and recordings; it must exist. Absent: nobody hears of them.</param>
    /// <param name="SdpOffer">Absent: the session makes an offer, and waits for the answer.</param>
    public sealed record OpenRequest(Guid? CallId, string? SdpOffer);

    /// <param name="Sdp">Our answer, or our offer when <paramref name="Answered"/> is false.</param>
    public sealed record MediaSessionReply(string SessionId, bool Answered, string Sdp, string? LocalAddress, string? RemoteAddress, string? Codec);

    public sealed record SdpRequest(string Sdp);

    public sealed record DigitsRequest(string Digits);

    public sealed record PauseRequest(bool Paused);

    /// <param name="From">The caller's number; with a master key the recording is sealed for this person.</param>
    public sealed record RecordRequest(string? From, Guid? UserId);

    private static async Task<IResult> OpenAsync([FromBody] OpenRequest asked, HttpContext http, MediaSessions media, TimeProvider clock, CancellationToken ct)
    {
        var call = asked.CallId ?? Guid.CreateVersion7(clock.GetUtcNow());
        if (media.IsOpen(call))
        {
            return Problem(new("session.exists", $"Call {call} has a media session; it is addressed by the call's id without dashes."));
        }

        if (asked.SdpOffer is { } offer)
        {
            return Answer(Reply(await media.OpenAsync(new(call, Tenant(http), offer, TellsCall: asked.CallId is not null), ct)), 201);
        }

        var offered = await media.OfferAsync(new(call, Tenant(http), TellsCall: asked.CallId is not null), ct);
        return offered.Match(o => Results.Json(new MediaSessionReply(o.SessionId, false, o.SdpOffer, null, null, null), Wire.Json, statusCode: 201), Problem);
    }

    private static async Task<IResult> AcceptAsync(string sessionId, [FromBody] SdpRequest asked, HttpContext http, MediaSessions media, CancellationToken ct) =>
        media.Has(Tenant(http), sessionId) ? Answer(Reply(await media.AcceptAsync(sessionId, asked.Sdp, ct))) : Unknown();

    private static async Task<IResult> RenegotiateAsync(string sessionId, [FromBody] SdpRequest asked, HttpContext http, MediaSessions media, CancellationToken ct) =>
        media.Has(Tenant(http), sessionId) ? Answer(await media.RenegotiateAsync(sessionId, asked.Sdp, ct)) : Unknown();

    private static async Task<IResult> PlayAsync(string sessionId, string playbackId, bool? wait, string? text, [FromQuery(Name = "word_ends_ms")] string? wordEndsMs, HttpContext http, MediaSessions media, CancellationToken ct)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, ct);
        if (body.Length > MaxBodyBytes)
        {
            return Problem(new("request.too_large", $"Audio of one request has at most {MaxBodyBytes} bytes."));
        }

        if (ReadAudio(http.Request.ContentType, body.ToArray()) is not { } pcm)
        {
            return Problem(new("media.bad_audio", "The body is neither audio/wav (16 bits, 8, 16, 24 or 48 kHz, the first channel is played) nor audio/L16 (8 kHz, little endian)."));
        }

        if (!TryReadWords(text, wordEndsMs, out var words))
        {
            return Problem(new("request.invalid", "word_ends_ms has one rising time in ms for each word of text, comma separated."));
        }

        var queued = media.Queue(Tenant(http), sessionId, playbackId, pcm, words);
        if (queued.Refusal is { } refusal)
        {
            return Problem(refusal);
        }

        return wait == true
            ? Results.Json(await queued.Value.WaitAsync(ct), Wire.Json)
            : Results.Json(new PlaybackEnd(playbackId, false, 0, pcm.Length / (Tone.SampleRate / 1_000)), Wire.Json, statusCode: 202);
    }

    private static async Task<IResult> RecordAsync(string sessionId, [FromBody] RecordRequest asked, HttpContext http, MediaSessions media, CancellationToken ct) =>
        media.Has(Tenant(http), sessionId) ? Answer(await media.RecordAsync(sessionId, new RecordedPerson(asked.From, asked.UserId), ct), 201) : Unknown();

    private static async Task<IResult> CloseAsync(string sessionId, HttpContext http, MediaSessions media, CancellationToken ct) =>
        media.Has(Tenant(http), sessionId) ? Answer(await media.CloseAsync(sessionId, ct)) : Unknown();

    // Binary messages, one frame of 20 ms each, until the session closes.
    private static async Task ListenAsync(string sessionId, HttpContext http, MediaSessions media)
    {
        if (!media.Has(Tenant(http), sessionId))
        {
            await Unknown().ExecuteAsync(http);
            return;
        }

        if (!http.WebSockets.IsWebSocketRequest)
        {
            await Gateway.Problem.WriteAsync(http, new("media.websocket_needed", "This path is a WebSocket that streams PCM."), StatusCodes.Status426UpgradeRequired);
            return;
        }

        using var socket = await http.WebSockets.AcceptWebSocketAsync();
        await foreach (var frame in media.ListenAsync(sessionId, http.RequestAborted))
        {
            await socket.SendAsync(MemoryMarshal.AsBytes(frame.Pcm.Span).ToArray().AsMemory(), WebSocketMessageType.Binary, endOfMessage: true, http.RequestAborted);
        }

        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "session closed", http.RequestAborted);
    }

    private static bool TryReadWords(string? text, string? endsMs, out SpokenWords? words)
    {
        words = null;
        try
        {
            words = text is null ? null : new SpokenWords(text, endsMs?.Split(',').Select(ms => long.Parse(ms, NumberStyles.None, CultureInfo.InvariantCulture)).ToList());
            return text is not null || endsMs is null;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException)
        {
            return false;
        }
    }

    private static short[]? ReadAudio(string? contentType, byte[] body)
    {
        var type = contentType?.Split(';')[0].Trim();
        if (string.Equals(type, "audio/L16", StringComparison.OrdinalIgnoreCase))
        {
            return MemoryMarshal.Cast<byte, short>(body).ToArray();
        }

        try
        {
            return string.Equals(type, "audio/wav", StringComparison.OrdinalIgnoreCase) ? TelephoneAudio.Narrow(WavFile.Parse(body)) : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static Result<MediaSessionReply> Reply(Result<MediaOpened> opened) => opened.Match<Result<MediaSessionReply>>(
        o => new MediaSessionReply(o.SessionId, true, o.SdpAnswer, o.LocalAddress, o.RemoteAddress, o.Codec), refusal => refusal);

    private static IResult Answer<T>(Result<T> result, int status = 200) => result.Match(value => Results.Json(value, Wire.Json, statusCode: status), Problem);

    private static IResult Unknown() => Problem(new("media.session_unknown", "There is no such media session, or it has been closed."));

    private static IResult Problem(Refusal refusal)
    {
        var body = Problems.Of(refusal);
        return Results.Json(body, Wire.Json, Problems.ContentType, body.Status);
    }

    private static string Tenant(HttpContext http) => (string)http.Items[CallerGate.TenantItem]!;
}
