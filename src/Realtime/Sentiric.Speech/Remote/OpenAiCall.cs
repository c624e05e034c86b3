using System.Net.Http.Headers;

namespace Sentiric.Speech;

/// <summary>One request to a speech server, with its key, its time limit and one way of failing.</summary>
internal static class OpenAiCall
{
    private const int ErrorTextShown = 200;

    /// <summary>Returns a successful response whose body has not been read yet. Throws <see cref="SpeechEngineException"/> otherwise.</summary>
    public static async Task<HttpResponseMessage> SendAsync(
        HttpClient http, OpenAiSpeechOptions options, string path, HttpContent content, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(options.BaseAddress, path)) { Content = content };
        if (options.ApiKey is { } key)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(options.Timeout);
        HttpResponseMessage response;
        try
        {
            response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw Failed(options, $"did not answer within {options.Timeout}", null);
        }
        catch (HttpRequestException unreachable)
        {
            throw Failed(options, $"cannot be reached: {unreachable.Message}", unreachable);
        }

        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            string said = await response.Content.ReadAsStringAsync(cancel);
            throw Failed(options, $"answered {(int)response.StatusCode}: {said[..Math.Min(said.Length, ErrorTextShown)]}", null);
        }
    }

    public static SpeechEngineException Failed(OpenAiSpeechOptions options, string what, Exception? inner) => new(
        SpeechFault.RemoteFailed,
        $"The speech server {options.BaseAddress} {what}.",
        "Check its address, its key and that it runs.",
        inner);
}
