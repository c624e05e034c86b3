using System.Net.WebSockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Sentiric.Calls.Media;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;

namespace Sentiric.Host.Gateway;

/// <summary>
/// Somebody beside a live call, over a WebSocket. Down: binary messages of 20 ms, PCM S16LE at 8 kHz, two channels (left the other party, right what it hears), and text messages that
/// say how he stands. Up: binary messages of any length, PCM S16LE at 8 kHz, one channel (what he says), and text messages that say what he wants to do: <c>{"mode": "whisper"}</c>.
/// </summary>
public static class SupervisionApi
{
    private const int MaxMessageBytes = 32 * 1024; // two seconds of a voice
    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(2);
    private const string Default = "listen";

    public static void Map(IEndpointRouteBuilder app) => app.Map("/v1/calls/{callId:guid}/listen", ServeAsync).ExcludeFromDescription();

    /// <param name="Bridged">Whether there is somebody to whisper to.</param>
    /// <param name="Refused">Why the last wish was not granted.</param>
    public sealed record Standing(SupervisionMode Mode, bool Bridged, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Refused = null);

    public sealed record Wish(string? Mode);

    private static async Task ServeAsync(HttpContext http, MediaSessions media, Guid callId, string? mode)
    {
        if (ModeOf(mode ?? Default) is not { } wanted)
        {
            await RefuseAsync(http, new("request.invalid", "mode is listen, whisper or join."));
        }
        else if (!media.Has(Tenant(http), callId.ToString("N")))
        {
            await RefuseAsync(http, new("call.unknown", "No call of this id is up."));
        }
        else if (!http.WebSockets.IsWebSocketRequest)
        {
            await Problem.WriteAsync(http, new("media.websocket_needed", "This path is a WebSocket that streams PCM."), StatusCodes.Status426UpgradeRequired);
        }
        else
        {
            await SuperviseAsync(http, media.Supervise(Tenant(http), callId, (string?)http.Items[CallerGate.ActorItem] ?? "service", wanted), wanted);
        }
    }

    private static async Task SuperviseAsync(HttpContext http, Result<Supervision> begun, SupervisionMode mode)
    {
        if (begun.Refusal is { } refusal)
        {
            await RefuseAsync(http, refusal);
            return;
        }

        await using var supervision = begun.Value;
        using var socket = await http.WebSockets.AcceptWebSocketAsync();
        using var sending = new SemaphoreSlim(1); // a WebSocket takes one sender at a time
        using var over = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        var down = BringAsync(supervision, socket, sending, over.Token);
        try
        {
            await TellAsync(socket, sending, new(mode, supervision.IsBridged), over.Token);
            var up = ObeyAsync(supervision, socket, sending, mode, over.Token);
            if (await Task.WhenAny(down, up) == down)
            {
                await down;
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "the call is over", over.Token);
                await up.WaitAsync(ClosePatience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // to give up reading earlier would cut the close off
            }
            else
            {
                await up;
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // He is gone; the call goes on.
            http.Abort();
        }
        finally
        {
            await over.CancelAsync();
            await down.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task BringAsync(Supervision supervision, WebSocket socket, SemaphoreSlim sending, CancellationToken ct)
    {
        await foreach (var frame in supervision.Frames.ReadAllAsync(ct))
        {
            await SendAsync(socket, sending, MemoryMarshal.AsBytes(frame.Pcm.Span).ToArray(), WebSocketMessageType.Binary, ct);
        }
    }

    private static async Task ObeyAsync(Supervision supervision, WebSocket socket, SemaphoreSlim sending, SupervisionMode mode, CancellationToken ct)
    {
        var buffer = new byte[MaxMessageBytes];
        while (await ReceiveAsync(socket, buffer, ct) is { } received)
        {
            var message = buffer.AsMemory(0, received.Length);
            if (!received.IsText)
            {
                supervision.Speak(MemoryMarshal.Cast<byte, short>(message.Span));
                continue;
            }

            var refused = "request.invalid";
            if (WishOf(message.Span) is { } wanted)
            {
                refused = supervision.Use(wanted).Refusal?.Code;
                mode = refused is null ? wanted : mode;
            }

            await TellAsync(socket, sending, new(mode, supervision.IsBridged, refused), ct);
        }
    }

    // Null: he closed, or sent more than anybody says at once.
    private static async Task<(int Length, bool IsText)?> ReceiveAsync(WebSocket socket, byte[] buffer, CancellationToken ct)
    {
        for (var length = 0; length < buffer.Length;)
        {
            var received = await socket.ReceiveAsync(buffer.AsMemory(length), ct);
            length += received.Count;
            if (received.MessageType == WebSocketMessageType.Close)
            {
                return null;
            }

            if (received.EndOfMessage)
            {
                return (length, received.MessageType == WebSocketMessageType.Text);
            }
        }

        return null;
    }

    private static Task TellAsync(WebSocket socket, SemaphoreSlim sending, Standing standing, CancellationToken ct) =>
        SendAsync(socket, sending, JsonSerializer.SerializeToUtf8Bytes(standing, Wire.Json), WebSocketMessageType.Text, ct);

    private static async Task SendAsync(WebSocket socket, SemaphoreSlim sending, ReadOnlyMemory<byte> message, WebSocketMessageType type, CancellationToken ct)
    {
        await sending.WaitAsync(ct);
        try
        {
            await socket.SendAsync(message, type, endOfMessage: true, ct);
        }
        finally
        {
            sending.Release();
        }
    }

    private static SupervisionMode? WishOf(ReadOnlySpan<byte> text)
    {
        try
        {
            return JsonSerializer.Deserialize<Wish>(text, Wire.Json)?.Mode is { } mode ? ModeOf(mode) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static SupervisionMode? ModeOf(string text) => text switch
    {
        "listen" => SupervisionMode.Listen,
        "whisper" => SupervisionMode.Whisper,
        "join" => SupervisionMode.Join,
        _ => null,
    };

    private static Task RefuseAsync(HttpContext http, Refusal refusal) => Problem.WriteAsync(http, refusal, Problems.StatusOf(refusal.Code));

    private static string Tenant(HttpContext http) => (string)http.Items[CallerGate.TenantItem]!;
}
