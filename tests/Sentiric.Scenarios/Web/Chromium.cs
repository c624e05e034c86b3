using System.Diagnostics;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Sentiric.Testing.Platform;

namespace Sentiric.Scenarios.Web;

/// <summary>One page of a headless Chromium, driven over the DevTools protocol: JSON messages over a WebSocket.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    private const int MaxMessage = 64 * 1024 * 1024;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly string folder;
    private readonly Process process;
    private readonly ClientWebSocket socket = new();
    private int lastId; // owned by the one caller

    private Chromium(Process process, string folder) => (this.process, this.folder) = (process, folder);

    public static async Task<Chromium> StartAsync(int width, int height)
    {
        var folder = Directory.CreateTempSubdirectory("sentiric-chromium-").FullName;
        var port = FreePorts.Next();
        var start = new ProcessStartInfo(
            "chromium",
            ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run", "--lang=en-GB", "--force-color-profile=srgb",
             $"--window-size={width},{height}", $"--remote-debugging-port={port}", $"--user-data-dir={folder}", "about:blank"])
        {
            RedirectStandardError = true, RedirectStandardOutput = true,
        };
        var process = Process.Start(start) ?? throw new InvalidOperationException("chromium was not started.");
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        var browser = new Chromium(process, folder);
        try
        {
            await browser.socket.ConnectAsync(await PageAsync(port), CancellationToken.None).WaitAsync(Limit);
            await browser.SendAsync("Page.enable");
            await browser.SendAsync("Emulation.setDeviceMetricsOverride", new { width, height, deviceScaleFactor = 1, mobile = false });
            return browser;
        }
        catch
        {
            await browser.DisposeAsync();
            throw;
        }
    }

    public Task SetCookieAsync(Uri url, string name, string value) => SendAsync("Network.setCookie", new { name, value, url = url.ToString(), httpOnly = true });

    public Task GoToAsync(Uri url) => SendAsync("Page.navigate", new { url = url.ToString() });

    /// <summary>The page's visible text, once it holds all of these.</summary>
    public Task<string> TextWithAsync(params string[] words)
    {
        var seen = "";
        return Until.AsksAsync(
            $"the page to show {string.Join(", ", words)}",
            async () =>
            {
                seen = await EvaluateAsync("document.body.innerText");
                return words.All(w => seen.Contains(w, StringComparison.Ordinal)) ? seen : null;
            },
            Limit, () => $"It shows:\n{seen}");
    }

    public async Task<string> EvaluateAsync(string expression)
    {
        var answer = await SendAsync("Runtime.evaluate", new { expression, returnByValue = true, awaitPromise = true });
        return answer["result"]?["value"]?.ToString() ?? "";
    }

    public async Task<byte[]> PictureAsync()
    {
        var answer = await SendAsync("Page.captureScreenshot", new { format = "png" });
        return Convert.FromBase64String(answer["data"]?.GetValue<string>() ?? throw new InvalidDataException("Chromium gave no picture."));
    }

    public async ValueTask DisposeAsync()
    {
        socket.Abort();
        socket.Dispose();
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        // Children of the browser may still be writing into the profile when the browser is gone.
        await Until.TrueAsync("Chromium's profile to be deleted", () => Task.FromResult(TryDelete()), Limit);
    }

    private static async Task<Uri> PageAsync(int port)
    {
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/") };
        return await Until.AsksAsync("Chromium to open its DevTools", async () =>
        {
            try
            {
                var targets = await http.GetFromJsonAsync<JsonArray>("json/list");
                return targets?.FirstOrDefault(t => t?["type"]?.GetValue<string>() == "page")?["webSocketDebuggerUrl"] is { } url ? new Uri(url.GetValue<string>()) : null;
            }
            catch (HttpRequestException)
            {
                return null;
            }
        }, Limit);
    }

    // Events of the page come in between; only the answer with our id matters.
    private async Task<JsonNode> SendAsync(string method, object? parameters = null)
    {
        using var limit = new CancellationTokenSource(Limit);
        var id = ++lastId;
        var message = JsonSerializer.SerializeToUtf8Bytes(new { id, method, @params = parameters ?? new { } });
        await socket.SendAsync(message.AsMemory(), WebSocketMessageType.Text, endOfMessage: true, limit.Token);
        while (true)
        {
            var answer = await ReceiveAsync(limit.Token);
            if (answer["id"]?.GetValue<int>() == id)
            {
                return answer["result"] ?? throw new InvalidOperationException($"{method}: {answer["error"]}");
            }
        }
    }

    private async Task<JsonNode> ReceiveAsync(CancellationToken ct)
    {
        using var text = new MemoryStream();
        var buffer = new byte[64 * 1024];
        ValueWebSocketReceiveResult received;
        do
        {
            received = await socket.ReceiveAsync(buffer.AsMemory(), ct);
            text.Write(buffer, 0, received.Count);
        }
        while (!received.EndOfMessage && text.Length < MaxMessage);
        return JsonNode.Parse(text.GetBuffer().AsSpan(0, (int)text.Length)) ?? throw new InvalidDataException("Chromium sent null.");
    }

    private bool TryDelete()
    {
        try
        {
            Directory.Delete(folder, recursive: true);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
