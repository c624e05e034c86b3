using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Sentiric.Speech.Tests.Kit;

namespace Sentiric.Speech.Tests.Remote;

/// <summary>
/// A speech server on loopback with the two OpenAI routes. It knows the utterances that it was taught and finds them in the audio that it gets;
/// it speaks a text as a tone, 60 ms a letter.
/// </summary>
public sealed class FakeSpeechServer : IAsyncDisposable
{
    public const string Key = "secret-key";
    private const int LetterMs = 60;
    private const int ProbeSamples = 400;
    private readonly WebApplication app;
    private readonly List<(short[] Audio, string Text)> taught = [];

    private FakeSpeechServer(WebApplication app) => this.app = app;

    public Uri Address => new(app.Urls.First() + "/");

    /// <summary>Answered in place of a result, when set.</summary>
    public (int Status, string Body)? Answer { get; set; }

    public Dictionary<string, string> LastForm { get; private set; } = [];

    public int Requests { get; private set; }

    public static async Task<FakeSpeechServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var server = new FakeSpeechServer(builder.Build());
        server.app.MapPost("/v1/audio/transcriptions", server.TranscribeAsync);
        server.app.MapPost("/v1/audio/speech", server.SpeakAsync);
        await server.app.StartAsync();
        return server;
    }

    public void Teach(short[] audio, string text) => taught.Add((audio, text));

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private async Task TranscribeAsync(HttpContext context)
    {
        if (!await AcceptAsync(context))
        {
            return;
        }

        var form = await context.Request.ReadFormAsync();
        LastForm = form.ToDictionary(field => field.Key, field => field.Value.ToString());
        using var file = new MemoryStream();
        await form.Files["file"]!.CopyToAsync(file);
        short[] heard = WavFile.Parse(file.ToArray()).Samples;
        string text = string.Join(' ', taught.Where(entry => heard.AsSpan().IndexOf(Middle(entry.Audio)) >= 0).Select(entry => entry.Text).Distinct());
        await context.Response.WriteAsJsonAsync(new { text, segments = new[] { new { avg_logprob = -0.1 } } });
    }

    private async Task SpeakAsync(HttpContext context)
    {
        if (!await AcceptAsync(context))
        {
            return;
        }

        var request = await JsonDocument.ParseAsync(context.Request.Body);
        string text = request.RootElement.GetProperty("input").GetString() ?? "";
        double speed = request.RootElement.GetProperty("speed").GetDouble();
        short[] tone = Sound.Tone(400, (int)(text.Length * LetterMs / speed), OpenAiSpeechOptions.SpeechRate);
        foreach (short[] piece in tone.Chunk(5001))
        {
            await context.Response.Body.WriteAsync(System.Runtime.InteropServices.MemoryMarshal.AsBytes(piece.AsSpan()).ToArray(), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }

    private async Task<bool> AcceptAsync(HttpContext context)
    {
        Requests++;
        var refusal = context.Request.Headers.Authorization != $"Bearer {Key}" ? (401, "wrong key") : Answer;
        if (refusal is { } told)
        {
            context.Response.StatusCode = told.Item1;
            await context.Response.WriteAsync(told.Item2);
        }

        return refusal is null;
    }

    private static ReadOnlySpan<short> Middle(short[] audio) =>
        audio.AsSpan(Math.Max(0, (audio.Length - ProbeSamples) / 2), Math.Min(ProbeSamples, audio.Length));
}
