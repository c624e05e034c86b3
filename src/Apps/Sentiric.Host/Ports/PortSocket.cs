using System.Net.WebSockets;

namespace Sentiric.Host.Ports;

/// <summary>The WebSocket side of <see cref="PortHttp"/>.</summary>
internal static class PortSocket
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Opens a socket to another role; one that does not answer throws <see cref="ServiceUnavailableException"/>.</summary>
    public static async Task<ClientWebSocket> ConnectAsync(Uri address, string path, string serviceKey, CancellationToken ct)
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader(PortHttp.KeyHeader, serviceKey);
        var url = new UriBuilder(new Uri(address, path.TrimStart('/'))) { Scheme = address.Scheme == Uri.UriSchemeHttps ? Uri.UriSchemeWss : Uri.UriSchemeWs };
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limited.CancelAfter(ConnectTimeout);
        try
        {
            await socket.ConnectAsync(url.Uri, limited.Token);
            return socket;
        }
        catch (Exception e)
        {
            socket.Dispose();
            throw e is WebSocketException or OperationCanceledException && !ct.IsCancellationRequested
                ? new ServiceUnavailableException($"{url.Uri} does not answer: {e.Message}", e)
                : e;
        }
    }

    /// <summary>A message in one piece, however many reads it takes. A larger one than the buffer is a bug of the other side.</summary>
    public static async ValueTask<ValueWebSocketReceiveResult> ReceiveWholeAsync(WebSocket socket, Memory<byte> buffer, CancellationToken ct)
    {
        var length = 0;
        while (true)
        {
            var received = await ReceiveAsync(socket, buffer[length..], ct);
            length += received.Count;
            if (received.EndOfMessage || received.MessageType == WebSocketMessageType.Close)
            {
                return new(length, received.MessageType, true);
            }

            if (length == buffer.Length)
            {
                throw new ServiceUnavailableException($"A message of more than {buffer.Length} bytes came over the socket.");
            }
        }
    }

    private static async ValueTask<ValueWebSocketReceiveResult> ReceiveAsync(WebSocket socket, Memory<byte> buffer, CancellationToken ct)
    {
        try
        {
            return await socket.ReceiveAsync(buffer, ct);
        }
        catch (WebSocketException e)
        {
            throw new ServiceUnavailableException($"The other role broke off: {e.Message}", e);
        }
    }
}
