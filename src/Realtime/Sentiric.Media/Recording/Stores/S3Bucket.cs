using System.Net;
using System.Security.Cryptography;

namespace Sentiric.Media;

/// <summary>Where the bucket is.</summary>
/// <param name="Endpoint">As "http://127.0.0.1:9000/" or "https://s3.eu-central-1.amazonaws.com/"; the bucket's name follows in the path.</param>
public sealed record S3Location(Uri Endpoint, string Bucket, string Region, S3Credentials Credentials);

/// <summary>The store refused or could not be reached; what was asked for was not done.</summary>
public sealed class S3Exception(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>
/// Objects in a bucket of an S3-compatible store, by plain HTTP requests with Signature Version 4. Paths have the bucket in them (path style), which every
/// store understands. One object at most 5 GiB, the bound of a single PUT (72 hours of recorded WAV).
/// </summary>
public sealed class S3Bucket(HttpClient http, S3Location location, TimeProvider clock)
{
    private const long MaxBytes = 5L << 30;

    /// <summary>Stores a file whole or not at all; an object of that name is replaced.</summary>
    public async Task PutAsync(string name, string path, CancellationToken ct)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 64 * 1024, useAsync: true);
        if (file.Length > MaxBytes) throw new S3Exception($"{path} is larger than an object may be ({MaxBytes} bytes).");
        var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, ct).ConfigureAwait(false));
        file.Position = 0;
        using var request = Request(HttpMethod.Put, name, hash);
        request.Content = new StreamContent(file);
        request.Content.Headers.ContentLength = file.Length;
        using var response = await SendAsync(request, ct).ConfigureAwait(false);
        await DemandAsync(response, name, ct).ConfigureAwait(false);
    }

    /// <summary>Copies an object to a stream; false when there is none of that name.</summary>
    public async Task<bool> GetAsync(string name, Stream to, CancellationToken ct)
    {
        using var request = Request(HttpMethod.Get, name, AwsSignature.EmptyPayload);
        using var response = await SendAsync(request, ct).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.NotFound) return false;
        await DemandAsync(response, name, ct).ConfigureAwait(false);
        try
        {
            await response.Content.CopyToAsync(to, ct).ConfigureAwait(false);
        }
        catch (HttpRequestException broken)
        {
            throw new S3Exception($"{name} broke off: {broken.Message}", broken);
        }
        return true;
    }

    public async Task<bool> ExistsAsync(string name, CancellationToken ct)
    {
        using var request = Request(HttpMethod.Head, name, AwsSignature.EmptyPayload);
        using var response = await SendAsync(request, ct).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.NotFound) return false;
        await DemandAsync(response, name, ct).ConfigureAwait(false);
        return true;
    }

    /// <summary>Doing it twice is quiet.</summary>
    public async Task DeleteAsync(string name, CancellationToken ct)
    {
        using var request = Request(HttpMethod.Delete, name, AwsSignature.EmptyPayload);
        using var response = await SendAsync(request, ct).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.NotFound) await DemandAsync(response, name, ct).ConfigureAwait(false);
    }

    private HttpRequestMessage Request(HttpMethod method, string name, string payloadHash)
    {
        var path = $"{location.Endpoint.AbsolutePath.TrimEnd('/')}/{location.Bucket}/{name}";
        var request = new HttpRequestMessage(method, new Uri(location.Endpoint, AwsSignature.EncodePath(path)));
        var now = clock.GetUtcNow();
        KeyValuePair<string, string>[] headers =
        [
            new("host", location.Endpoint.IsDefaultPort ? location.Endpoint.Host : location.Endpoint.Authority),
            new("x-amz-content-sha256", payloadHash),
            new("x-amz-date", AwsSignature.Time(now)),
        ];
        var authorization = AwsSignature.Authorize(method.Method, path, [], headers, payloadHash, location.Credentials, location.Region, now);
        request.Headers.TryAddWithoutValidation("Authorization", authorization);
        foreach (var header in headers[1..]) request.Headers.TryAddWithoutValidation(header.Key, header.Value);
        return request;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken ct)
    {
        try
        {
            return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct).ConfigureAwait(false);
        }
        catch (HttpRequestException unreachable)
        {
            throw new S3Exception($"{location.Endpoint} does not answer: {unreachable.Message}", unreachable);
        }
    }

    // The body of an error names its code ("SignatureDoesNotMatch", "NoSuchBucket").
    private static async Task DemandAsync(HttpResponseMessage response, string name, CancellationToken ct)
    {
        if (response.IsSuccessStatusCode) return;
        const int maxQuoted = 300;
        var said = await response.Content.ReadAsStringAsync(ct).ConfigureAwait(false);
        throw new S3Exception($"The store answered {(int)response.StatusCode} to {response.RequestMessage?.Method} {name}: {said[..Math.Min(said.Length, maxQuoted)]}");
    }
}
