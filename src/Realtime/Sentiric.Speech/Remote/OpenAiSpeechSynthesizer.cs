using System.Buffers.Binary;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;

namespace Sentiric.Speech;

/// <summary>Text to speech by a server with POST /v1/audio/speech, as raw PCM, played on while it arrives.</summary>
public sealed class OpenAiSpeechSynthesizer(HttpClient http, OpenAiSpeechOptions options) : ISpeechSynthesizer
{
    private const int ReadBytes = 9600; // 200 ms
    private const int ChunkMs = 200;

    public string Engine => options.SynthesisModel;

    public IReadOnlyList<VoiceInfo> Voices { get; } =
        [.. options.Voices.Select(voice => new VoiceInfo(voice, "*", voice, OpenAiSpeechOptions.SpeechRate, "see the terms of the server"))];

    public async IAsyncEnumerable<AudioChunk> SynthesizeAsync(
        SynthesisRequest request, [EnumeratorCancellation] CancellationToken cancel)
    {
        string voice = VoiceFor(request);
        if (string.IsNullOrWhiteSpace(request.Text))
        {
            yield break;
        }

        using var body = JsonContent.Create(new
        {
            model = options.SynthesisModel,
            input = request.Text,
            voice,
            response_format = "pcm",
            speed = Math.Clamp(request.Rate, 0.5, 2.0),
        });
        using var response = await OpenAiCall.SendAsync(http, options, "v1/audio/speech", body, cancel);
        await using var stream = await response.Content.ReadAsStreamAsync(cancel);
        var output = new SpokenAudio(OpenAiSpeechOptions.SpeechRate, request.SampleRate, levelDb: null, ChunkMs);
        var bytes = new byte[ReadBytes];
        for (int read; (read = await ReadAsync(stream, bytes, cancel)) > 0;)
        {
            foreach (var chunk in output.Add(Samples(bytes.AsSpan(0, read & ~1))))
            {
                yield return chunk;
            }
        }

        foreach (var chunk in output.Finish())
        {
            yield return chunk;
        }
    }

    private string VoiceFor(SynthesisRequest request) =>
        request.Voice is null ? options.Voices[0]
        : options.Voices.Contains(request.Voice) ? request.Voice
        : throw new SpeechEngineException(
            SpeechFault.VoiceUnsupported,
            $"The speech server has no voice \"{request.Voice}\".",
            $"Set up are: {string.Join(", ", options.Voices)}.");

    /// <summary>Fills the buffer, so that a sample is never cut in two; less comes only at the end.</summary>
    private async Task<int> ReadAsync(Stream stream, byte[] bytes, CancellationToken cancel)
    {
        try
        {
            return await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancel);
        }
        catch (Exception broken) when (broken is IOException or HttpRequestException)
        {
            throw OpenAiCall.Failed(options, "broke off in the middle of the speech", broken);
        }
    }

    private static short[] Samples(ReadOnlySpan<byte> bytes)
    {
        var samples = new short[bytes.Length / sizeof(short)];
        for (int i = 0; i < samples.Length; i++)
        {
            samples[i] = BinaryPrimitives.ReadInt16LittleEndian(bytes[(i * sizeof(short))..]);
        }

        return samples;
    }
}
