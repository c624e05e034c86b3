using System.Net.WebSockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using Sentiric.Contracts;
using Sentiric.Contracts.Services;

namespace Sentiric.Host.Ports;

/// <summary>
/// One playback over a WebSocket: PCM S16LE goes up in binary messages as it is made, the closing of that direction says that it was all;
/// down comes one text message, the outcome. It comes early after a clear or the end of the call, and then no more audio is sent.
/// An HTTP body could do neither: it has a size and a pace limit, and its answer is read only when all of it has been sent.
/// </summary>
internal static class PlaySocket
{
    private const int MaxAnswerBytes = 4 * 1024;

    /// <summary>The agent's end.</summary>
    public static async Task<Result<PlaybackOutcome>> PlayAsync(WebSocket socket, IAsyncEnumerable<ReadOnlyMemory<short>> pcm, CancellationToken ct)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var answer = ReceiveAnswerAsync(socket, ct);
        var sending = SendAsync(socket, pcm, over.Token);
        try
        {
            if (await Task.WhenAny(answer, sending) == sending)
            {
                await sending;
            }

            return await answer;
        }
        catch (WebSocketException e)
        {
            throw new ServiceUnavailableException($"The media role broke off: {e.Message}", e);
        }
        finally
        {
            // A voice that is still being made for nobody ends when it looks at its token.
            await over.CancelAsync();
            _ = Task.WhenAll(answer, sending).ContinueWith(t => _ = t.Exception, TaskScheduler.Default);
        }
    }

    /// <summary>The media role's end.</summary>
    public static async Task ServeAsync(HttpContext http, IMediaSessions media, string sessionId, string playbackId, string text)
    {
        if (!http.WebSockets.IsWebSocketRequest)
        {
            http.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
            return;
        }

        var ct = http.RequestAborted;
        using var socket = await http.WebSockets.AcceptWebSocketAsync();
        try
        {
            var result = await media.PlayAsync(sessionId, playbackId, text, PcmStream.ReadAsync((buffer, token) => ReadAsync(socket, buffer, token), ct), ct);
            var answer = result.Match(outcome => new Answer(outcome, null), refusal => new Answer(null, refusal));
            await socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(answer, Wire.Json).AsMemory(), WebSocketMessageType.Text, endOfMessage: true, ct);
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, ct);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // The agent is gone: nobody is left to hear how it ended.
            http.Abort();
        }
    }

    private static async Task SendAsync(WebSocket socket, IAsyncEnumerable<ReadOnlyMemory<short>> pcm, CancellationToken ct)
    {
        await foreach (var chunk in pcm.WithCancellation(ct))
        {
            var bytes = MemoryMarshal.AsBytes(chunk.Span).ToArray();
            await socket.SendAsync(bytes.AsMemory(), WebSocketMessageType.Binary, endOfMessage: true, ct);
        }

        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, ct);
    }

    private static async Task<Result<PlaybackOutcome>> ReceiveAnswerAsync(WebSocket socket, CancellationToken ct)
    {
        var buffer = new byte[MaxAnswerBytes];
        var received = await PortSocket.ReceiveWholeAsync(socket, buffer, ct);
        var answer = received.MessageType == WebSocketMessageType.Text ? JsonSerializer.Deserialize<Answer>(buffer.AsSpan(0, received.Count), Wire.Json) : null;
        return answer switch
        {
            { Outcome: { } outcome } => outcome,
            { Refusal: { } refusal } => refusal,
            _ => throw new ServiceUnavailableException("The media role closed a playback without saying how it went."),
        };
    }

    // Empty messages are no end; the end is the close.
    private static async ValueTask<int> ReadAsync(WebSocket socket, Memory<byte> buffer, CancellationToken ct)
    {
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer, ct);
            if (received.Count > 0 || received.MessageType == WebSocketMessageType.Close)
            {
                return received.Count;
            }
        }
    }

    private sealed record Answer(PlaybackOutcome? Outcome, Refusal? Refusal);
}
