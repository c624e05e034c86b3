using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Sentiric.Cli.Tests;

/// <summary>An API on loopback that answers what it was told and keeps what it was asked.</summary>
public sealed class FakePlatform : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, Func<HttpContext, Task>> answers = new(StringComparer.Ordinal);
    private readonly WebApplication app;

    private FakePlatform(WebApplication app) => this.app = app;

    /// <summary>"METHOD path?query body", in order.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    public ConcurrentQueue<string?> Keys { get; } = new();

    public string Url => app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.Single() ?? "";

    public static async Task<FakePlatform> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var platform = new FakePlatform(builder.Build());
        platform.app.Run(platform.AnswerAsync);
        await platform.app.StartAsync();
        return platform;
    }

    public FakePlatform Answers(string request, string json, int status = 200, string type = "application/json") =>
        Answers(request, async http =>
        {
            (http.Response.StatusCode, http.Response.ContentType) = (status, type);
            await http.Response.WriteAsync(json);
        });

    public FakePlatform Answers(string request, Func<HttpContext, Task> answer)
    {
        answers[request] = answer;
        return this;
    }

    /// <summary>Runs the CLI against this platform, as somebody without a terminal; Turkish is the language of the machine.</summary>
    public async Task<(int Code, string Out, string Error)> RunAsync(string input, params string[] args)
    {
        var (output, error, culture) = (new StringWriter(), new StringWriter(), CultureInfo.CurrentCulture);
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("tr-TR");
        try
        {
            var code = await Cli.RunAsync(
                args, new Terminal(new StringReader(input), output, error, colours: false, interactive: false),
                name => name switch { "SENTIRIC_URL" => Url, "SENTIRIC_API_KEY" => "secret-key", _ => null }, TimeProvider.System, CancellationToken.None);
            return (code, output.ToString().ReplaceLineEndings("\n"), error.ToString().ReplaceLineEndings("\n"));
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
    }

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    private async Task AnswerAsync(HttpContext http)
    {
        var request = $"{http.Request.Method} {http.Request.Path}{http.Request.QueryString}";
        using var body = new StreamReader(http.Request.Body);
        Asked.Enqueue($"{request} {await body.ReadToEndAsync()}".TrimEnd());
        Keys.Enqueue(http.Request.Headers.Authorization);
        if (answers.TryGetValue(request, out var answer)) await answer(http);
        else http.Response.StatusCode = 404;
    }
}
