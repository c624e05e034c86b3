using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Sentiric.Media.Tests;

/// <summary>Objects in memory over HTTP; a request whose signature or payload hash does not fit is refused with 403, as S3 does.</summary>
internal sealed class SmallS3 : IAsyncDisposable
{
    private const int Tries = 20;
    private readonly ConcurrentDictionary<string, byte[]> objects = new(StringComparer.Ordinal);
    private readonly HttpListener listener;
    private readonly S3Credentials known;
    private readonly Task serving;

    public SmallS3(S3Credentials known)
    {
        this.known = known;
        (listener, Url) = Listen();
        serving = ServeAsync();
    }

    public Uri Url { get; }

    public async ValueTask DisposeAsync()
    {
        listener.Stop();
        await serving;
        listener.Close();
    }

    private static (HttpListener, Uri) Listen()
    {
        for (var tries = Tries; ; tries--)
        {
            using var probe = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
            probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            var url = new Uri($"http://127.0.0.1:{((IPEndPoint?)probe.LocalEndPoint)?.Port}/");
            probe.Dispose();
            var listener = new HttpListener();
            listener.Prefixes.Add(url.ToString());
            try
            {
                listener.Start();
                return (listener, url);
            }
            catch (HttpListenerException) when (tries > 0)
            {
                listener.Close(); // somebody else was quicker
            }
        }
    }

    private async Task ServeAsync()
    {
        while (listener.IsListening)
        {
            try
            {
                await AnswerAsync(await listener.GetContextAsync());
            }
            catch (Exception stopped) when (stopped is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        var request = context.Request;
        using var body = new MemoryStream();
        await request.InputStream.CopyToAsync(body);
        var path = Uri.UnescapeDataString(request.RawUrl ?? "");
        var status = IsSigned(request, path, body.ToArray()) ? Do(request.HttpMethod, path, body.ToArray(), out var answer) : Refuse(out answer);
        context.Response.StatusCode = status;
        context.Response.ContentLength64 = request.HttpMethod == "HEAD" ? 0 : answer.Length;
        if (request.HttpMethod != "HEAD" && status != 204) await context.Response.OutputStream.WriteAsync(answer);
        context.Response.Close();
    }

    private int Do(string method, string path, byte[] body, out byte[] answer)
    {
        answer = [];
        switch (method)
        {
            case "PUT":
                objects[path] = body;
                return 200;
            case "DELETE":
                objects.TryRemove(path, out _);
                return 204;
            default:
                if (!objects.TryGetValue(path, out var found)) return 404;
                answer = found;
                return 200;
        }
    }

    private static int Refuse(out byte[] answer)
    {
        answer = Encoding.UTF8.GetBytes("<Error><Code>SignatureDoesNotMatch</Code></Error>");
        return 403;
    }

    private bool IsSigned(HttpListenerRequest request, string path, byte[] body)
    {
        var told = request.Headers["Authorization"] ?? "";
        var hash = request.Headers["x-amz-content-sha256"] ?? "";
        if (hash != Convert.ToHexStringLower(SHA256.HashData(body)) || !told.Contains("SignedHeaders=", StringComparison.Ordinal)) return false;
        var scope = told[(told.IndexOf("Credential=", StringComparison.Ordinal) + 11)..].Split(',')[0].Split('/');
        var headers = told[(told.IndexOf("SignedHeaders=", StringComparison.Ordinal) + 14)..].Split(',')[0].Split(';')
            .Select(name => new KeyValuePair<string, string>(name, request.Headers[name] ?? ""));
        var at = DateTimeOffset.ParseExact(request.Headers["x-amz-date"] ?? "", "yyyyMMdd'T'HHmmss'Z'", null, System.Globalization.DateTimeStyles.AssumeUniversal);
        return told == AwsSignature.Authorize(request.HttpMethod, path, [], headers, hash, known, scope[2], at);
    }
}
