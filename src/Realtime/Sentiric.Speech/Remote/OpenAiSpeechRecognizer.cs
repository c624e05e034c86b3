using System.Net.Http.Headers;
using System.Text.Json;
using System.Threading.Channels;

namespace Sentiric.Speech;

/// <summary>Speech to text by a server with POST /v1/audio/transcriptions: the whole utterance goes there at its end, so there are no partials.</summary>
public sealed class OpenAiSpeechRecognizer(HttpClient http, OpenAiSpeechOptions options) : ISpeechRecognizer
{
    /// <summary>Said when the server tells no probability: neither sure nor unsure.</summary>
    public const float UnknownConfidence = 0.5f;

    private const int MaxPromptLength = 800;

    public RecognizerInfo Info { get; } = new("openai", options.RecognitionModel, options.Languages, Streaming: false, NativeSampleRate: 16_000);

    public ValueTask<IRecognitionSession> StartAsync(RecognitionOptions session, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        if (!Info.Knows(session.Language))
        {
            throw new SpeechEngineException(
                SpeechFault.LanguageUnsupported,
                $"The speech server's model {options.RecognitionModel} is set up for {string.Join(", ", options.Languages)}, not \"{session.Language}\".",
                "Add the language to the speech settings if the server knows it.");
        }

        return ValueTask.FromResult<IRecognitionSession>(new Session(this, session));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task<(string Text, float Confidence)> TranscribeAsync(short[] pcm, RecognitionOptions session, CancellationToken cancel)
    {
        using var form = new MultipartFormDataContent();
        var wav = new ByteArrayContent(WavFile.ToBytes(pcm, session.SampleRate));
        wav.Headers.ContentType = new MediaTypeHeaderValue("audio/wav");
        form.Add(wav, "file", "utterance.wav");
        form.Add(new StringContent(options.RecognitionModel), "model");
        form.Add(new StringContent(SpeechLanguage.Primary(session.Language)), "language");
        form.Add(new StringContent("verbose_json"), "response_format");
        if (session.Grammar != GrammarMode.Open && session.Phrases.Count > 0)
        {
            form.Add(new StringContent(Prompt(session.Phrases)), "prompt");
        }

        using var response = await OpenAiCall.SendAsync(http, options, "v1/audio/transcriptions", form, cancel);
        return Read(await response.Content.ReadAsStringAsync(cancel));
    }

    private static string Prompt(IReadOnlyList<string> phrases)
    {
        string all = string.Join(", ", phrases);
        return all[..Math.Min(all.Length, MaxPromptLength)];
    }

    private (string Text, float Confidence) Read(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            string text = document.RootElement.GetProperty("text").GetString()?.Trim() ?? "";
            return (text, text.Length == 0 ? 0 : Confidence(document.RootElement));
        }
        catch (Exception wrong) when (wrong is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw OpenAiCall.Failed(options, "answered with something that is no transcription", wrong);
        }
    }

    /// <summary>The mean token probability, where the server tells it per segment.</summary>
    private static float Confidence(JsonElement answer)
    {
        if (!answer.TryGetProperty("segments", out var segments) || segments.ValueKind != JsonValueKind.Array)
        {
            return UnknownConfidence;
        }

        var logs = segments.EnumerateArray()
            .Where(segment => segment.TryGetProperty("avg_logprob", out var log) && log.ValueKind == JsonValueKind.Number)
            .Select(segment => segment.GetProperty("avg_logprob").GetDouble())
            .ToList();
        return logs.Count == 0 ? UnknownConfidence : (float)Math.Clamp(Math.Exp(logs.Average()), 0, 1);
    }

    /// <summary>Collects an utterance, sends it at its end. At most a minute is kept; the oldest audio goes first.</summary>
    private sealed class Session(OpenAiSpeechRecognizer owner, RecognitionOptions options) : IRecognitionSession
    {
        private const int LongestSeconds = 60;
        private const double SilenceDb = -60;
        private readonly List<short> utterance = [];
        private readonly Channel<RecognitionResult> partials = Channel.CreateBounded<RecognitionResult>(1);
        private long heard;
        private bool disposed;

        public RecognitionResult? CurrentPartial => null;

        public IAsyncEnumerable<RecognitionResult> Partials => partials.Reader.ReadAllAsync();

        public ValueTask WriteAsync(ReadOnlyMemory<short> pcm, CancellationToken cancel)
        {
            cancel.ThrowIfCancellationRequested();
            ObjectDisposedException.ThrowIf(disposed, this);
            utterance.AddRange(pcm.Span);
            heard += pcm.Length;
            Keep(LongestSeconds * options.SampleRate);
            return ValueTask.CompletedTask;
        }

        public ValueTask BeginUtteranceAsync(TimeSpan preRoll, CancellationToken cancel)
        {
            cancel.ThrowIfCancellationRequested();
            Keep((int)(Math.Clamp(preRoll.TotalSeconds, 0, 1) * options.SampleRate));
            return ValueTask.CompletedTask;
        }

        public async ValueTask<RecognitionResult> EndUtteranceAsync(CancellationToken cancel)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            short[] pcm = [.. utterance];
            utterance.Clear();
            var end = At(heard);
            var start = At(heard - pcm.Length);
            var (text, confidence) = IsSilent(pcm) ? ("", 0f) : await owner.TranscribeAsync(pcm, options, cancel);
            if (options.Grammar == GrammarMode.Closed && text.Length > 0)
            {
                (text, float likeness) = ClosedList.Nearest(text, options.Phrases, options.Language);
                confidence *= likeness;
            }

            return new RecognitionResult(RecognitionKind.Final, text, text.Length == 0 ? 0 : confidence, start, end, options.Language, []);
        }

        public ValueTask DisposeAsync()
        {
            disposed = true;
            partials.Writer.TryComplete();
            return ValueTask.CompletedTask;
        }

        private void Keep(int samples)
        {
            if (utterance.Count > samples)
            {
                utterance.RemoveRange(0, utterance.Count - samples);
            }
        }

        // recognisers of this family invent sentences when they are given silence
        private bool IsSilent(short[] pcm)
        {
            double energy = 0;
            foreach (short sample in pcm)
            {
                energy += (double)sample * sample;
            }

            return pcm.Length == 0 || 10 * Math.Log10((energy / pcm.Length / (32768.0 * 32768.0)) + 1e-12) < SilenceDb;
        }

        private TimeSpan At(long sample) => TimeSpan.FromSeconds((double)sample / options.SampleRate);
    }
}
