using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;

namespace Sentiric.Cli;

/// <summary>The platform's HTTP API. Whatever it refuses, and its absence, is a <see cref="CliException"/> with the code to show.</summary>
internal sealed class Api : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly HttpClient http;

    public Api(string url, string key, string? tenant)
    {
        if (!Uri.TryCreate(url.TrimEnd('/') + "/", UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
        {
            throw new CliException("setting.wrong", $"\"{url}\" is no http or https address of a platform.");
        }

        // The stream of events never ends, so the time limit is set request by request.
        http = new HttpClient { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (tenant is not null) http.DefaultRequestHeaders.Add("X-Tenant", tenant);
    }

    public string Url => (http.BaseAddress?.ToString() ?? "").TrimEnd('/');

    public async Task<T> GetAsync<T>(string path, CancellationToken ct) => await ReadAsync<T>(await GetBodyAsync(path, ct), path);

    /// <summary>The body as it came, for --json.</summary>
    public Task<string> GetTextAsync(string path, CancellationToken ct) => GetBodyAsync(path, ct);

    /// <summary>Asks for something that may take as long as it takes.</summary>
    public Task<T> PostPatientlyAsync<T>(string path, object? body, CancellationToken ct) => PostAsync<T>(path, body, Timeout.InfiniteTimeSpan, ct);

    /// <summary>Asks for a change that has nothing to say but that it is done.</summary>
    public async Task PostAsync(string path, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        using var response = await SendAsync(request, HttpCompletionOption.ResponseContentRead, Patience, ct);
        await CheckedAsync(response, ct);
    }

    /// <summary>The same with a body.</summary>
    public async Task PostAsync(string path, object body, CancellationToken ct)
    {
        using var content = JsonContent.Create(body, body.GetType(), options: Wire.Json);
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        using var response = await SendAsync(request, HttpCompletionOption.ResponseContentRead, Patience, ct);
        await CheckedAsync(response, ct);
    }

    /// <summary>Asks for a removal that has nothing to say but that it is done.</summary>
    public async Task DeleteAsync(string path, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, path);
        using var response = await SendAsync(request, HttpCompletionOption.ResponseContentRead, Patience, ct);
        await CheckedAsync(response, ct);
    }

    public async Task<T> DeleteAsync<T>(string path, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, path);
        using var response = await SendAsync(request, HttpCompletionOption.ResponseContentRead, Patience, ct);
        return await ReadAsync<T>(await CheckedAsync(response, ct), path);
    }

    public Task<T> PostAsync<T>(string path, object? body, CancellationToken ct) => PostAsync<T>(path, body, Patience, ct);

    private async Task<T> PostAsync<T>(string path, object? body, TimeSpan patience, CancellationToken ct)
    {
        using var content = body is null ? null : JsonContent.Create(body, body.GetType(), options: Wire.Json);
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        using var response = await SendAsync(request, HttpCompletionOption.ResponseContentRead, patience, ct);
        return await ReadAsync<T>(await CheckedAsync(response, ct), path);
    }

    /// <summary>Also what the platform says of itself when it is not well (503).</summary>
    public async Task<(HttpStatusCode Status, string Body)> LookAsync(string path, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        using var response = await SendAsync(request, HttpCompletionOption.ResponseContentRead, Patience, ct);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(ct));
    }

    public async Task DownloadAsync(string path, Stream to, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        using var response = await SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Patience, ct);
        if (!response.IsSuccessStatusCode) await CheckedAsync(response, ct);
        await response.Content.CopyToAsync(to, ct);
    }

    /// <summary>Events as they are stored, from when <paramref name="opened"/> was called until cancelled; ends when the platform goes.</summary>
    public async IAsyncEnumerable<EventEnvelope> EventsAsync(Guid? callId, Action? opened, [EnumeratorCancellation] CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, callId is { } id ? $"v1/events/stream?call_id={id}" : "v1/events/stream");
        using var response = await SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Patience, ct);
        if (!response.IsSuccessStatusCode) await CheckedAsync(response, ct);
        await using var stream = await response.Content.ReadAsStreamAsync(ct);
        await foreach (var item in SseParser.Create(stream).EnumerateAsync(ct))
        {
            if (item.EventType == "hello") opened?.Invoke();
            else if (JsonSerializer.Deserialize(item.Data, EnvelopeJson.Default.EventEnvelope) is { } envelope) yield return envelope;
        }
    }

    /// <summary>Server-sent events of any path, name and data, until the platform ends them. A platform that goes away is <c>platform.gone</c>.</summary>
    public async IAsyncEnumerable<SseItem<string>> ServerSentAsync(string path, [EnumeratorCancellation] CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        using var response = await SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Patience, ct);
        if (!response.IsSuccessStatusCode) await CheckedAsync(response, ct);
        await using var stream = await response.Content.ReadAsStreamAsync(ct);
        await using var items = SseParser.Create(stream).EnumerateAsync(ct).GetAsyncEnumerator(ct);
        while (await NextAsync(items)) yield return items.Current;
    }

    /// <summary>Hands the body over as it comes, however long it takes.</summary>
    public async Task ReadAsync(string path, Func<Stream, HttpResponseHeaders, Task> read, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        using var response = await SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Patience, ct);
        if (!response.IsSuccessStatusCode) await CheckedAsync(response, ct);
        await using var body = await response.Content.ReadAsStreamAsync(ct);
        await read(body, response.Headers);
    }

    /// <summary>Sends a body, however long it takes.</summary>
    public async Task<T> UploadAsync<T>(string path, HttpContent content, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        using var response = await SendAsync(request, HttpCompletionOption.ResponseContentRead, Timeout.InfiniteTimeSpan, ct);
        return await ReadAsync<T>(await CheckedAsync(response, ct), path);
    }

    private static async ValueTask<bool> NextAsync(IAsyncEnumerator<SseItem<string>> items)
    {
        try
        {
            return await items.MoveNextAsync();
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw new CliException("platform.gone", $"The stream of events broke off: {e.Message}");
        }
    }

    public void Dispose() => http.Dispose();

    private async Task<string> GetBodyAsync(string path, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        using var response = await SendAsync(request, HttpCompletionOption.ResponseContentRead, Patience, ct);
        return await CheckedAsync(response, ct);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, HttpCompletionOption until, TimeSpan patience, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(patience);
        try
        {
            return await http.SendAsync(request, until, limit.Token);
        }
        catch (HttpRequestException e) when (e.InnerException is SocketException)
        {
            throw new CliException("platform.unreachable", $"Nothing answers at {Url}. Is the platform running? ./sentiric up starts it.");
        }
        catch (HttpRequestException e)
        {
            throw new CliException("platform.unreachable", $"{Url}: {e.Message}");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new CliException("platform.timeout", $"{Url} did not answer within {patience.TotalSeconds} s.");
        }
    }

    private static async Task<string> CheckedAsync(HttpResponseMessage response, CancellationToken ct)
    {
        var body = await response.Content.ReadAsStringAsync(ct);
        return response.IsSuccessStatusCode ? body : throw Refused(response, body);
    }

    private static CliException Refused(HttpResponseMessage response, string body)
    {
        if (response.Content.Headers.ContentType?.MediaType == Problems.ContentType)
        {
            try
            {
                if (JsonSerializer.Deserialize<ProblemBody>(body, Wire.Json) is { } problem) return new(problem.Code ?? $"http.{problem.Status}", problem.Detail ?? problem.Title);
            }
            catch (JsonException)
            {
                // A proxy between may say so and mean something else; the status is told below.
            }
        }

        return new($"http.{(int)response.StatusCode}", $"{response.RequestMessage?.RequestUri} answered {(int)response.StatusCode} {response.ReasonPhrase}.");
    }

    private static Task<T> ReadAsync<T>(string body, string path)
    {
        try
        {
            return Task.FromResult(JsonSerializer.Deserialize<T>(body, Wire.Json) ?? throw new CliException("answer.empty", $"{path} answered nothing."));
        }
        catch (JsonException e)
        {
            throw new CliException("answer.unreadable", $"{path} answered something that this version cannot read: {e.Message}");
        }
    }
}
