using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Threading.Channels;
using Sentiric.Contracts;
using Sentiric.Speech;

namespace Sentiric.Host.Ports;

/// <summary>
/// <see cref="ISpeechRecognizer"/> over a WebSocket, both ends. Text messages are <see cref="SttMessage"/>, binary ones PCM S16LE.
/// Up: start, then audio, begin and end. Down: started or failed, partials, and one final for every end.
/// </summary>
public sealed class RecognizerPort(Uri address, string serviceKey) : ISpeechRecognizer
{
    internal const string Path = PortHttp.Prefix + "/stt/stream";
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(10);

    public RecognizerInfo Info { get; } = new("remote", address.Authority, ["*"], Streaming: true, NativeSampleRate: 8000);

    public async ValueTask<IRecognitionSession> StartAsync(RecognitionOptions options, CancellationToken cancel)
    {
        ClientWebSocket? socket = null;
        try
        {
            using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            limited.CancelAfter(StartTimeout);
            socket = await PortSocket.ConnectAsync(address, Path, serviceKey, limited.Token);
            await SttSocket.SendAsync(socket, new("start") { Options = options }, limited.Token);
            return await SttSocket.ReceiveAsync(socket, limited.Token) is { Kind: "started" }
                ? new RemoteRecognitionSession(socket)
                : throw new SpeechEngineException(SpeechFault.RemoteFailed, "The stt role closed the stream.", "Look into the log of that role.");
        }
        catch (Exception e)
        {
            socket?.Dispose();
            throw e is WebSocketException or ServiceUnavailableException or OperationCanceledException && !cancel.IsCancellationRequested
                ? SpeechFaults.Unreachable("stt", e)
                : e;
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public static void Map(IEndpointRouteBuilder routes, ISpeechRecognizer recognizer) =>
        routes.Map(Path, (HttpContext http) => SttSocket.ServeAsync(http, recognizer)).ExcludeFromDescription();
}

/// <param name="Kind">start, begin, end; started, failed, partial, final.</param>
internal sealed record SttMessage(string Kind)
{
    public RecognitionOptions? Options { get; init; }

    public double PreRollMs { get; init; }

    public RecognitionResult? Result { get; init; }

    public SpeechFault? Fault { get; init; }

    public string? Why { get; init; }

    public string? Remedy { get; init; }
}

/// <summary>The agent's end of one stream. Writes are one caller's; a reader task owns the receiving half.</summary>
internal sealed class RemoteRecognitionSession : IRecognitionSession
{
    private static readonly TimeSpan FinalTimeout = TimeSpan.FromSeconds(10);
    private const int MaxPartials = 64;
    private readonly ClientWebSocket _socket;
    private readonly CancellationTokenSource _closing = new();
    private readonly Channel<RecognitionResult> _finals = Channel.CreateBounded<RecognitionResult>(MaxPartials);
    private readonly Channel<RecognitionResult> _partials =
        Channel.CreateBounded<RecognitionResult>(new BoundedChannelOptions(MaxPartials) { FullMode = BoundedChannelFullMode.DropOldest });
    private readonly Task _reader;

    // Written by the reader before it completes the finals.
    private volatile SpeechEngineException? _fault;

    public RemoteRecognitionSession(ClientWebSocket socket)
    {
        _socket = socket;
        _reader = ReadAsync();
    }

    public RecognitionResult? CurrentPartial { get; private set; }

    public IAsyncEnumerable<RecognitionResult> Partials => _partials.Reader.ReadAllAsync();

    public async ValueTask WriteAsync(ReadOnlyMemory<short> pcm, CancellationToken cancel)
    {
        var bytes = MemoryMarshal.AsBytes(pcm.Span).ToArray();
        await GuardAsync(() => _socket.SendAsync(bytes.AsMemory(), WebSocketMessageType.Binary, endOfMessage: true, cancel).AsTask());
    }

    public async ValueTask BeginUtteranceAsync(TimeSpan preRoll, CancellationToken cancel) =>
        await GuardAsync(() => SttSocket.SendAsync(_socket, new("begin") { PreRollMs = preRoll.TotalMilliseconds }, cancel));

    public async ValueTask<RecognitionResult> EndUtteranceAsync(CancellationToken cancel)
    {
        await GuardAsync(() => SttSocket.SendAsync(_socket, new("end"), cancel));
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limited.CancelAfter(FinalTimeout);
        try
        {
            var final = await _finals.Reader.ReadAsync(limited.Token);
            CurrentPartial = null;
            return final;
        }
        catch (Exception e) when (e is ChannelClosedException or OperationCanceledException && !cancel.IsCancellationRequested)
        {
            throw _fault ?? SpeechFaults.Unreachable("stt", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        _socket.Abort();
        await _reader;
        _socket.Dispose();
        _closing.Dispose();
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await SttSocket.ReceiveAsync(_socket, _closing.Token) is { Result: { } result })
            {
                if (result.Kind == RecognitionKind.Final)
                {
                    await _finals.Writer.WriteAsync(result, _closing.Token);
                }
                else
                {
                    CurrentPartial = result;
                    _partials.Writer.TryWrite(result);
                }
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or SpeechEngineException)
        {
            _fault = e as SpeechEngineException;
            _finals.Writer.TryComplete(e);
        }

        _finals.Writer.TryComplete();
        _partials.Writer.TryComplete();
    }

    private async Task GuardAsync(Func<Task> send)
    {
        try
        {
            await (_fault is { } fault ? Task.FromException(fault) : send());
        }
        catch (WebSocketException e)
        {
            throw _fault ?? SpeechFaults.Unreachable("stt", e);
        }
    }
}

/// <summary>Messages of the stream and the stt role's end of it.</summary>
internal static class SttSocket
{
    private const int MaxMessageBytes = 1024 * 1024;
    private const int MaxAudioBytes = 64 * 1024;

    public static Task SendAsync(WebSocket socket, SttMessage message, CancellationToken ct) =>
        socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message, Wire.Json).AsMemory(), WebSocketMessageType.Text, endOfMessage: true, ct).AsTask();

    /// <summary>The next text message; null when the stream was closed. A fault that the other side tells is thrown as it was there.</summary>
    public static async Task<SttMessage?> ReceiveAsync(WebSocket socket, CancellationToken ct)
    {
        using var text = new MemoryStream();
        var kind = await ReceiveIntoAsync(socket, text, ct);
        var message = kind == WebSocketMessageType.Text ? JsonSerializer.Deserialize<SttMessage>(text.GetBuffer().AsSpan(0, (int)text.Length), Wire.Json) : null;
        return message is { Kind: "failed" }
            ? throw new SpeechEngineException(message.Fault ?? SpeechFault.RemoteFailed, message.Why ?? "The stt role failed.", message.Remedy ?? "")
            : message;
    }

    public static async Task ServeAsync(HttpContext http, ISpeechRecognizer recognizer)
    {
        if (!http.WebSockets.IsWebSocketRequest)
        {
            http.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
            return;
        }

        var ct = http.RequestAborted;
        using var socket = await http.WebSockets.AcceptWebSocketAsync();
        if (await ReceiveAsync(socket, ct) is not { Kind: "start", Options: { } options })
        {
            await socket.CloseAsync(WebSocketCloseStatus.PolicyViolation, "the first message must be 'start'", ct);
            return;
        }

        try
        {
            await using var session = await recognizer.StartAsync(options, ct);
            await SendAsync(socket, new("started"), ct);
            await PumpAsync(socket, session, ct);
        }
        catch (SpeechEngineException e)
        {
            await SendAsync(socket, new("failed") { Fault = e.Fault, Why = e.Message[..^e.Remedy.Length].TrimEnd(), Remedy = e.Remedy }, ct);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // The agent hung up: nothing is left to tell it.
            http.Abort();
        }
    }

    // Sends are all made here, by one task: WebSocket allows one send at a time.
    private static async Task PumpAsync(WebSocket socket, IRecognitionSession session, CancellationToken ct)
    {
        using var message = new MemoryStream();
        RecognitionResult? told = null;
        while (true)
        {
            message.SetLength(0);
            var kind = await ReceiveIntoAsync(socket, message, ct);
            var bytes = message.GetBuffer().AsMemory(0, (int)message.Length);
            switch (kind)
            {
                case WebSocketMessageType.Binary when bytes.Length <= MaxAudioBytes:
                    await session.WriteAsync(MemoryMarshal.Cast<byte, short>(bytes.Span[..(bytes.Length & ~1)]).ToArray(), ct);
                    if (session.CurrentPartial is { } partial && partial != told)
                    {
                        told = partial;
                        await SendAsync(socket, new("partial") { Result = partial }, ct);
                    }

                    break;
                case WebSocketMessageType.Text:
                    await AnswerAsync(socket, session, JsonSerializer.Deserialize<SttMessage>(bytes.Span, Wire.Json), ct);
                    break;
                default:
                    return;
            }
        }
    }

    private static async Task AnswerAsync(WebSocket socket, IRecognitionSession session, SttMessage? message, CancellationToken ct)
    {
        if (message is { Kind: "begin" })
        {
            await session.BeginUtteranceAsync(TimeSpan.FromMilliseconds(message.PreRollMs), ct);
        }
        else if (message is { Kind: "end" })
        {
            await SendAsync(socket, new("final") { Result = await session.EndUtteranceAsync(ct) }, ct);
        }
    }

    private static async Task<WebSocketMessageType> ReceiveIntoAsync(WebSocket socket, MemoryStream into, CancellationToken ct)
    {
        var buffer = new byte[8 * 1024];
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer.AsMemory(), ct);
            if (received.MessageType == WebSocketMessageType.Close || into.Length + received.Count > MaxMessageBytes)
            {
                return WebSocketMessageType.Close;
            }

            into.Write(buffer, 0, received.Count);
            if (received.EndOfMessage)
            {
                return received.MessageType;
            }
        }
    }
}
