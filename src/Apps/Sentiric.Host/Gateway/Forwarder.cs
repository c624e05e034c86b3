using Microsoft.AspNetCore.Http.Features;
using Sentiric.Host.Ports;
using Sentiric.Host.Settings;

namespace Sentiric.Host.Gateway;

/// <summary>
/// The gateway without the write or read role: questions (GET) go to read, commands to write, both as streams, so that server-sent
/// events pass through as they come.
/// </summary>
public static class Forwarder
{
    private static readonly string[] PassedUp = ["Accept", "Last-Event-ID", "Range", "If-None-Match"];
    private static readonly string[] PassedDown = ["Content-Range", "Accept-Ranges", "ETag", "Location", "Cache-Control", "Content-Disposition", "Events-Target"];

    public static void Map(IEndpointRouteBuilder routes, HostSettings settings)
    {
        MapMedia(routes, settings);
        if (settings.Roles.Has(Role.Write) && settings.Roles.Has(Role.Read))
        {
            return;
        }

        var key = settings.ServiceKey ?? throw new SettingsException("Services__Key is not set: the gateway shows it to the other roles.");
        var write = settings.Service(Role.Write) is { } w ? ServiceClients.ClientFor(w, key) : null;
        var read = settings.Service(Role.Read) is { } r ? ServiceClients.ClientFor(r, key) : null;
        routes.Map("/v1/{**rest}", (HttpContext http) => ForwardAsync(http, IsForRead(http.Request) ? read : write)).ExcludeFromDescription();
    }

    // Live sound is the media role's, whatever else this process is.
    private static void MapMedia(IEndpointRouteBuilder routes, HostSettings settings)
    {
        if (settings.ServiceIfSet(Role.Media) is not { } address)
        {
            return;
        }

        var key = settings.ServiceKey ?? throw new SettingsException("Services__Key is not set: the gateway shows it to the media role.");
        var media = ServiceClients.ClientFor(address, key);
        foreach (var path in new[] { "/v1/media/{**rest}", "/v1/calls/{callId:guid}/listen" })
        {
            routes.Map(path, (HttpContext http) => http.WebSockets.IsWebSocketRequest ? SocketForwarder.PassAsync(http, address, key, () => ForwardAsync(http, media)) : ForwardAsync(http, media))
                .ExcludeFromDescription();
        }
    }

    // Building a read model anew is a command, but the read role's own; the log of erasures is kept by who erases.
    private static bool IsForRead(HttpRequest request) =>
        ((HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)) && !request.Path.StartsWithSegments("/v1/erasures", StringComparison.OrdinalIgnoreCase))
        || request.Path.StartsWithSegments("/v1/projections", StringComparison.OrdinalIgnoreCase);

    private static async Task ForwardAsync(HttpContext http, HttpClient? role)
    {
        if (role is null)
        {
            await Problem.WriteAsync(http, new("route.unknown_path", $"{http.Request.Path} is not part of the API; /openapi/v1.json lists what is."), 404);
            return;
        }

        // The role that takes an import bounds it line by line; it passes through here as it comes.
        if (http.Request.Path.StartsWithSegments("/v1/events/import", StringComparison.OrdinalIgnoreCase)
            && http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        using var request = Copy(http);
        using var response = await SendAsync(role, request, http.RequestAborted);
        http.Response.StatusCode = (int)response.StatusCode;
        http.Response.ContentType = response.Content.Headers.ContentType?.ToString();
        http.Response.ContentLength = response.Content.Headers.ContentLength;
        foreach (var (name, values) in response.Headers.Concat(response.Content.Headers).Where(h => PassedDown.Contains(h.Key, StringComparer.OrdinalIgnoreCase)))
        {
            http.Response.Headers[name] = values.ToArray();
        }

        await CopyBodyAsync(response, http);
    }

    private static HttpRequestMessage Copy(HttpContext http)
    {
        var request = new HttpRequestMessage(new HttpMethod(http.Request.Method), http.Request.Path.ToString().TrimStart('/') + http.Request.QueryString);
        if (http.Request.ContentLength > 0 || http.Request.Headers.TransferEncoding.Count > 0)
        {
            request.Content = new StreamContent(http.Request.Body);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", http.Request.ContentType);
            request.Content.Headers.TryAddWithoutValidation("Content-Encoding", (IEnumerable<string?>)http.Request.Headers.ContentEncoding);
        }

        foreach (var name in PassedUp)
        {
            request.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)http.Request.Headers[name]);
        }

        request.Headers.Add(PortHttp.TenantHeader, http.Items[CallerGate.TenantItem] as string);
        request.Headers.Add(PortHttp.ActorHeader, http.Items[CallerGate.ActorItem] as string);
        return request;
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient role, HttpRequestMessage request, CancellationToken ct)
    {
        try
        {
            return await role.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        }
        catch (HttpRequestException e)
        {
            throw new ServiceUnavailableException($"{role.BaseAddress} does not answer: {e.Message}", e);
        }
    }

    private static async Task CopyBodyAsync(HttpResponseMessage response, HttpContext http)
    {
        await using var body = await response.Content.ReadAsStreamAsync(http.RequestAborted);
        var buffer = new byte[16 * 1024];
        while (await body.ReadAsync(buffer, http.RequestAborted) is var read and > 0)
        {
            await http.Response.Body.WriteAsync(buffer.AsMemory(0, read), http.RequestAborted);
            await http.Response.Body.FlushAsync(http.RequestAborted);
        }
    }
}
