using System.Net;
using System.Net.WebSockets;
using Sentiric.Contracts;
using Sentiric.Host.Ports;

namespace Sentiric.Host.Gateway;

/// <summary>A WebSocket of the API that another role serves: opened there first, so that a refusal is still an answer of HTTP, then passed through message by message.</summary>
internal static class SocketForwarder
{
    private const int BufferBytes = 32 * 1024;
    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    /// <param name="refused">Asks the role again without a socket and passes on what it says against it.</param>
    public static async Task PassAsync(HttpContext http, Uri role, string serviceKey, Func<Task> refused)
    {
        using var far = new ClientWebSocket();
        far.Options.CollectHttpResponseDetails = true;
        far.Options.SetRequestHeader(PortHttp.KeyHeader, serviceKey);
        far.Options.SetRequestHeader(PortHttp.TenantHeader, http.Items[CallerGate.TenantItem] as string);
        far.Options.SetRequestHeader(PortHttp.ActorHeader, http.Items[CallerGate.ActorItem] as string);
        if (!await ConnectAsync(far, role, http))
        {
            await refused();
            return;
        }

        using var near = await http.WebSockets.AcceptWebSocketAsync();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        var (down, up) = (PumpAsync(far, near, over.Token), PumpAsync(near, far, over.Token));
        try
        {
            await await Task.WhenAny(down, up);
            await Task.WhenAll(down, up).WaitAsync(ClosePatience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // to give up reading earlier would cut the close off
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // One of both is gone.
            http.Abort();
        }
        finally
        {
            await over.CancelAsync();
            await Task.WhenAll(down, up).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task<bool> ConnectAsync(ClientWebSocket far, Uri role, HttpContext http)
    {
        var path = new Uri(role, http.Request.Path.ToString().TrimStart('/') + http.Request.QueryString);
        var url = new UriBuilder(path) { Scheme = role.Scheme == Uri.UriSchemeHttps ? Uri.UriSchemeWss : Uri.UriSchemeWs };
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        limited.CancelAfter(ConnectTimeout);
        try
        {
            await far.ConnectAsync(url.Uri, limited.Token);
            return true;
        }
        catch (WebSocketException) when (far.HttpStatusCode is not (0 or HttpStatusCode.SwitchingProtocols))
        {
            return false;
        }
        catch (Exception e) when (e is WebSocketException || (e is OperationCanceledException && !http.RequestAborted.IsCancellationRequested))
        {
            throw new ServiceUnavailableException($"{role} does not answer: {e.Message}", e);
        }
    }

    private static async Task PumpAsync(WebSocket from, WebSocket to, CancellationToken ct)
    {
        var buffer = new byte[BufferBytes];
        while (true)
        {
            var received = await from.ReceiveAsync(buffer.AsMemory(), ct);
            if (received.MessageType == WebSocketMessageType.Close)
            {
                await to.CloseOutputAsync(from.CloseStatus ?? WebSocketCloseStatus.NormalClosure, from.CloseStatusDescription, ct);
                return;
            }

            await to.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, ct);
        }
    }
}
