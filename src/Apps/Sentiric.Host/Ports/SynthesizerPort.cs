using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Mvc;
using Sentiric.Contracts;
using Sentiric.Speech;

namespace Sentiric.Host.Ports;

/// <summary><see cref="ISpeechSynthesizer"/> over HTTP, both ends: the text goes up, PCM streams down.</summary>
public sealed class SynthesizerPort(HttpClient client) : ISpeechSynthesizer
{
    private const string Speak = PortHttp.Prefix + "/tts/speak";
    private const string EngineHeader = "X-Speech-Engine";

    // Written by whichever request was answered last; all of them say the same.
    private volatile string _engine = "";

    /// <summary>As the other side calls it with every answer; empty before the first one.</summary>
    public string Engine => _engine;

    /// <summary>The voices are the other side's business; a request without a voice gets its default.</summary>
    public IReadOnlyList<VoiceInfo> Voices => [];

    public async IAsyncEnumerable<AudioChunk> SynthesizeAsync(SynthesisRequest request, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var response = await PostAsync(request, cancel);
        await using var body = await response.Content.ReadAsStreamAsync(cancel);
        await foreach (var pcm in PcmStream.ReadAsync((buffer, ct) => ReadBodyAsync(body, buffer, ct), cancel))
        {
            yield return new(pcm, request.SampleRate);
        }
    }

    public static void Map(IEndpointRouteBuilder routes, ISpeechSynthesizer synthesizer) =>
        routes.MapPost(Speak, ([FromBody] SynthesisRequest request, HttpContext http, CancellationToken ct) => ServeAsync(synthesizer, request, http, ct))
            .ExcludeFromDescription();

    private async Task<HttpResponseMessage> PostAsync(SynthesisRequest request, CancellationToken cancel)
    {
        try
        {
            var response = await PortHttp.SendAsync(client, Speak, JsonContent.Create(request, options: Wire.Json), cancel);
            _engine = response.Headers.TryGetValues(EngineHeader, out var names) ? names.First() : _engine;
            return response.IsSuccessStatusCode ? response : throw SpeechFaults.FromResponse(response);
        }
        catch (ServiceUnavailableException e)
        {
            throw SpeechFaults.Unreachable("tts", e);
        }
    }

    // The other side has no other way to say that the engine failed in the middle of a sentence.
    private static async ValueTask<int> ReadBodyAsync(Stream body, Memory<byte> buffer, CancellationToken ct)
    {
        try
        {
            return await body.ReadAsync(buffer, ct);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw SpeechFaults.Unreachable("tts", e);
        }
    }

    private static async Task ServeAsync(ISpeechSynthesizer synthesizer, SynthesisRequest request, HttpContext http, CancellationToken ct)
    {
        try
        {
            var pcm = synthesizer.SynthesizeAsync(request, ct).Select(chunk => chunk.Pcm);
            http.Response.ContentType = PcmStream.ContentType;
            if (synthesizer.Engine.Length > 0 && synthesizer.Engine.All(c => c is >= ' ' and <= '~'))
            {
                http.Response.Headers[EngineHeader] = synthesizer.Engine;
            }

            await PcmStream.WriteAsync(http.Response.Body, pcm, ct);
        }
        catch (SpeechEngineException e) when (!http.Response.HasStarted)
        {
            await SpeechFaults.WriteAsync(http, e);
        }
    }
}

/// <summary>Faults of speech engines on their way over HTTP: the closed list travels by name in a header.</summary>
internal static class SpeechFaults
{
    private const string Header = "X-Speech-Fault";

    public static Task WriteAsync(HttpContext http, SpeechEngineException e)
    {
        http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        http.Response.Headers[Header] = e.Fault.ToString();
        return http.Response.WriteAsJsonAsync(new Refusal("speech." + e.Fault, e.Message), Wire.Json);
    }

    public static SpeechEngineException FromResponse(HttpResponseMessage response)
    {
        var known = response.Headers.TryGetValues(Header, out var values) && Enum.TryParse<SpeechFault>(values.First(), out var fault) ? fault : SpeechFault.RemoteFailed;
        using (response)
        {
            return new(known, $"The speech service answered {(int)response.StatusCode}.", "Look into the log of that role.");
        }
    }

    public static SpeechEngineException Unreachable(string role, Exception inner) =>
        new(SpeechFault.RemoteFailed, $"The {role} role does not answer.", "Start it, or correct its address in Services__" + role + ".", inner);
}
