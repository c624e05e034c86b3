using System.Buffers.Binary;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Sentiric.Contracts;
using Sentiric.Contracts.Services;

namespace Sentiric.Host.Ports;

/// <summary><see cref="IMediaSessions"/> over HTTP and WebSocket, both ends. Playing (<see cref="PlaySocket"/>) streams PCM up, listening streams PCM down.</summary>
public sealed class MediaPort(HttpClient client, string serviceKey) : IMediaSessions
{
    private const string Media = PortHttp.Prefix + "/media";
    private const int MaxTextLetters = 600; // up to 9 bytes each in a request line, of which a server takes 8 KB; a longer text is not told in words
    private const int FrameHeaderBytes = 17;
    private const int MaxFrameBytes = FrameHeaderBytes + (2 * 160 * 6);

    public ValueTask<Result<MediaOpened>> OpenAsync(OpenMedia request, CancellationToken ct) =>
        client.AskAsync<OpenMedia, MediaOpened>(Media + "/open", request, ct);

    public ValueTask<Result<MediaOffered>> OfferAsync(OfferMedia request, CancellationToken ct) =>
        client.AskAsync<OfferMedia, MediaOffered>(Media + "/offer", request, ct);

    public ValueTask<Result<MediaOffered>> OfferAgainAsync(string sessionId, CancellationToken ct) =>
        client.AskAsync<Session, MediaOffered>(Media + "/offer-again", new(sessionId), ct);

    public ValueTask<Result<MediaOpened>> AcceptAsync(string sessionId, string sdpAnswer, CancellationToken ct) =>
        client.AskAsync<Offer, MediaOpened>(Media + "/accept", new(sessionId, sdpAnswer), ct);

    public ValueTask<Result<MediaRenegotiated>> RenegotiateAsync(string sessionId, string sdpOffer, CancellationToken ct) =>
        client.AskAsync<Offer, MediaRenegotiated>(Media + "/renegotiate", new(sessionId, sdpOffer), ct);

    public ValueTask<Result<PlaybackOutcome>> PlayAsync(string sessionId, string playbackId, IAsyncEnumerable<ReadOnlyMemory<short>> pcm, CancellationToken ct) =>
        PlayAsync(sessionId, playbackId, "", pcm, ct);

    public async ValueTask<Result<PlaybackOutcome>> PlayAsync(
        string sessionId, string playbackId, string text, IAsyncEnumerable<ReadOnlyMemory<short>> pcm, CancellationToken ct)
    {
        var words = text.Length is > 0 and <= MaxTextLetters ? "?text=" + Uri.EscapeDataString(text) : "";
        using var socket = await PortSocket.ConnectAsync(
            client.BaseAddress!, $"{Media}/play/{Uri.EscapeDataString(sessionId)}/{Uri.EscapeDataString(playbackId)}{words}", serviceKey, ct);
        return await PlaySocket.PlayAsync(socket, pcm, ct);
    }

    public ValueTask<Result<Done>> ClearAsync(string sessionId, CancellationToken ct) =>
        client.AskAsync<Session, Done>(Media + "/clear", new(sessionId), ct);

    public ValueTask<Result<Done>> EchoAsync(string sessionId, bool on, CancellationToken ct) =>
        client.AskAsync<Echo, Done>(Media + "/echo", new(sessionId, on), ct);

    public ValueTask<Result<Done>> JoinAsync(string sessionId, string otherSessionId, CancellationToken ct) =>
        client.AskAsync<Pair, Done>(Media + "/join", new(sessionId, otherSessionId), ct);

    public ValueTask<Result<Done>> MusicAsync(string sessionId, bool on, CancellationToken ct) =>
        client.AskAsync<Echo, Done>(Media + "/music", new(sessionId, on), ct);

    public ValueTask<Result<RecordingOpened>> RecordAsync(string sessionId, CancellationToken ct) =>
        client.AskAsync<Recorded, RecordingOpened>(Media + "/record", new(sessionId, null), ct);

    public ValueTask<Result<RecordingOpened>> RecordAsync(string sessionId, RecordedPerson person, CancellationToken ct) =>
        client.AskAsync<Recorded, RecordingOpened>(Media + "/record", new(sessionId, person), ct);

    public ValueTask<Result<MediaClosed>> CloseAsync(string sessionId, CancellationToken ct) =>
        client.AskAsync<Session, MediaClosed>(Media + "/close", new(sessionId), ct);

    public async IAsyncEnumerable<AudioFrame> ListenAsync(string sessionId, [EnumeratorCancellation] CancellationToken ct)
    {
        using var socket = await PortSocket.ConnectAsync(client.BaseAddress!, $"{Media}/listen/{Uri.EscapeDataString(sessionId)}", serviceKey, ct);
        var buffer = new byte[MaxFrameBytes];
        while (await PortSocket.ReceiveWholeAsync(socket, buffer, ct) is { MessageType: WebSocketMessageType.Binary } received)
        {
            yield return Decode(buffer.AsSpan(0, received.Count));
        }
    }

    public static void Map(IEndpointRouteBuilder routes, IMediaSessions media)
    {
        routes.MapQuestion<OpenMedia, MediaOpened>(Media + "/open", media.OpenAsync);
        routes.MapQuestion<OfferMedia, MediaOffered>(Media + "/offer", media.OfferAsync);
        routes.MapQuestion<Session, MediaOffered>(Media + "/offer-again", (q, ct) => media.OfferAgainAsync(q.SessionId, ct));
        routes.MapQuestion<Offer, MediaOpened>(Media + "/accept", (q, ct) => media.AcceptAsync(q.SessionId, q.Sdp, ct));
        routes.MapQuestion<Offer, MediaRenegotiated>(Media + "/renegotiate", (q, ct) => media.RenegotiateAsync(q.SessionId, q.Sdp, ct));
        routes.MapQuestion<Session, Done>(Media + "/clear", (q, ct) => media.ClearAsync(q.SessionId, ct));
        routes.MapQuestion<Echo, Done>(Media + "/echo", (q, ct) => media.EchoAsync(q.SessionId, q.On, ct));
        routes.MapQuestion<Echo, Done>(Media + "/music", (q, ct) => media.MusicAsync(q.SessionId, q.On, ct));
        routes.MapQuestion<Pair, Done>(Media + "/join", (q, ct) => media.JoinAsync(q.SessionId, q.OtherSessionId, ct));
        routes.MapQuestion<Recorded, RecordingOpened>(
            Media + "/record", (q, ct) => q.Person is { } person ? media.RecordAsync(q.SessionId, person, ct) : media.RecordAsync(q.SessionId, ct));
        routes.MapQuestion<Session, MediaClosed>(Media + "/close", (q, ct) => media.CloseAsync(q.SessionId, ct));
        routes.Map(Media + "/play/{sessionId}/{playbackId}", (HttpContext http, string sessionId, string playbackId, string? text) =>
            PlaySocket.ServeAsync(http, media, sessionId, playbackId, text ?? "")).ExcludeFromDescription();
        routes.Map(Media + "/listen/{sessionId}", (HttpContext http, string sessionId) => ServeListenAsync(http, media, sessionId)).ExcludeFromDescription();
    }

    private static async Task ServeListenAsync(HttpContext http, IMediaSessions media, string sessionId)
    {
        if (!http.WebSockets.IsWebSocketRequest)
        {
            http.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
            return;
        }

        using var socket = await http.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[MaxFrameBytes];
        await foreach (var frame in media.ListenAsync(sessionId, http.RequestAborted))
        {
            await socket.SendAsync(buffer.AsMemory(0, Encode(frame, buffer)), WebSocketMessageType.Binary, endOfMessage: true, http.RequestAborted);
        }

        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "session closed", http.RequestAborted);
    }

    // index int64, elapsed ms int64, concealed byte, then PCM; little endian
    private static int Encode(AudioFrame frame, Span<byte> buffer)
    {
        BinaryPrimitives.WriteInt64LittleEndian(buffer, frame.Index);
        BinaryPrimitives.WriteInt64LittleEndian(buffer[8..], frame.ElapsedMs);
        buffer[16] = frame.Concealed ? (byte)1 : (byte)0;
        var pcm = MemoryMarshal.AsBytes(frame.Pcm.Span);
        pcm.CopyTo(buffer[FrameHeaderBytes..]);
        return FrameHeaderBytes + pcm.Length;
    }

    private static AudioFrame Decode(ReadOnlySpan<byte> message) => new(
        BinaryPrimitives.ReadInt64LittleEndian(message),
        BinaryPrimitives.ReadInt64LittleEndian(message[8..]),
        MemoryMarshal.Cast<byte, short>(message[FrameHeaderBytes..]).ToArray(),
        message[16] == 1);

    public sealed record Session(string SessionId);

    public sealed record Recorded(string SessionId, RecordedPerson? Person);

    public sealed record Offer(string SessionId, string Sdp);

    public sealed record Pair(string SessionId, string OtherSessionId);

    public sealed record Echo(string SessionId, bool On);
}
