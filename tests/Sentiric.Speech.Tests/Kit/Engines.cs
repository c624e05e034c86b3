using Sentiric.Speech.Native;

namespace Sentiric.Speech.Tests.Kit;

/// <summary>The engines that many tests share; made on first use, for the whole run.</summary>
public static class Engines
{
    private static readonly Lazy<SpeechWorkerPool> LazyPool = new(() => new SpeechWorkerPool(1));
    private static readonly Lazy<CtcRecognizer> LazyCtc = new(() => new CtcRecognizer(
        Runtime,
        new CtcRecognizerOptions { ModelPath = SpeechFiles.Required(SpeechFiles.CtcModel), PhrasesPath = SpeechFiles.GeneralPhrases },
        Pool));

    private static readonly Lazy<SileroVadFactory> LazySilero = new(() => new SileroVadFactory(Runtime, SpeechFiles.Required(SpeechFiles.SileroModel)));
    private static readonly Lazy<EspeakSynthesizer> LazyEspeak = new(() => new EspeakSynthesizer(EspeakOptions));

    public static OnnxRuntime Runtime => OnnxRuntime.Load(SpeechFiles.Required(SpeechFiles.Runtime));

    public static SpeechWorkerPool Pool => LazyPool.Value;

    public static CtcRecognizer Ctc => LazyCtc.Value;

    public static SileroVadFactory Silero => LazySilero.Value;

    public static EspeakSynthesizer Espeak => LazyEspeak.Value;

    public static EspeakOptions EspeakOptions => new()
    {
        Program = SpeechFiles.Espeak ?? "espeak-ng", LibraryPath = SpeechFiles.EspeakLibraryPath, DataPath = SpeechFiles.EspeakDataPath,
    };

    /// <summary>Speaks a text at 8 kHz.</summary>
    public static async Task<short[]> SayAsync(string text, string voice = "tr") =>
        await CollectAsync(Espeak, new SynthesisRequest(text, "tr", voice));

    public static async Task<short[]> CollectAsync(ISpeechSynthesizer synthesizer, SynthesisRequest request)
    {
        var all = new List<short>();
        await foreach (var chunk in synthesizer.SynthesizeAsync(request, CancellationToken.None))
        {
            all.AddRange(chunk.Pcm.Span);
        }

        return [.. all];
    }

    /// <summary>Writes audio to a session as a phone does, 20 ms at a time.</summary>
    public static async Task WriteFramesAsync(IRecognitionSession session, short[] pcm)
    {
        for (int start = 0; start < pcm.Length; start += Sound.Rate / 50)
        {
            await session.WriteAsync(pcm.AsMemory(start, Math.Min(Sound.Rate / 50, pcm.Length - start)), CancellationToken.None);
        }
    }
}
