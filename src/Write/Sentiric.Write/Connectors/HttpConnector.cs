using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using Sentiric.Contracts;
using Sentiric.Contracts.Services;

namespace Sentiric.Write.Connectors;

/// <summary>
/// POSTs an action to a customer's URL: one try, no redirects, bounded in time and size. The idempotency key travels as
/// <c>Idempotency-Key</c>, so that the customer's side does a repeated request once.
/// </summary>
/// <param name="secrets">Value of a connector's secret header, by tenant and connector; null when none is configured.</param>
public sealed class HttpConnector(Func<string, string, string?> secrets) : IDisposable
{
    public const int MaxResponseBytes = 64 * 1024;
    private const int MaxValues = 50;
    private const int MaxValueLength = 1_000;

    // Two pools: a connection that was opened into the private network is never reused for a connector that may not go there.
    private readonly HttpMessageInvoker _publicOnly = new(Handler(PublicOnlyAsync));
    private readonly HttpMessageInvoker _anywhere = new(Handler(connect: null));

    public async ValueTask<Result<ConnectorOutcome>> ExecuteAsync(HttpSettings settings, ExecuteConnector request, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(settings.Timeout);
        try
        {
            using var message = Message(settings, request);
            using var response = await (settings.AllowPrivate ? _anywhere : _publicOnly).SendAsync(message, limit.Token).ConfigureAwait(false);
            var body = await BodyAsync(response, limit.Token).ConfigureAwait(false);
            return body is null ? Failed($"its answer is larger than {MaxResponseBytes / 1024} KiB") : Read(response, body);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new Refusal("connector.timeout", string.Create(CultureInfo.InvariantCulture,
                $"The connector '{request.Connector}' did not answer within {settings.Timeout.TotalSeconds} seconds."));
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException or SocketException)
        {
            return Failed(broken.InnerException is PrivateAddressException ? "its address is not public" : "it cannot be reached");
        }
    }

    public void Dispose()
    {
        _publicOnly.Dispose();
        _anywhere.Dispose();
    }

    private HttpRequestMessage Message(HttpSettings settings, ExecuteConnector request)
    {
        var body = new HttpConnectorBody(request.Tenant, request.Connector, request.Action, request.Parameters, request.IdempotencyKey, request.CallId);
        var message = new HttpRequestMessage(HttpMethod.Post, settings.Url)
        {
            Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, Wire.Json)),
        };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        message.Headers.TryAddWithoutValidation("Idempotency-Key", request.IdempotencyKey);
        message.Headers.TryAddWithoutValidation("Accept", "application/json");
        if (settings.SecretHeader is { } header && secrets(request.Tenant, request.Connector) is { } secret)
        {
            message.Headers.TryAddWithoutValidation(header, secret);
        }

        return message;
    }

    private static Result<ConnectorOutcome> Read(HttpResponseMessage response, byte[] body)
    {
        var values = Values(body);
        if (response.IsSuccessStatusCode)
        {
            return values is null ? Failed("its answer is not a JSON object") : new ConnectorOutcome(values);
        }

        // A customer's own sentence is better than ours; anything else stays out of the caller's ear.
        return values?.GetValueOrDefault("why") is { Length: > 0 } why
            ? new Refusal("connector.failed", why)
            : Failed(string.Create(CultureInfo.InvariantCulture, $"it answered with status {(int)response.StatusCode}"));
    }

    private static Dictionary<string, string>? Values(byte[] body)
    {
        if (body.Length == 0)
        {
            return [];
        }

        try
        {
            using var json = JsonDocument.Parse(body);
            return json.RootElement.ValueKind == JsonValueKind.Object
                ? json.RootElement.EnumerateObject().Where(p => IsScalar(p.Value)).Take(MaxValues).DistinctBy(p => p.Name)
                    .ToDictionary(p => p.Name, p => Cut(p.Value), StringComparer.Ordinal)
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool IsScalar(JsonElement value) => value.ValueKind is JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False;

    private static string Cut(JsonElement value)
    {
        var text = value.ValueKind == JsonValueKind.String ? value.GetString() ?? "" : value.GetRawText();
        return text.Length <= MaxValueLength ? text : text[..MaxValueLength];
    }

    private static async ValueTask<byte[]?> BodyAsync(HttpResponseMessage response, CancellationToken ct)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(ct).ConfigureAwait(false);
        using var all = new MemoryStream();
        var chunk = new byte[8 * 1024];
        while (await stream.ReadAsync(chunk, ct).ConfigureAwait(false) is var read and > 0)
        {
            if (all.Length + read > MaxResponseBytes)
            {
                return null;
            }

            all.Write(chunk, 0, read);
        }

        return all.ToArray();
    }

    // No proxy: it would open the connection in our place and past the check of the address.
    private static SocketsHttpHandler Handler(Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>>? connect) => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        MaxResponseHeadersLength = 16,
        PooledConnectionLifetime = TimeSpan.FromMinutes(1),
        ConnectCallback = connect,
    };

    // The address is looked up and judged here, and this very address is connected to: a name that changes its mind in between gains nothing.
    private static async ValueTask<Stream> PublicOnlyAsync(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var addresses = await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, ct).ConfigureAwait(false);
        if (addresses.Length == 0 || !Array.TrueForAll(addresses, PublicAddress.Is))
        {
            throw new PrivateAddressException(context.DnsEndPoint.Host);
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, context.DnsEndPoint.Port, ct).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static Refusal Failed(string why) => new("connector.failed", $"The connector failed: {why}.");

    private sealed class PrivateAddressException(string host) : IOException($"'{host}' leads to an address that is not public");
}

internal sealed record HttpConnectorBody(
    string Tenant, string Connector, string Action, IReadOnlyDictionary<string, string> Parameters, string IdempotencyKey, Guid? CallId);
