using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Mvc;
using Sentiric.Contracts;

namespace Sentiric.Host.Ports;

/// <summary>
/// How one role calls another: POST of a JSON body to /internal/{port}/{question}; 200 with the value, or 409 with a refusal.
/// The secret of <c>Services:Key</c> opens the door; outside clients never see these paths.
/// </summary>
public static class PortHttp
{
    public const string Prefix = "/internal";
    public const string KeyHeader = "X-Service-Key";
    public const string TenantHeader = "X-Sentiric-Tenant";
    public const string ActorHeader = "X-Sentiric-Actor";

    /// <summary>Server side: maps a question of a port that may refuse.</summary>
    public static void MapQuestion<TRequest, TValue>(
        this IEndpointRouteBuilder routes, string path, Func<TRequest, CancellationToken, ValueTask<Result<TValue>>> answer) =>
        routes.MapPost(path, async ([FromBody] TRequest request, CancellationToken ct) => ToHttp(await answer(request, ct))).ExcludeFromDescription();

    /// <summary>Server side: maps a question that always has an answer.</summary>
    public static void MapPlainQuestion<TRequest, TValue>(
        this IEndpointRouteBuilder routes, string path, Func<TRequest, CancellationToken, ValueTask<TValue>> answer) =>
        routes.MapPost(path, async ([FromBody] TRequest request, CancellationToken ct) => Results.Json(await answer(request, ct), Wire.Json))
            .ExcludeFromDescription();

    public static IResult ToHttp<TValue>(Result<TValue> result) => result.Match(
        value => Results.Json(value, Wire.Json),
        refusal => Results.Json(refusal, Wire.Json, statusCode: StatusCodes.Status409Conflict));

    /// <summary>Client side. A refusal comes back as a value; a role that does not answer throws <see cref="ServiceUnavailableException"/>.</summary>
    public static async ValueTask<Result<TValue>> AskAsync<TRequest, TValue>(this HttpClient client, string path, TRequest request, CancellationToken ct)
    {
        using var response = await SendAsync(client, path, JsonContent.Create(request, options: Wire.Json), ct);
        return await ReadAsync<TValue>(response, path, ct);
    }

    public static async ValueTask<Result<TValue>> ReadAsync<TValue>(HttpResponseMessage response, string path, CancellationToken ct)
    {
        if ((int)response.StatusCode == StatusCodes.Status409Conflict)
        {
            return await response.Content.ReadFromJsonAsync<Refusal>(Wire.Json, ct) ?? new Refusal("service.bad_answer", $"{path} refused without saying why.");
        }

        if (!response.IsSuccessStatusCode)
        {
            throw new ServiceUnavailableException($"{path} answered {(int)response.StatusCode}");
        }

        return await response.Content.ReadFromJsonAsync<TValue>(Wire.Json, ct) ?? throw new ServiceUnavailableException($"{path} answered nothing");
    }

    /// <summary>Sends a body; a connection that fails becomes <see cref="ServiceUnavailableException"/>.</summary>
    public static async Task<HttpResponseMessage> SendAsync(HttpClient client, string path, HttpContent content, CancellationToken ct)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path.TrimStart('/')) { Content = content };
            return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException)
        {
            throw new ServiceUnavailableException($"{client.BaseAddress}{path} does not answer: {e.Message}", e);
        }
    }
}

/// <summary>Another role of the platform cannot be reached.</summary>
public sealed class ServiceUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
